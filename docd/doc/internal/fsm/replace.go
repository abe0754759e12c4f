package fsm

import (
	"encoding/binary"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/pkg/store/keys"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// lookUp returns the document whose key of the _id is t.id, nil if there is none, and its version. It is valid until the next.
func (t *tx) lookUp(s *stage) (doc bsoncore.Document, version uint64, err error) {
	if s.now == nil || len(t.id) > wire.MaxDocID {
		return nil, 0, nil
	}
	t.key = append(keys.Append(t.key[:0], kindDocument, s.now.ID), t.id...)
	v, ok, err := t.b.Get(t.key, t.doc)
	if err != nil {
		return nil, 0, fmt.Errorf("reading a document: %w", err)
	}
	if !ok {
		return nil, 0, nil
	}
	if len(v.Body) > cap(t.doc) && len(v.Body) < maxHeld/2 {
		t.doc = make([]byte, 0, 2*len(v.Body))
	}
	version, err = decodeVersion(v.Head)
	return v.Body, version, err
}

func decodeVersion(head []byte) (uint64, error) {
	v, n := binary.Uvarint(head)
	if n <= 0 || n != len(head) {
		return 0, errDamaged
	}
	return v, nil
}

// replace puts now in the place of old, either of which may be nil, under the key of the _id t.id: the document, and what changes
// in the indexes. It changes nothing if it fails with an answer, unless that is errLarge. now must not change any more.
func (t *tx) replace(s *stage, old, now bsoncore.Document) error {
	t.plan, t.arena, t.marks = t.plan[:0], t.arena[:0], t.marks[:0]
	for place, ix := range s.now.Indexes {
		if !ix.keeps(t.id) {
			continue
		}
		err := t.planIndex(s, place, old, now)
		if err == nil {
			continue
		}
		e, ok := answerOf(err)
		if !ok || ix.Ready() {
			return err
		}
		t.marks = append(t.marks, mark{place: place, failed: e})
	}
	made := len(now)
	if s.feeds {
		made *= 2
	}
	if t.tooLarge(now == nil) || t.bodies > 0 && t.bodies+made > maxBodies {
		return errLarge
	}
	if err := t.write(s); err != nil {
		return err
	}
	t.bodies += made
	t.key = append(keys.Append(t.key[:0], kindDocument, s.now.ID), t.id...)
	s.sized = true
	s.bytes += int64(len(now) - len(old))
	if old == nil {
		s.docs++
	}
	if now == nil {
		s.docs--
		t.remove(t.key)
	} else {
		var head [binary.MaxVarintLen64]byte
		t.set(t.key, binary.AppendUvarint(head[:0], t.c.Revision), now)
	}
	if s.feeds {
		t.noteWrite(s, old, now)
	}
	return nil
}

// tooLarge reports whether the plan and a document more are more than a command may write. What only removes may, if it is alone:
// it has to go in some way.
func (t *tx) tooLarge(removes bool) bool {
	keys, size := t.keys+len(t.plan)+2, t.bytes+len(t.arena)+perKey*len(t.plan)+2*(perKey+512)
	if keys <= wire.MaxBatchKeys && size <= wire.MaxBatchLSM {
		return false
	}
	return !removes || t.keys > 0
}

// maxBodies bounds the bytes of documents that one command makes, unless it is a single one: an update that is small itself can make
// many documents large.
const maxBodies = 32 << 20

// write carries the plan out.
func (t *tx) write(s *stage) error {
	for i := range t.marks {
		k := &t.marks[i]
		switch {
		case k.failed != nil:
			t.fail(s, k.place, k.failed)
		case k.multikey:
			t.alter(s, k.place, func(ix *Index) { ix.Multikey = true })
		}
		s.due[k.place] = min(s.due[k.place], k.due)
	}
	var held []byte
	for _, p := range t.plan {
		ix, key := s.now.Indexes[p.place], t.arena[p.from:p.to]
		if p.dead {
			s.entries[p.place]--
			taken, err := t.taken(ix, key)
			if err != nil {
				return err
			}
			if !taken {
				t.remove(key)
			}
			continue
		}
		var head, body []byte
		head, body, held = t.entryValue(ix, held)
		t.set(key, head, body)
		s.entries[p.place]++
	}
	return nil
}

// fail ends the build of an index: it is not kept up any more, and what there is of it goes.
func (t *tx) fail(s *stage, place int, reason *wire.Error) {
	t.alter(s, place, func(ix *Index) {
		ix.State, ix.Reason, ix.cursor, ix.Multikey = wire.DocIndexFailed, reason.Msg, nil, false
		ix.code, ix.sub = reason.Code, reason.Sub
	})
	t.discard(kindEntry, s.now.Indexes[place].ID)
	s.entries[place], s.due[place], s.sized = 0, never, true
}
