package fsm

import (
	"bytes"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/pkg/store/keys"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// A command that is all or nothing may hand a key of a unique index from one document to another: what counts is how documents are in
// the end. So the keys that documents give up are taken away before the first of them is written.

// vacate takes the entries of unique indexes away that an atomic command's documents give up. at is the write that an error is due to.
func (t *tx) vacate(a *wire.DocApply) (at int, err error) {
	puts := 0
	for i := range a.Changes {
		if a.Changes[i].Kind == wire.DocChangePut {
			puts++
		}
	}
	if a.Mode != wire.DocAtomic || puts < 2 {
		return 0, nil // removals come first anyhow
	}
	for i := range a.Changes {
		if err := t.vacateOne(a, &a.Changes[i]); err != nil {
			return i, err
		}
	}
	return 0, nil
}

func (t *tx) vacateOne(a *wire.DocApply, ch *wire.DocChange) error {
	if ch.Kind != wire.DocChangePut || len(ch.ID) == 0 {
		return nil
	}
	s := t.target(a, ch)
	if s.now == nil || !slices.ContainsFunc(s.now.Indexes, (*Index).Unique) {
		return nil
	}
	t.id = AppendID(t.id[:0], bsoncore.Value{Type: bsoncore.Type(ch.ID[0]), Data: ch.ID[1:]})
	old, version, err := t.lookUp(s)
	if err != nil || old == nil || version != ch.Version {
		return err // what is wrong is said when its turn comes
	}
	for _, ix := range s.now.Indexes {
		if !ix.Unique() || !ix.keeps(t.id) || ix.untouched(old, ch.Doc) {
			continue
		}
		if err := t.vacateIndex(ix, old, ch.Doc); err != nil {
			return err
		}
	}
	return nil
}

// vacateIndex takes away what the document t.id has in an index and will not have.
func (t *tx) vacateIndex(ix *Index, old, now bsoncore.Document) error {
	t.before.reset()
	t.behind.reset()
	if _, err := t.keysOf(ix, old, &t.before); err != nil {
		return err
	}
	if _, err := t.keysOf(ix, now, &t.behind); err != nil {
		if _, ok := answerOf(err); ok {
			return nil // it is said when the document's turn comes
		}
		return err
	}
	for i := range t.before.len() {
		key := t.before.at(i)
		if !t.behind.has(key) {
			t.vacated = true
			t.b.Delete(append(keys.Append(nil, kindEntry, ix.ID), key...))
		}
	}
	return nil
}

// taken reports whether an entry of a unique index that the document t.id gives up is another's by now.
func (t *tx) taken(ix *Index, entry []byte) (bool, error) {
	if !t.vacated || !ix.Unique() {
		return false, nil
	}
	v, there, err := t.b.Get(entry, t.other)
	if err != nil {
		return false, fmt.Errorf("reading an index: %w", err)
	}
	return there && !bytes.Equal(entryID(v), t.id), nil
}

// has reports whether a key is in a list.
func (l *keyList) has(key []byte) bool {
	for i := range l.len() {
		if bytes.Equal(l.at(i), key) {
			return true
		}
	}
	return false
}
