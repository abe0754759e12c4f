package doc

import (
	"testing"

	"github.com/skshohagmiah/flin/pkg/engine/enginetest"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestWhoWritesWhatSomebodyElseHasWrittenHearsOfItAtOnce(t *testing.T) {
	w := worlds.New(t, nil)
	n := name("c")
	write := func(op wire.Op, m *wire.DocUpdate) func(x *tx) wire.Response {
		m.Name = n
		return func(x *tx) wire.Response { return x.do(op, m) }
	}
	for what, c := range map[string]struct {
		before func()
		write  func(x *tx) wire.Response
	}{
		"an update": {
			func() { w.update("c", `{"_id": 1}`, `{"$inc": {"n": 1}}`, 0) },
			write(wire.OpDocUpdate, &wire.DocUpdate{Filter: js(t, `{"n": 1}`), Update: js(t, `{"$inc": {"n": 1}}`)}),
		},
		"a deletion of what was changed": {
			func() { w.update("c", `{"_id": 1}`, `{"$inc": {"n": 1}}`, 0) },
			write(wire.OpDocDelete, &wire.DocUpdate{Filter: js(t, `{"_id": 1}`)}),
		},
		"a modify of what was deleted": {
			func() { w.remove("c", `{"_id": 1}`, 0) },
			write(wire.OpDocModify, &wire.DocUpdate{Filter: js(t, `{"n": 1}`), Update: js(t, `{"$inc": {"n": 1}}`)}),
		},
		"an insert": {
			func() { w.insert("c", `{"_id": 2}`) },
			func(x *tx) wire.Response {
				return x.do(wire.OpDocInsert, &wire.DocInsert{Name: n, Docs: [][]byte{js(t, `{"_id": 2}`)}})
			},
		},
		"an upsert": {
			func() { w.insert("c", `{"_id": 2}`) },
			write(wire.OpDocUpdate, &wire.DocUpdate{Flags: wire.DocUpsert, Filter: js(t, `{"_id": 2}`), Update: js(t, `{"$inc": {"n": 1}}`)}),
		},
		"an update in a collection that was dropped": {
			func() { w.Must(wire.OpDocDrop, &n) },
			write(wire.OpDocUpdate, &wire.DocUpdate{Filter: js(t, `{"_id": 1}`), Update: js(t, `{"$inc": {"n": 1}}`)}),
		},
		"an update in a collection that was made again": {
			func() { w.Must(wire.OpDocDrop, &n); w.insert("c", `{"_id": 1, "n": 1}`) },
			write(wire.OpDocUpdate, &wire.DocUpdate{Filter: js(t, `{"_id": 1}`), Update: js(t, `{"$inc": {"n": 1}}`)}),
		},
	} {
		w.Must(wire.OpDocDrop, &n)
		w.insert("c", `{"_id": 1, "n": 1}`)
		x := w.begin()
		c.before()
		before := w.find("c", `{}`)
		resp := c.write(x)
		answered(t, what, &resp, wire.Conflict, wire.DocWriteConflict, "somebody else")
		x.over("a write failed")
		same(t, what, w.find("c", `{}`), before...)
	}
}

func TestOfTwoThatWriteADocumentTheFirstToCommitWins(t *testing.T) {
	w := worlds.New(t, nil)
	w.insert("c", `{"_id": 1, "n": 1}`, `{"_id": 2, "n": 1}`, `{"_id": 3, "n": 1}`)
	for what, write := range map[string]func(x *tx, i int){
		"update": func(x *tx, _ int) { x.update("c", `{"_id": 1}`, `{"$inc": {"n": 1}}`, 0) },
		"delete": func(x *tx, i int) {
			if i == 0 {
				x.remove("c", `{"_id": 2}`, 0)
			} else {
				x.update("c", `{"_id": 2}`, `{"$inc": {"n": 1}}`, 0)
			}
		},
		"insert": func(x *tx, i int) { x.insert("c", `{"_id": 9}`); _ = i },
	} {
		a, b := w.begin(), w.begin()
		write(a, 0)
		write(b, 1)
		b.update("c", `{"_id": 3}`, `{"$set": {"lost": true}}`, 0)
		a.commits()
		resp := b.commit()
		answered(t, what, &resp, wire.Conflict, wire.DocWriteConflict, "")
		b.over("")
	}
	same(t, "what the losers wrote", w.find("c", `{"lost": true}`))
	same(t, "what the winners wrote", w.find("c", `{"_id": {"$ne": 3}}`), `{"_id":1,"n":2}`, `{"_id":9}`)
	w.verify()
}

func TestAKeyOfAUniqueIndexIsCheckedAtTheCommit(t *testing.T) {
	w := worlds.New(t, nil)
	w.index("c", spec(wire.DocIndexUnique, "k"))
	w.insert("c", `{"_id": 1, "k": "a"}`, `{"_id": 2, "k": "b"}`)
	x := w.begin()
	x.insert("c", `{"_id": 3, "k": "c"}`, `{"_id": 4, "k": "a"}`)
	resp := x.commit()
	answered(t, "a key that is taken", &resp, wire.Exists, 11000, "index: k_1 dup key")
	x = w.begin()
	x.remove("c", `{"_id": 1}`, 0)
	x.insert("c", `{"_id": 3, "k": "a"}`)
	if n := x.commits(); n != 2 {
		t.Errorf("%d documents were written", n)
	}
	same(t, "at last", w.find("c", `{}`), `{"_id":2,"k":"b"}`, `{"_id":3,"k":"a"}`)
	w.verify()
}

func TestAnInsertThatFailsEndsItsTransaction(t *testing.T) {
	w := worlds.New(t, nil)
	w.insert("c", `{"_id": 1}`)
	x := w.begin()
	m := x.insert("c", `{"_id": 2}`, `{"_id": 1}`, `{"_id": 3}`)
	if m.Inserted != 1 || len(m.Errors) != 1 || m.Errors[0].Index != 1 || m.Errors[0].Code != wire.Exists || m.Errors[0].Sub != 11000 {
		t.Errorf("%+v", m)
	}
	x.over("a write failed: E11000")
	same(t, "nothing is left of it", w.find("c", `{}`), `{"_id":1}`)
}

// Two transactions that read what the other writes may both be committed: that is what snapshot isolation does not prevent.
func TestThereIsWriteSkew(t *testing.T) {
	w := worlds.New(t, nil)
	w.insert("doctors", `{"_id": "a", "on": true}`, `{"_id": "b", "on": true}`)
	a, b := w.begin(), w.begin()
	for _, x := range []*tx{a, b} {
		if got := x.find("doctors", `{"on": true}`); len(got) != 2 {
			t.Fatalf("%v", got)
		}
	}
	a.update("doctors", `{"_id": "a"}`, `{"$set": {"on": false}}`, 0)
	b.update("doctors", `{"_id": "b"}`, `{"$set": {"on": false}}`, 0)
	a.commits()
	b.commits()
	same(t, "on call", w.find("doctors", `{"on": true}`))
	// Who writes what it relies on prevents it.
	a, b = w.begin(), w.begin()
	a.update("doctors", `{}`, `{"$inc": {"checked": 1}, "$set": {"on": true}}`, wire.DocMulti)
	b.update("doctors", `{}`, `{"$inc": {"checked": 1}}`, wire.DocMulti)
	a.commits()
	resp := b.commit()
	answered(t, "the second", &resp, wire.Conflict, wire.DocWriteConflict, "")
}

func TestATransactionEndsWithItsLeader(t *testing.T) {
	all := worlds.Three(t)
	old := all[0]
	old.insert("c", `{"_id": 1}`)
	x := old.begin()
	x.insert("c", `{"_id": 2}`)
	same(t, "in it", x.find("c", `{}`), `{"_id":1}`, `{"_id":2}`)
	if err := old.Group.TransferLeadership(""); err != nil {
		t.Fatal(err)
	}
	resp := x.commit()
	answered(t, "the old leader", &resp, wire.NotLeader, 0, "")
	for _, w := range all[1:] {
		enginetest.CaughtUp(t, old.Group, w.Group)
		resp := w.Do(wire.OpDocCommit, &wire.DocTxn{Txn: x.id}, 0)
		answered(t, "another node", &resp, wire.NotFound, wire.DocNoSuchTransaction, "another node's")
		find := w.Do(wire.OpDocFind, &wire.DocFind{Name: name("c")}, wire.FlagStale)
		same(t, "nothing is left of it", texts(t, find.Body), `{"_id":1}`)
	}
}
