package fsm

import (
	"slices"
	"sync"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// segmentSize is how many bytes of events share a piece of memory.
const segmentSize = 256 << 10

// Ring keeps the newest changes, up to a number of bytes, as encoded events in the order of their revisions. One goroutine
// adds; any may read. What has been added becomes readable by Publish, whole entries at a time.
//
// A place in the ring is an offset: how many bytes of events there were before it since the ring began.
type Ring struct {
	limit  int64
	notify func() // called by Publish when there is something new; must not block

	// Of the goroutine that adds.
	cur   *segment
	added bool

	mu    sync.Mutex // guards everything below, and in segments what readers see
	segs  []*segment // oldest first
	floor uint64     // events of revisions up to this one may be gone
	rev   uint64     // everything up to here is published
	spare []byte     // memory of a segment that went
}

// segment is a piece of the ring.
type segment struct {
	base int64  // the offset of its first byte
	data []byte // its memory, all of it
	used int    // bytes with events; of the goroutine that adds
	last uint64 // revision of the last event; of the goroutine that adds
	seen int    // bytes published
	rev  uint64 // last, published
	pins int    // readers that hold it
}

// NewRing returns a ring of limit bytes, at least one segment. notify may be nil.
func NewRing(limit int64, notify func()) *Ring {
	return &Ring{limit: max(limit, segmentSize), notify: notify}
}

// Add adds an event of the command that was just committed.
func (r *Ring) Add(e *wire.KVEvent) {
	most := 48 + len(e.Key) + len(e.Value) // numbers and lengths take less than 48 bytes
	if r.cur == nil || len(r.cur.data)-r.cur.used < most {
		r.grow(most)
	}
	c := r.cur
	c.used = len(wire.AppendKVEvent(c.data[:c.used], e))
	c.last, r.added = e.Rev, true
}

// grow begins a segment with room for n bytes and lets the oldest go.
func (r *Ring) grow(n int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := &segment{}
	if r.cur != nil {
		next.base = r.cur.base + int64(r.cur.used)
	}
	total := int64(max(n, segmentSize))
	for _, s := range r.segs {
		total += int64(len(s.data))
	}
	for len(r.segs) > 0 && total > r.limit {
		old := r.segs[0]
		total -= int64(len(old.data))
		r.floor = max(r.floor, old.last)
		r.segs = slices.Delete(r.segs, 0, 1)
		if old.pins == 0 && len(old.data) == segmentSize {
			r.spare = old.data
		}
	}
	if n <= segmentSize && r.spare != nil {
		next.data, r.spare = r.spare, nil
	} else {
		next.data = make([]byte, max(n, segmentSize))
	}
	r.cur = next
	r.segs = append(r.segs, next)
}

// Publish makes everything that was added readable: it is whole up to revision rev.
func (r *Ring) Publish(rev uint64) {
	r.mu.Lock()
	r.rev = max(r.rev, rev)
	if r.added {
		for i := len(r.segs) - 1; i >= 0; i-- {
			s := r.segs[i]
			if s.seen == s.used {
				break
			}
			s.seen, s.rev = s.used, s.last
		}
	}
	r.mu.Unlock()
	if r.added && r.notify != nil {
		r.notify()
	}
	r.added = false
}

// Reset forgets all events. What was added is whole up to revision rev, and gone.
func (r *Ring) Reset(rev uint64) {
	r.mu.Lock()
	// One byte is left out, so that no place in the ring as it was is a place in the ring as it is.
	base := int64(1)
	if r.cur != nil {
		base += r.cur.base + int64(r.cur.used)
	}
	r.cur = &segment{base: base}
	r.segs, r.spare = nil, nil
	r.floor, r.rev = max(rev, r.floor), max(rev, r.rev)
	r.mu.Unlock()
	r.added = false
	if r.notify != nil {
		r.notify()
	}
}

// Seek returns the place of the first event of revision from or later, 0 meaning what comes next, and the last revision
// before what is read from there. ok is false if events from there on have gone.
func (r *Ring) Seek(from uint64) (at int64, before uint64, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if from == 0 || from > r.rev {
		return r.end(), r.rev, true
	}
	if from <= r.floor {
		return 0, 0, false
	}
	for _, s := range r.segs {
		if s.seen > 0 && s.rev >= from {
			return s.base, from - 1, true
		}
	}
	return r.end(), r.rev, true
}

// end is the place behind what is published. Under mu.
func (r *Ring) end() int64 {
	for i := len(r.segs) - 1; i >= 0; i-- {
		if s := r.segs[i]; s.seen > 0 || i == 0 {
			return s.base + int64(s.seen)
		}
	}
	if r.cur != nil {
		return r.cur.base
	}
	return 0
}

// Span is a run of published events that stays in memory until it is given back.
type Span struct {
	Events []byte
	Rev    uint64 // everything up to here is published, and in the ring up to the span's end or behind it
	Last   bool   // nothing is published behind it
	seg    *segment
}

// Read returns the events from the place at on; there may be none. ok is false if they have gone. The span is to be given
// back by Release.
func (r *Ring) Read(at int64) (s Span, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := len(r.segs) - 1; i >= 0; i-- {
		seg := r.segs[i]
		if at < seg.base || at == seg.base && seg.seen == 0 && i > 0 {
			continue
		}
		off := at - seg.base
		if off > int64(seg.seen) {
			return Span{}, false
		}
		seg.pins++
		last := i == len(r.segs)-1 || r.segs[i+1].seen == 0
		return Span{Events: seg.data[off:seg.seen], Rev: r.rev, Last: last, seg: seg}, true
	}
	if at == r.end() {
		return Span{Rev: r.rev, Last: true}, true
	}
	return Span{}, false
}

// Release gives a span back.
func (r *Ring) Release(s Span) {
	if s.seg != nil {
		r.mu.Lock()
		s.seg.pins--
		r.mu.Unlock()
	}
}

// Stats returns the bytes that the ring holds and the first revision from which on it is whole.
func (r *Ring) Stats() (bytes int64, from uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.segs {
		bytes += int64(len(s.data))
	}
	return bytes, r.floor + 1
}
