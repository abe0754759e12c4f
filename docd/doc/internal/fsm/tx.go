package fsm

import (
	"bytes"
	"slices"
	"sync/atomic"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/store/keys"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// tx is what one command does until it is committed: in the store's batch, which nobody sees, and what memory will have then.
// There is one, which is used again and again.
type tx struct {
	m      *Machine
	c      *replica.Command
	b      *store.Batch
	stages []*stage
	spare  []*stage
	trash  [][]byte // keys of what is put aside
	made   uint64   // numbers that the command has given out
	added  int      // collections
	keys   int      // written
	bytes  int      // of the key tree
	bodies int      // bytes of documents, and of what is recorded of their changes

	before, behind keyList // of a document as it was and as it will be
	plan           []change
	marks          []mark
	arena          []byte // of plan's keys
	keyer          value.Keyer
	id, key, probe []byte
	doc, other     []byte // what is read from the store
	programs       []program
	targets        []*stage // by DocApply.Targets; nil: not wanted yet
	returns        wire.DocReturn
	returned       []byte // the document that returns asks for
	vacated        bool   // entries of unique indexes have gone before those who had them were written: see vacate
	taking         taking
}

// stage is a collection that the command concerns.
type stage struct {
	was     *Collection // nil: it was not there
	now     *Collection // nil: it is not there, or not any more
	name    wire.DocName
	docs    int64
	bytes   int64
	entries []int64 // of now.Indexes
	due     []int64 // likewise: of TTL indexes, when the first document that was written is due
	sized   bool    // one of the numbers has changed
	feeds   bool    // changes are recorded
}

// begin begins a command.
func (m *Machine) begin(c *replica.Command) *tx {
	t := &m.tx
	t.end()
	t.m, t.c, t.b = m, c, m.st.Begin()
	t.taking.reset(m.record)
	if t.other == nil {
		t.other = make([]byte, 0, 1024)
	}
	return t
}

// end gives up what the command has not committed.
func (t *tx) end() {
	for _, s := range t.stages {
		*s = stage{entries: s.entries[:0], due: s.due[:0]}
	}
	t.spare = append(t.spare, t.stages...)
	clear(t.trash)
	clear(t.programs)
	clear(t.targets)
	t.stages, t.trash, t.programs, t.targets = t.stages[:0], t.trash[:0], t.programs[:0], t.targets[:0]
	t.made, t.added, t.keys, t.bytes, t.bodies, t.returned, t.vacated = 0, 0, 0, 0, 0, nil, false
	t.taking.reset(record{})
	if t.b != nil {
		t.b.Discard()
	}
	if cap(t.arena)+cap(t.doc)+cap(t.other) > maxHeld {
		t.arena, t.doc, t.other, t.before, t.behind, t.keyer = nil, nil, nil, keyList{}, keyList{}, value.Keyer{}
	}
}

// number returns one that no collection and no index has had.
func (t *tx) number() uint64 {
	t.made++
	return t.c.Revision<<10 | (t.made - 1)
}

// stage returns a collection for this command; its now is nil if it is not there.
func (t *tx) stage(n *wire.DocName) *stage {
	for _, s := range t.stages {
		if bytes.Equal(s.name.DB, n.DB) && bytes.Equal(s.name.Coll, n.Coll) {
			return s
		}
	}
	var s *stage
	if k := len(t.spare); k > 0 {
		s, t.spare = t.spare[k-1], t.spare[:k-1]
	} else {
		s = new(stage)
	}
	s.name, s.feeds = *n, t.m.feeds.covers(n)
	if c := t.m.databases[string(n.DB)][string(n.Coll)]; c != nil {
		s.was, s.now = c, c
		s.docs, s.bytes = c.Documents(), c.Bytes()
		for _, ix := range c.Indexes {
			s.entries, s.due = append(s.entries, ix.Entries()), append(s.due, never)
		}
	}
	t.stages = append(t.stages, s)
	return s
}

// create makes a collection that is not there.
func (t *tx) create(s *stage) error {
	if t.m.collections+t.added >= wire.MaxDocCollections {
		return errTooMany("collections", wire.MaxDocCollections)
	}
	t.added++
	c := &Collection{DB: string(s.name.DB), Name: string(s.name.Coll), ID: t.number(), Created: t.c.Time, documents: new(atomic.Int64), bytes: new(atomic.Int64)}
	s.now, s.sized = c, true
	t.key = appendNameKey(t.key[:0], c.DB, c.Name)
	t.probe = appendCollection(t.probe[:0], c)
	t.set(t.key, t.probe, nil)
	return nil
}

// alter changes what is known of an index: in a copy of the collection, since readers have the one that was.
func (t *tx) alter(s *stage, place int, fn func(ix *Index)) {
	c := *s.now
	c.Indexes = slices.Clone(c.Indexes)
	c.Indexes[place] = c.Indexes[place].clone()
	fn(c.Indexes[place])
	s.now = &c
	t.writeIndex(&c, c.Indexes[place])
}

func (t *tx) writeIndex(c *Collection, ix *Index) {
	t.key = keys.Append(t.key[:0], kindIndex, c.ID, ix.ID)
	t.set(t.key, nil, appendIndex(nil, ix))
}

// discard puts keys aside for OpDocCollect: the documents of a collection, or the entries of an index.
func (t *tx) discard(kind byte, number uint64) {
	key := keys.Append([]byte{kindTrash}, kind, number)
	t.trash = append(t.trash, key)
	t.set(key, nil, nil)
}

// set and remove write to the batch, and count. body must not change any more.
func (t *tx) set(key, head, body []byte) {
	t.keys++
	t.bytes += len(key) + len(head) + inTree(len(body))
	t.b.Set(key, head, body)
}

func (t *tx) remove(key []byte) {
	t.keys++
	t.bytes += len(key) + perKey
	t.b.Delete(key)
}

const perKey = 16 // bytes that a key costs in the tree beside itself

// inTree is what a body of n bytes adds to the key tree: long ones go elsewhere.
func inTree(n int) int {
	if n > 512 {
		return perKey + 16
	}
	return perKey + n
}

// commit makes the command visible, in the store and in memory. All that it has read was read by then.
func (t *tx) commit() {
	m := t.m
	for _, s := range t.stages {
		if s.now == nil || !s.sized {
			continue
		}
		var key [prefixSize]byte
		t.probe = appendSize(t.probe[:0], s.docs, s.bytes, s.entries)
		if len(t.probe) <= store.MaxHead {
			t.b.Set(keys.Append(key[:0], kindSize, s.now.ID), t.probe, nil)
		} else {
			t.b.Set(keys.Append(key[:0], kindSize, s.now.ID), nil, bytes.Clone(t.probe))
		}
	}
	t.putRecord()
	m.mu.Lock()
	t.b.Commit()
	m.publishRecord(&t.taking)
	for _, s := range t.stages {
		m.publish(s)
	}
	for _, key := range t.trash {
		m.addTrash(key, nil)
	}
	m.mu.Unlock()
}
