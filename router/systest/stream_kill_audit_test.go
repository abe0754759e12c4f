package systest

import (
	"maps"
	"slices"
	"testing"

	"github.com/skshohagmiah/flin/clients/go"
)

// audit looks at a log that is read whole, record by record, when all is over.
type audit struct {
	*annals
	next    []int64            // by partition: the offset that comes next
	last    []map[string]int64 // by partition: the last record of each author
	keys    map[int32]int      // where the records of a key are
	batches map[int32]*stretch // of records that were published together to one partition
}

// stretch is how many records of a batch are there, and from where to where.
type stretch struct {
	n           int
	first, last int64
}

func (a *annals) newAudit() *audit {
	au := &audit{annals: a, next: make([]int64, a.partitions), keys: map[int32]int{}, batches: map[int32]*stretch{}}
	for range a.partitions {
		au.last = append(au.last, map[string]int64{})
	}
	return au
}

// visit takes the next record of a partition.
func (au *audit) visit(partition int, r *flin.Record) {
	au.mu.Lock()
	defer au.mu.Unlock()
	if r.Offset != au.next[partition] || r.Partition != partition {
		au.fail("record %d of partition %d says that it is %d of %d", au.next[partition], partition, r.Offset, r.Partition)
	}
	au.next[partition]++
	w, seq, e := au.find(r)
	if e == nil {
		return
	}
	e.stored = true
	if last := au.last[partition][w.name]; seq <= last {
		au.fail("in partition %d record %s#%d lies behind #%d", partition, w.name, seq, last)
	}
	au.last[partition][w.name] = seq
	if e.key >= 0 {
		if at, known := au.keys[e.key]; known && at != partition {
			au.fail("records of key %d are in partitions %d and %d", e.key, at, partition)
		}
		au.keys[e.key] = partition
	}
	if b := au.batches[e.batch]; b != nil {
		b.n, b.last = b.n+1, r.Offset
	} else if e.batch > 0 {
		au.batches[e.batch] = &stretch{1, r.Offset, r.Offset}
	}
	if !e.came {
		au.fail("record %s#%d, at %d of partition %d, came to no reader", w.name, seq, r.Offset, partition)
	}
}

// end says what is missing.
func (au *audit) end() {
	au.mu.Lock()
	defer au.mu.Unlock()
	size := map[int32]int{}
	for _, name := range slices.Sorted(maps.Keys(au.authors)) {
		w, missing := au.authors[name], 0
		for i := range w.entries {
			e := &w.entries[i]
			if e.batch > 0 {
				size[e.batch]++
			}
			if e.fate != done || e.stored {
				continue
			}
			if missing++; missing == 1 {
				au.fail("the publish of record %s#%d was acknowledged (offset %d of partition %d), and it is not there", name, i+1, e.offset, e.partition)
			}
		}
		if missing > 1 {
			au.fail("%d acknowledged records of %s are not there", missing, name)
		}
	}
	for id, b := range au.batches {
		if b.n != size[id] || b.last-b.first != int64(b.n-1) {
			au.fail("of %d records that were published together %d are there, at %d to %d", size[id], b.n, b.first, b.last)
		}
	}
}

// report says what a run has seen, and fails one that has seen nothing.
func (a *annals) report(t *testing.T) {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	published, lost := 0, 0
	for _, w := range a.authors {
		had := 0
		for i := range w.entries {
			switch w.entries[i].fate {
			case done:
				had++
			case unknown:
				lost++
			case notDone:
			}
		}
		if had == 0 {
			t.Errorf("%s had no record acknowledged", w.name)
		}
		published += had
	}
	t.Logf("%d records acknowledged, %d without an answer; %d commits acknowledged, %d calls of members that had lost what they asked for", published, lost, a.commits, a.fenced)
	if published == 0 || a.commits == 0 || a.fenced == 0 {
		t.Error("some kind of thing never happened")
	}
}
