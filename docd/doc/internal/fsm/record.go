package fsm

import (
	"bytes"
	"cmp"
	"encoding/binary"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/store/keys"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// What is recorded of changes lies in the store as chunks: one for each command that has changed something in a collection that has
// a feed, or several where that is much. A chunk's value is its events, as wire.AppendDocEvent makes them, and its key the place of the
// last of them: so the chunks behind a place begin at the place.

// Place is a place among the changes: behind event Event of revision Rev.
type Place struct{ Rev, Event uint64 }

func (p Place) compare(q Place) int {
	return cmp.Or(cmp.Compare(p.Rev, q.Rev), cmp.Compare(p.Event, q.Event))
}

// Before reports whether the place is before another.
func (p Place) Before(q Place) bool { return p.compare(q) < 0 }

// After returns the place behind all changes of a revision.
func After(rev uint64) Place { return Place{Rev: rev + 1} }

// Passed reports whether the place is behind an event.
func (p Place) Passed(e *wire.DocEvent) bool { return !p.Before(Place{e.Rev, e.Event}) }

func appendPlace(b []byte, p Place) []byte { return keys.Append(b, kindChange, p.Rev, p.Event) }

func readPlace(key []byte) (p Place, err error) {
	rev, rest, err := readNumber(key[1:])
	if err != nil {
		return p, err
	}
	event, rest, err := readNumber(rest)
	if err != nil || len(rest) > 0 {
		return p, errDamaged
	}
	return Place{rev, event}, nil
}

// Chunk is what a command has recorded, or a piece of it. It never changes.
type Chunk struct {
	Last   Place  // that of its last event
	Events []byte // as wire.AppendDocEvent makes them
}

// record is what there is of chunks.
type record struct {
	chunks, bytes uint64
	floor         Place // that of the newest chunk that has been trimmed
	oldest        int64 // when, in ms since 1970, the first chunk was made; never if there is none. It is not stored
}

// chunkHead is a chunk's head: when it was made, and its size, so that trimming reads no events.
func chunkHead(b []byte, time int64, size int) []byte {
	return binary.AppendUvarint(binary.AppendUvarint(b, uint64(time)), uint64(size))
}

func readChunkHead(head []byte) (time int64, size uint64, err error) {
	r := wire.NewReader(head)
	time, size = int64(r.Uvarint()), r.Uvarint()
	if r.Close() != nil {
		return 0, 0, errDamaged
	}
	return time, size, nil
}

func appendRecord(b []byte, r *record) []byte {
	for _, n := range [...]uint64{r.chunks, r.bytes, r.floor.Rev, r.floor.Event} {
		b = binary.AppendUvarint(b, n)
	}
	return b
}

// taking is what a command has recorded until it is committed.
type taking struct {
	events uint64 // so many
	buf    []byte // those that are in no chunk yet
	chunks []Chunk
	record record // as it will be
}

func (k *taking) reset(r record) {
	clear(k.chunks)
	k.events, k.buf, k.chunks, k.record = 0, k.buf[:0], k.chunks[:0], r
	if cap(k.buf) > maxHeld {
		k.buf = nil
	}
}

// note records a change of a collection: now is the document as it is, of is it or, if it is gone, the one that was.
func (t *tx) note(s *stage, kind wire.DocEventKind, of, now bsoncore.Document) {
	k := &t.taking
	k.events++
	e := wire.DocEvent{Kind: kind, Rev: t.c.Revision, Event: k.events, Time: t.c.Time, Name: s.name, Doc: now}
	if of != nil {
		id, _ := value.Get(of, "_id") // each document has one
		t.probe = append(append(t.probe[:0], byte(id.Type)), id.Data...)
		e.ID = t.probe
	}
	if k.buf = wire.AppendDocEvent(k.buf, &e); len(k.buf) >= chunkBytes {
		t.cut()
	}
}

// noteWrite records that now has come into the place of old. Either may be nil.
func (t *tx) noteWrite(s *stage, old, now bsoncore.Document) {
	switch {
	case old == nil:
		t.note(s, wire.DocEventInsert, now, now)
	case now == nil:
		t.note(s, wire.DocEventDelete, old, nil)
	default:
		t.note(s, wire.DocEventUpdate, now, now)
	}
}

// cut makes a chunk of the events that are in none.
func (t *tx) cut() {
	k := &t.taking
	if len(k.buf) == 0 {
		return
	}
	c := Chunk{Last: Place{t.c.Revision, k.events}, Events: bytes.Clone(k.buf)}
	k.buf = k.buf[:0]
	k.chunks = append(k.chunks, c)
	k.record.chunks++
	k.record.bytes += uint64(len(c.Events))
	k.record.oldest = min(k.record.oldest, t.c.Time)
	t.key = appendPlace(t.key[:0], c.Last)
	t.probe = chunkHead(t.probe[:0], t.c.Time, len(c.Events))
	t.set(t.key, t.probe, c.Events)
}

// putRecord writes what there will be of chunks, if that has changed.
func (t *tx) putRecord() {
	t.cut()
	if t.taking.record != t.m.record {
		t.probe = appendRecord(t.probe[:0], &t.taking.record)
		t.b.Set([]byte{kindRecord}, t.probe, nil)
	}
}

// publishRecord makes known what has been recorded. Under mu.
func (m *Machine) publishRecord(k *taking) {
	if k.record == m.record {
		return
	}
	m.record, m.recorded = k.record, true
	for _, c := range k.chunks {
		m.recent.add(c)
	}
}

func (l *loader) record(key []byte, v store.Value) error {
	r := wire.NewReader(v.Head)
	l.m.record = record{chunks: r.Uvarint(), bytes: r.Uvarint(), floor: Place{r.Uvarint(), r.Uvarint()}, oldest: never}
	if r.Close() != nil || len(key) != 1 {
		return errDamaged
	}
	return nil
}

// firstChunk finds out when the first chunk was made.
func (l *loader) firstChunk(v *store.View) error {
	var failed error
	err := v.Iterate([]byte{kindChange}, []byte{kindChange + 1}, store.IterOptions{HeadsOnly: true}, func(_ []byte, v store.Value) bool {
		l.m.record.oldest, _, failed = readChunkHead(v.Head)
		return false
	})
	return cmp.Or(err, failed)
}
