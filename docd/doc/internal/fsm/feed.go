package fsm

import (
	"encoding/binary"

	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// feeds are the names whose changes are recorded, a database and a collection or nothing, each with the revision since which they are.
type feeds map[string]map[string]uint64

// count returns how many there are.
func (f feeds) count() (n int) {
	for _, colls := range f {
		n += len(colls)
	}
	return n
}

// covers reports whether the changes of a collection are recorded, for its own sake or for that of its database.
func (f feeds) covers(n *wire.DocName) bool {
	colls := f[string(n.DB)]
	if colls == nil {
		return false
	}
	_, whole := colls[""]
	_, own := colls[string(n.Coll)]
	return whole || own
}

// since returns the revision since which the changes of a name are recorded.
func (f feeds) since(n *wire.DocName) (rev uint64, ok bool) {
	colls := f[string(n.DB)]
	rev, ok = colls[""]
	if own, there := colls[string(n.Coll)]; there && (!ok || own < rev) {
		return own, true
	}
	return rev, ok
}

func (f feeds) add(db, coll string, rev uint64) {
	if f[db] == nil {
		f[db] = map[string]uint64{}
	}
	f[db][coll] = rev
}

func (f feeds) remove(db, coll string) {
	if delete(f[db], coll); len(f[db]) == 0 {
		delete(f, db)
	}
}

// setFeed serves OpDocFeed.
func setFeed(m *Machine, c *replica.Command, ans *wire.Response) error {
	p := &m.p.feed
	if err := p.Decode(c.Body); err != nil {
		return err
	}
	db, coll := string(p.Name.DB), string(p.Name.Coll)
	if _, on := m.feeds[db][coll]; on != p.Off {
		return nil
	}
	t := m.begin(c)
	t.key = appendName(t.key[:0], kindFeed, db, coll)
	if p.Off {
		t.remove(t.key)
	} else {
		if m.feeds.count() >= maxFeeds {
			return errTooMany("names whose changes are recorded", maxFeeds)
		}
		t.probe = binary.AppendUvarint(t.probe[:0], c.Revision)
		t.set(t.key, t.probe, nil)
	}
	t.commit()
	m.mu.Lock()
	if p.Off {
		m.feeds.remove(db, coll)
	} else {
		m.feeds.add(db, coll, c.Revision)
	}
	m.recent.newest = c.Revision
	m.mu.Unlock()
	m.recorded = true
	ans.Num, ans.Rev = 1, c.Revision
	return nil
}

func (l *loader) feed(key []byte, v store.Value) error {
	db, coll, err := readNameKey(key)
	if err != nil {
		return err
	}
	rev, n := binary.Uvarint(v.Head)
	if n <= 0 || n != len(v.Head) {
		return errDamaged
	}
	l.m.feeds.add(db, coll, rev)
	return nil
}

// Recorded reports whether the changes of a collection or, with an empty Coll, of a database are recorded. Any goroutine may call it.
func (m *Machine) Recorded(n *wire.DocName) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.feeds.covers(n)
}

// Kept reports whether all changes of a name behind a place have been recorded, and are there still. Any goroutine may call it. Who
// asks after reading can rely on what it has read.
func (m *Machine) Kept(n *wire.DocName, from Place) bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	since, ok := m.feeds.since(n)
	return ok && from.Rev >= since && !from.Before(m.record.floor)
}
