package systest

import (
	"fmt"
	"strings"
	"sync"

	"github.com/skshohagmiah/flin/clients/go"
)

// annals know all records of the kill loop of the streams: those who publish and those who read tell them everything. They may be
// used at any time by any goroutine.
type annals struct {
	fail       func(format string, args ...any)
	partitions int

	mu      sync.Mutex
	authors map[string]*author
	batches int
	live    int     // records that were published and have not come to a reader
	floors  []int64 // by partition: what is committed at least, since a commit of it was acknowledged
	seen    []int64 // by partition: the last committed offset that was looked up
	commits int
	fenced  int // calls of members that had lost what they were about
}

// author is who publishes records, numbered from 1.
type author struct {
	name    string
	entries []entry // by number, from 1 at index 0
}

// entry is what is known of a record.
type entry struct {
	fate      outcome // of its publish
	told      bool    // at is what the server has answered
	came      bool    // to a reader
	stored    bool    // it was found when the log was read at the end
	wanted    int32   // the partition that it was published to, -1 for any
	batch     int32   // those that must lie side by side, all or none, have the same; 0: alone
	key       int32   // -1: none
	partition int32   // where it is
	offset    int64
}

func newAnnals(partitions int, fail func(string, ...any)) *annals {
	return &annals{fail: fail, partitions: partitions, authors: map[string]*author{}, floors: make([]int64, partitions), seen: make([]int64, partitions)}
}

// newAuthor returns an author of whom nothing is known.
func (a *annals) newAuthor(name string) *author {
	a.mu.Lock()
	defer a.mu.Unlock()
	w := &author{name: name}
	a.authors[name] = w
	return w
}

// draft is a record that is about to be published.
type draft struct {
	seq   int64
	key   string
	value []byte
}

// send notes that records are about to be published by one command to one partition, or with -1 where their keys say. Of their
// fate nothing is known until it is told.
func (a *annals) send(w *author, partition int, drafts []draft) {
	a.mu.Lock()
	defer a.mu.Unlock()
	batch := 0
	if len(drafts) > 1 && partition >= 0 {
		a.batches++
		batch = a.batches
	}
	for i := range drafts {
		d := &drafts[i]
		e := entry{fate: unknown, wanted: int32(partition), batch: int32(batch), key: -1, partition: -1, offset: -1}
		if d.key != "" {
			if _, err := fmt.Sscanf(d.key, "key%d", &e.key); err != nil {
				a.fail("%s: key %q: %v", w.name, d.key, err)
			}
		}
		if w.entries = append(w.entries, e); d.seq != int64(len(w.entries)) {
			a.fail("%s: record %d is sent as number %d", w.name, d.seq, len(w.entries))
		}
	}
}

// compose gives the next n records of an author their values.
func (a *annals) compose(w *author, n int) []draft {
	a.mu.Lock()
	next := int64(len(w.entries))
	a.mu.Unlock()
	drafts := make([]draft, n)
	for i := range drafts {
		next++
		size := smallValue
		if next%32 == 0 {
			size = 16 << 10
		}
		drafts[i] = draft{seq: next, value: payload(w.name, next, size)}
	}
	return drafts
}

// told notes what came of a record's publish, and where it is if that is known.
func (a *annals) told(w *author, seq int64, o outcome, at *flin.Position) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e := &w.entries[seq-1]
	if e.fate = o; o == notDone && e.came {
		a.fail("record %s#%d was refused, and was delivered all the same", w.name, seq)
	}
	if o != done {
		return
	}
	if !e.came {
		a.live++
	}
	if at == nil || at.Offset < 0 {
		return
	}
	if e.wanted >= 0 && int(e.wanted) != at.Partition {
		a.fail("record %s#%d was published to partition %d and is said to be in %d", w.name, seq, e.wanted, at.Partition)
	}
	if e.offset >= 0 && (int(e.partition) != at.Partition || e.offset != at.Offset) {
		a.fail("record %s#%d was delivered at %d of partition %d and is said to be at %d of %d", w.name, seq, e.offset, e.partition, at.Offset, at.Partition)
	}
	e.told, e.partition, e.offset = true, int32(at.Partition), at.Offset
}

// find returns the entry of a record that came, or nil: then it has been told why.
func (a *annals) find(r *flin.Record) (*author, int64, *entry) {
	name, _, _ := strings.Cut(string(r.Value[:min(len(r.Value), 100)]), "|")
	w := a.authors[name]
	if w == nil {
		a.fail("offset %d of partition %d holds %s", r.Offset, r.Partition, brief(r.Value))
		return nil, 0, nil
	}
	seq, whole := seqOf(name, r.Value)
	if !whole || seq < 1 || seq > int64(len(w.entries)) {
		a.fail("offset %d of partition %d holds %s, which nobody has published", r.Offset, r.Partition, brief(r.Value))
		return nil, 0, nil
	}
	e := &w.entries[seq-1]
	switch key := string(r.Key); {
	case e.fate == notDone:
		a.fail("record %s#%d was refused, and is at offset %d of partition %d", name, seq, r.Offset, r.Partition)
	case e.wanted >= 0 && int(e.wanted) != r.Partition:
		a.fail("record %s#%d was published to partition %d and is in %d", name, seq, e.wanted, r.Partition)
	case e.key < 0 && r.Key != nil, e.key >= 0 && key != fmt.Sprintf("key%d", e.key):
		a.fail("record %s#%d has the key %q, not number %d", name, seq, key, e.key)
	case e.offset >= 0 && (int(e.partition) != r.Partition || e.offset != r.Offset):
		a.fail("record %s#%d is at offset %d of partition %d, and at %d of %d", name, seq, e.offset, e.partition, r.Offset, r.Partition)
	default:
		e.partition, e.offset = int32(r.Partition), r.Offset
		return w, seq, e
	}
	return nil, 0, nil
}

// asks returns what is committed at least: who asks for records now must not get any before.
func (a *annals) asks() []int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]int64(nil), a.floors...)
}

// came notes records that came to a member who had asked when so much was committed; floors nil: it may have read them ahead.
func (a *annals) came(who string, list []flin.Record, floors []int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for i := range list {
		r := &list[i]
		if floors != nil && r.Offset < floors[r.Partition] {
			a.fail("%s: record %d of partition %d came, and everything before %d was committed", who, r.Offset, r.Partition, floors[r.Partition])
		}
		if _, _, e := a.find(r); e != nil && !e.came {
			e.came = true
			if e.fate == done {
				a.live--
			}
		}
	}
}

// committed notes that a commit has been acknowledged.
func (a *annals) committed(offsets ...flin.Position) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.commits++
	for _, at := range offsets {
		a.floors[at.Partition] = max(a.floors[at.Partition], at.Offset)
	}
}

// lookedUp notes what is committed, as one goroutine looks it up again and again. floors is what was committed at least before it asked.
func (a *annals) lookedUp(partition int, offset int64, floors []int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if least := max(a.seen[partition], floors[partition]); offset < least {
		a.fail("of partition %d everything before %d was committed, and now it is %d", partition, least, offset)
	}
	a.seen[partition] = max(a.seen[partition], offset)
}

// lost notes that a call of a member was refused since it had lost what it was about.
func (a *annals) lost() {
	a.mu.Lock()
	a.fenced++
	a.mu.Unlock()
}

// crowded reports whether so many records are under way that authors had better wait.
func (a *annals) crowded() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.live > 5000
}

// allCame reports whether every record whose publish was acknowledged has come to a reader.
func (a *annals) allCame() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.live == 0
}
