package doc

import (
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/pkg/engine/enginetest"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestAKeyOfAUniqueIndexIsHandedOverWithinABatch(t *testing.T) {
	w := worlds.New(t, nil)
	w.index("c", spec(wire.DocIndexUnique, "k"))
	w.insert("c", `{"_id": 1, "k": 1}`, `{"_id": 2, "k": 2}`, `{"_id": 3, "k": 33}`)
	set := func(filter, update string) wire.DocWriteOp {
		return wire.DocWriteOp{Op: wire.OpDocUpdate, DocUpdate: wire.DocUpdate{Name: name("c"), Filter: js(t, filter), Update: js(t, update)}}
	}
	// The first to be written takes what the second gives up.
	w.Must(wire.OpDocWrite, &wire.DocWrite{Writes: []wire.DocWriteOp{
		set(`{"_id": 1}`, `{"$set": {"x": 1}}`), set(`{"_id": 2}`, `{"$set": {"k": 3}}`), set(`{"_id": 1}`, `{"$set": {"k": 2}}`),
	}})
	same(t, "after a batch", w.find("c", `{}`), `{"_id":1,"k":2,"x":1}`, `{"_id":2,"k":3}`, `{"_id":3,"k":33}`)
	w.verify()
	x := w.begin()
	x.update("c", `{"_id": 1}`, `{"$set": {"k": 9}}`, 0)
	x.update("c", `{"_id": 2}`, `{"$set": {"k": 2}}`, 0)
	x.update("c", `{"_id": 1}`, `{"$set": {"k": 3}}`, 0)
	if resp := x.commit(); resp.Code != wire.OK {
		t.Errorf("a swap: %v %s", resp.Code, resp.Body)
	}
	same(t, "after a swap", w.find("c", `{"_id": {"$lte": 2}}`), `{"_id":1,"k":3,"x":1}`, `{"_id":2,"k":2}`)
	w.verify()
	// What nobody gives up nobody gets.
	resp := w.Do(wire.OpDocWrite, &wire.DocWrite{Writes: []wire.DocWriteOp{
		set(`{"_id": 1}`, `{"$set": {"k": 33}}`), set(`{"_id": 2}`, `{"$set": {"k": 3}}`),
	}}, 0)
	if resp.Code != wire.Exists || resp.Sub != 11000 {
		t.Errorf("a key that is another's: %v %s", resp.Code, resp.Body)
	}
	resp = w.Do(wire.OpDocWrite, &wire.DocWrite{Writes: []wire.DocWriteOp{
		set(`{"_id": 1}`, `{"$set": {"k": 5}}`), set(`{"_id": 2}`, `{"$set": {"k": 5}}`),
	}}, 0)
	if resp.Code != wire.Exists || resp.Sub != 11000 {
		t.Errorf("two with one key: %v %s", resp.Code, resp.Body)
	}
	same(t, "after both", w.find("c", `{}`), `{"_id":1,"k":3,"x":1}`, `{"_id":2,"k":2}`, `{"_id":3,"k":33}`)
	w.verify()
}

func TestASmallUpdateThatMakesManyDocumentsLargeIsCutIntoPieces(t *testing.T) {
	w := worlds.New(t, nil)
	w.numbered("c", 100)
	large := `{"$set": {"large": "` + strings.Repeat("x", 1<<20) + `"}}`
	if m := w.update("c", `{}`, large, wire.DocMulti); m.Matched != 100 || m.Modified != 100 {
		t.Errorf("%d matched, %d modified", m.Matched, m.Modified)
	}
	if n := w.Must(wire.OpDocCount, &wire.DocFind{Name: name("c"), Filter: js(t, `{"large": {"$exists": true}}`)}).Num; n != 100 {
		t.Errorf("%d are large", n)
	}
	w.verify()
}

func TestAWriteDoesNotTakeWhatMayBeOld(t *testing.T) {
	all := worlds.Three(t)
	leader, follower := all[0], all[2]
	leader.insert("c", `{"_id": 1, "a": 1}`)
	enginetest.CaughtUp(t, leader.Group, follower.Group)
	m := &wire.DocUpdate{Name: name("c"), Filter: js(t, `{"a": 2}`), Update: js(t, `{"$set": {"b": 1}}`)}
	for _, flags := range []wire.Flags{0, wire.FlagStale} {
		if resp := follower.Do(wire.OpDocUpdate, m, flags); resp.Code != wire.NotLeader {
			t.Errorf("an update with flags %x: %v %s", flags, resp.Code, resp.Body)
		}
	}
}

func TestADraftDoesNotKeepARequestForTheNameInIt(t *testing.T) {
	w := worlds.New(t, nil)
	snap := w.Engine.machine.Snapshot()
	defer snap.Close()
	n := name("c")
	c := newDraft(w.Engine, "transaction", snap.Open).coll(&n)
	if string(c.name.Coll) != "c" || &c.name.Coll[0] == &n.Coll[0] || &c.name.DB[0] == &n.DB[0] {
		t.Errorf("the draft's name is %s, in the request's memory", c.name.Coll)
	}
}
