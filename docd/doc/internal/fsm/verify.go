package fsm

import (
	"bytes"
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/store/keys"
)

// Verify compares each document with the entries of its indexes and each entry with its document, and the counts with what is
// there. It reads everything, and returns all that it has found, up to a bound. Nothing but OpDocCollect may be applied meanwhile.
func (m *Machine) Verify() error {
	v := &verifier{m: m, known: map[uint64]bool{}, trashed: map[uint64]bool{}}
	v.tx.m = m
	m.mu.RLock()
	list := m.sorted("")
	for _, t := range m.trash {
		if n, _, err := readNumber(t.key[2:]); err == nil {
			v.known[n], v.trashed[n] = true, true
		}
	}
	m.mu.RUnlock()
	v.view = m.st.View() // after it is known what was put aside: some of that may have gone by now
	defer v.view.Close()
	for _, c := range list {
		v.known[c.ID] = true
		v.collection(c)
	}
	v.orphans()
	v.changes()
	return errors.Join(v.found...)
}

// maxFound bounds what a Verify tells.
const maxFound = 100

type verifier struct {
	m       *Machine
	view    *store.View
	tx      tx // for its way of listing keys
	known   map[uint64]bool
	trashed map[uint64]bool // numbers whose keys were put aside when the verifier began
	found   []error
}

func (v *verifier) say(format string, args ...any) {
	if len(v.found) < maxFound {
		v.found = append(v.found, fmt.Errorf("verify: "+format, args...))
	}
}

// collection looks for the entries of each document. If there are all of them, and no more in number than there are, there are no
// others.
func (v *verifier) collection(c *Collection) {
	r := Reader{Collection: c, view: v.view}
	var docs, size int64
	want := make([]int64, len(c.Indexes))
	err := r.Scan(nil, nil, false, func(id []byte, doc bsoncore.Document, _ uint64) bool {
		docs++
		size += int64(len(doc))
		v.document(c, id, doc, want)
		return len(v.found) < maxFound
	})
	if err != nil {
		v.say("collection %s.%s: %w", c.DB, c.Name, err)
		return
	}
	if docs != c.Documents() || size != c.Bytes() {
		v.say("collection %s.%s has %d documents of %d bytes, and counts %d of %d", c.DB, c.Name, docs, size, c.Documents(), c.Bytes())
	}
	for i, ix := range c.Indexes {
		v.known[ix.ID] = true
		have, err := r.Count(ix, nil, nil, int(never))
		switch {
		case err != nil:
			v.say("index %s of %s.%s: %w", ix.Name, c.DB, c.Name, err)
		case ix.Entries() != want[i], !v.trashed[ix.ID] && int64(have) != want[i]:
			v.say("index %s of %s.%s has %d entries and counts %d, the documents give %d", ix.Name, c.DB, c.Name, have, ix.Entries(), want[i])
		}
	}
}

// document looks for the entries of a document.
func (v *verifier) document(c *Collection, id []byte, doc bsoncore.Document, want []int64) {
	if of, ok := value.Get(doc, "_id"); !ok || !bytes.Equal(AppendID(nil, of), id) {
		v.say("a document of %s.%s is under the key of another _id than %s", c.DB, c.Name, value.Text(of))
	}
	t := &v.tx
	t.id = append(t.id[:0], id...)
	for i, ix := range c.Indexes {
		if !ix.keeps(id) {
			continue
		}
		t.behind.reset()
		multikey, err := t.keysOf(ix, doc, &t.behind)
		if err != nil || multikey && !ix.Multikey {
			v.say("index %s of %s.%s cannot have document %x (multikey %v): %w", ix.Name, c.DB, c.Name, id, ix.Multikey, err)
			continue
		}
		want[i] += int64(t.behind.len())
		for k := range t.behind.len() {
			v.entry(c, ix, t.behind.at(k), id)
		}
	}
}

func (v *verifier) entry(c *Collection, ix *Index, indexKey, id []byte) {
	key := append(keys.Append(nil, kindEntry, ix.ID), indexKey...)
	if !ix.Unique() {
		key = append(key, id...)
	}
	val, ok, err := v.view.Get(key, nil)
	switch {
	case err != nil:
		v.say("index %s of %s.%s: %w", ix.Name, c.DB, c.Name, err)
		return
	case !ok:
		v.say("index %s of %s.%s lacks the key %x of document %x", ix.Name, c.DB, c.Name, indexKey, id)
		return
	}
	if k, of, err := ix.split(key, val); err != nil || !bytes.Equal(of, id) || !bytes.Equal(k, indexKey) {
		v.say("index %s of %s.%s has the key %x for document %x, which is that of %x", ix.Name, c.DB, c.Name, indexKey, of, id)
	}
}

// orphans looks for documents and entries of collections and indexes that are neither there nor put aside.
func (v *verifier) orphans() {
	for _, kind := range [...]byte{kindDocument, kindEntry} {
		for at := []byte{kind}; at != nil; {
			var next []byte
			err := v.view.Iterate(at, []byte{kind + 1}, store.IterOptions{HeadsOnly: true}, func(key []byte, _ store.Value) bool {
				n, _, err := readNumber(key[1:])
				if err != nil || !v.known[n] {
					v.say("the key %x belongs to nothing that is there", key)
				}
				if err == nil {
					next = keys.After(keys.Append(nil, kind, n))
				}
				return false
			})
			if err != nil {
				v.say("reading keys: %w", err)
			}
			at = next
		}
	}
}
