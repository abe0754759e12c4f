package fsm

import (
	"crypto/sha256"
	"encoding/binary"

	"github.com/skshohagmiah/flin/pkg/store/keys"
)

// dedupID stands for a dedup id: the first half of its SHA-256.
type dedupID [16]byte

const dedupRecord = 16 + 8 // bytes of a remembered id: itself and the message's

func newDedupID(id []byte) (d dedupID) {
	sum := sha256.Sum256(id)
	copy(d[:], sum[:])
	return d
}

// dedup is what a queue remembers of dedup ids: in buckets by time, which are forgotten whole.
type dedup struct {
	buckets []*bucket // oldest first
	count   int
	fresh   []byte // records of this entry, behind the end of their bucket
	from    uint64 // buckets that began before are forgotten
}

// bucket has the ids of [start, end).
type bucket struct {
	start, end int64
	ids        map[dedupID]uint64
}

// find returns the message that was pushed with the id first.
func (d *dedup) find(id dedupID) (uint64, bool) {
	for i := len(d.buckets) - 1; i >= 0; i-- {
		if msg, ok := d.buckets[i].ids[id]; ok {
			return msg, true
		}
	}
	return 0, false
}

// add remembers an id.
func (m *Machine) remember(q *queue, id dedupID, message uint64) {
	d := &q.dedup
	var b *bucket
	if n := len(d.buckets); n > 0 {
		b = d.buckets[n-1]
	}
	if b == nil || b.end <= m.now {
		b = &bucket{start: m.now, end: m.now + max(int64(q.set.Window)/10, 1000), ids: map[dedupID]uint64{}}
		d.buckets = append(d.buckets, b)
		m.alarms.Push(alarm{at: b.end + int64(q.set.Window), qid: q.qid})
	}
	if len(d.fresh) == 0 {
		d.fresh = binary.BigEndian.AppendUint64(d.fresh, uint64(b.end))
	}
	d.fresh = append(d.fresh, id[:]...)
	d.fresh = binary.BigEndian.AppendUint64(d.fresh, message)
	b.ids[id] = message
	d.count++
}

// forget drops the buckets whose window is over. It returns how many those were.
func (m *Machine) forget(q *queue) int {
	d, n := &q.dedup, 0
	for len(d.buckets) > n && d.buckets[n].end+int64(q.set.Window) <= m.now {
		b := d.buckets[n]
		m.discard(keys.Append(nil, kindTrash, q.qid, uint64(b.start)))
		d.count -= len(b.ids)
		d.from = uint64(b.start) + 1
		n++
	}
	if n > 0 {
		d.buckets = append([]*bucket(nil), d.buckets[n:]...)
		m.touchQueue(q)
	}
	if len(d.buckets) > 0 {
		m.alarms.Push(alarm{at: d.buckets[0].end + int64(q.set.Window), qid: q.qid})
	}
	return n
}

// load takes back what an entry remembered.
func (d *dedup) load(start int64, p []byte) error {
	if uint64(start) < d.from {
		return nil
	}
	if len(p) < 8 || (len(p)-8)%dedupRecord != 0 {
		return errDamaged
	}
	end := int64(binary.BigEndian.Uint64(p))
	var b *bucket
	if n := len(d.buckets); n > 0 && d.buckets[n-1].start == start {
		b = d.buckets[n-1]
	} else {
		b = &bucket{start: start, end: end, ids: map[dedupID]uint64{}}
		d.buckets = append(d.buckets, b)
	}
	for p = p[8:]; len(p) > 0; p = p[dedupRecord:] {
		b.ids[dedupID(p[:16])] = binary.BigEndian.Uint64(p[16:])
		d.count++
	}
	return nil
}
