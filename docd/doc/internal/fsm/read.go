package fsm

import (
	"cmp"
	"slices"
	"strings"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Read answers an operation of kind Read. The payload has been checked. Any goroutine may call it; body is on loan. The answer's
// Body is in buf, or in new memory.
func (m *Machine) Read(op wire.Op, body, buf []byte) wire.Response {
	r := &ops[byte(op)]
	if KindOf(op) != Read {
		return wire.Failf(wire.Unsupported, "operation %v is no read", op)
	}
	p := m.pool.Get().(*payloads) //nolint:forcetypeassert // the pool holds nothing else
	defer m.pool.Put(p)
	err := r.check(p, body)
	var ans wire.Response
	if err == nil {
		ans, err = r.read(m, p, buf)
	}
	if err != nil {
		return wire.Fail(WireError(err))
	}
	return ans
}

// sorted returns the collections of a database, or with an empty name all, in the order of their names.
func (m *Machine) sorted(db string) []*Collection {
	var list []*Collection
	if db != "" {
		for _, c := range m.databases[db] {
			list = append(list, c)
		}
	} else {
		m.each(func(c *Collection) { list = append(list, c) })
	}
	slices.SortFunc(list, func(a, b *Collection) int {
		return cmp.Or(strings.Compare(a.DB, b.DB), strings.Compare(a.Name, b.Name))
	})
	return list
}

const defaultLimit = 100

// listCollections serves OpDocCollections.
func listCollections(m *Machine, p *payloads, buf []byte) (ans wire.Response, err error) {
	limit := int(p.list.Limit)
	if limit == 0 {
		limit = defaultLimit
	}
	m.mu.RLock()
	list := m.sorted(string(p.list.DB))
	m.mu.RUnlock()
	db, name := string(p.list.After.DB), string(p.list.After.Coll)
	n := 0
	for _, c := range list {
		if cmp.Or(strings.Compare(c.DB, db), strings.Compare(c.Name, name)) <= 0 {
			continue
		}
		if n == limit {
			ans.Num = 1
			break
		}
		n++
		buf = appendInfo(buf, c)
	}
	ans.Body = buf
	return ans, nil
}

func appendInfo(b []byte, c *Collection) []byte {
	return wire.AppendDocCollectionInfo(b, &wire.DocCollectionInfo{
		Name: wire.DocName{DB: []byte(c.DB), Coll: []byte(c.Name)}, ID: c.ID, Created: c.Created,
		Documents: uint64(c.Documents()), Bytes: uint64(c.Bytes()), Indexes: uint64(len(c.Indexes)),
	})
}

func appendIndexes(b []byte, c *Collection) []byte {
	n := uint64(c.Documents())
	b = wire.AppendDocIndexInfo(b, &wire.DocIndexInfo{
		Spec:    wire.DocIndexSpec{Name: []byte(idIndex), Fields: []wire.DocIndexField{{Path: []byte("_id")}}, Flags: wire.DocIndexUnique},
		Entries: n, Seen: n,
	})
	for _, ix := range c.Indexes {
		i := ix.info()
		b = wire.AppendDocIndexInfo(b, &i)
	}
	return b
}

// listIndexes serves OpDocIndexes.
func listIndexes(m *Machine, p *payloads, buf []byte) (ans wire.Response, err error) {
	c := m.Collection(p.name.DB, p.name.Coll)
	if c == nil {
		return ans, errNoCollection(&p.name)
	}
	ans.Body = appendIndexes(buf, c)
	return ans, nil
}

// collectionStats serves OpDocStats.
func collectionStats(m *Machine, p *payloads, buf []byte) (ans wire.Response, err error) {
	c := m.Collection(p.name.DB, p.name.Coll)
	if c == nil {
		return ans, errNoCollection(&p.name)
	}
	ans.Body = appendIndexes(appendInfo(buf, c), c)
	return ans, nil
}

// Totals are figures over all collections, for metrics.
type Totals struct {
	Databases, Collections, Indexes uint64
	Documents, Bytes, Entries       uint64
	Building                        uint64 // indexes
	Feeds, Chunks, ChunkBytes       uint64 // names whose changes are recorded, and what is recorded
}

// Totals returns the figures of this moment. Any goroutine may call it.
func (m *Machine) Totals() Totals {
	m.mu.RLock()
	defer m.mu.RUnlock()
	t := Totals{Databases: uint64(len(m.databases)), Collections: uint64(m.collections), Building: uint64(len(m.building))}
	t.Feeds, t.Chunks, t.ChunkBytes = uint64(m.feeds.count()), m.record.chunks, m.record.bytes
	m.each(func(c *Collection) {
		t.Indexes += uint64(len(c.Indexes))
		t.Documents += uint64(c.Documents())
		t.Bytes += uint64(c.Bytes())
		for _, ix := range c.Indexes {
			t.Entries += uint64(ix.Entries())
		}
	})
	return t
}
