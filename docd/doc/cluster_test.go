package doc

import (
	"testing"

	"github.com/skshohagmiah/flin/pkg/engine/enginetest"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestThreeVotersServeOneStore(t *testing.T) {
	all := worlds.Three(t)
	lead, follower := all[0], all[2]
	if lead.Group.CanRead() {
		t.Fatal("a leader of three may not read without asking")
	}
	lead.index("c", spec(0, "a"))
	for range 20 {
		lead.insert("c", `{"a": 1}`)
	}
	for i := range 20 {
		if got := lead.find("c", `{"a": 1}`); len(got) != 20 {
			t.Fatalf("%d: %d documents", i, len(got))
		}
		if m := lead.update("c", `{"a": 1}`, `{"$inc": {"n": 1}}`, wire.DocMulti); m.Modified != 20 {
			t.Fatalf("%+v", m)
		}
	}
	find := &wire.DocFind{Name: name("c"), Filter: js(t, `{"a": 1, "n": 20}`)}
	for i, resp := range []wire.Response{
		follower.Do(wire.OpDocInsert, &wire.DocInsert{Name: name("c"), Docs: [][]byte{js(t, `{}`)}}, 0),
		follower.Do(wire.OpDocUpdate, &wire.DocUpdate{Name: name("c"), Filter: js(t, `{"a": 1}`), Update: js(t, `{"$set": {"b": 1}}`)}, 0),
		follower.Do(wire.OpDocFind, find, 0),
	} {
		if resp.Code != wire.NotLeader {
			t.Errorf("request %d to a follower was answered %v %s", i, resp.Code, resp.Body)
		}
	}
	enginetest.CaughtUp(t, lead.Group, follower.Group)
	resp := follower.Do(wire.OpDocFind, find, wire.FlagStale)
	if got := texts(t, resp.Body); len(got) != 20 {
		t.Errorf("a follower has %d documents", len(got))
	}
	for _, w := range all {
		enginetest.CaughtUp(t, lead.Group, w.Group)
		w.verify()
	}
}
