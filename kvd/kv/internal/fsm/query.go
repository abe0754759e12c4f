package fsm

import (
	"runtime"

	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/store/keys"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Query is what a scan runs in: one view of the store, on a worker.
type Query struct {
	m     *Machine
	view  *store.View
	ks    *keyspace
	now   int64 // the time of entries when the view was taken
	wall  int64 // the wall clock then
	stop  func() error
	seed  uint64
	extra func(b []byte) []byte
	late  bool
}

// Request says how a scan is to run.
type Request struct {
	Wall int64        // the wall clock in ms since 1970; 0: the time of entries alone decides
	Stop func() error // asked now and then; its error ends the scan and is the answer
	Seed uint64       // for OpKVRandom
	// Extra appends what OpKVStats says of the engine besides, as lines.
	Extra func(b []byte) []byte
}

// Scan answers a scan. late reports that it left out a key which is gone by the clock but not yet by the time of an entry:
// the answer may be given once an entry has been applied that is proposed from now on.
func (m *Machine) Scan(row *Row, body []byte, r Request) (ans wire.Response, late bool) {
	q := &Query{m: m, wall: r.Wall, stop: r.Stop, seed: r.Seed, extra: r.Extra}
	q.open()
	defer q.view.Close()
	if err := row.Scan(q, body, &ans); err != nil {
		return answer(err), false
	}
	return ans, q.late
}

// open takes a view and the keyspace that belongs to it.
func (q *Query) open() {
	for {
		ks := q.m.keys.Load()
		if ks.moving {
			runtime.Gosched()
			continue
		}
		v := q.m.st.View()
		if q.m.keys.Load() == ks {
			q.view, q.ks, q.now = v, ks, q.m.now.Load()
			return
		}
		v.Close()
	}
}

// there reads a head and reports whether its key is still there.
func (q *Query) there(head []byte) (h header, ok bool, err error) {
	if err := h.decode(head); err != nil {
		return h, false, err
	}
	switch {
	case h.expires == 0:
	case h.expires <= q.now:
		return h, false, nil
	case h.expires <= q.wall:
		q.late = true
		return h, false, nil
	}
	return h, true, nil
}

// walk calls fn for the keys of a database that are there and begin with prefix, at most limit of them looked at
// (0: all). whole reports that there were no more.
func (q *Query) walk(db byte, prefix []byte, limit int, fn func(key []byte, h header) bool) (whole bool, err error) {
	base := q.ks.prefixes[db]
	from := append(append([]byte(nil), base...), prefix...)
	n, cut := 0, false
	fail := error(nil)
	err = q.view.Iterate(from, keys.After(from), store.IterOptions{HeadsOnly: true}, func(full []byte, v store.Value) bool {
		if limit > 0 && n >= limit {
			cut = true
			return false
		}
		if n++; n%stopEvery == 0 {
			if fail = q.stop(); fail != nil {
				return false
			}
		}
		h, ok, err := q.there(v.Head)
		if err != nil {
			fail = err
			return false
		}
		return !ok || fn(full[len(base):], h)
	})
	if err == nil {
		err = fail
	}
	return !cut, err
}

// countKeys serves OpKVCount: it looks at every key that begins with the prefix, but at no value.
func countKeys(q *Query, body []byte, ans *wire.Response) error {
	var m wire.KVDB
	if err := m.Decode(body); err != nil {
		return err
	}
	if m.DB >= wire.KVDatabases {
		return errDB
	}
	_, err := q.walk(m.DB, m.Prefix, 0, func([]byte, header) bool {
		ans.Num++
		return true
	})
	ans.Rev = q.view.Position().Revision
	return err
}
