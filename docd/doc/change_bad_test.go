package doc

import (
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// TestABadUpdateDoesNotEnterTheLog: also where the _id says which document it is for, so that nothing has to be looked up.
func TestABadUpdateDoesNotEnterTheLog(t *testing.T) {
	w := worlds.New(t, nil)
	w.insert("c", `{"_id": 1, "a": [1]}`)
	before := w.st.Applied().Index
	for _, c := range []struct {
		update, filters string
		sub             uint32
	}{
		{`{"$foo": {"a": 1}}`, ``, 9},
		{`{"$set": {"a.$[x]": 1}}`, ``, 2},
		{`{"$set": {"a.$[x]": 1}}`, `[{"x": {"$foo": 1}}]`, 2},
		{`{"$pull": {"a": {"$regex": "(?:abcdefghi){1000}"}}}`, ``, 51091},
		{`{"$set": {"a": 1, "a.b": 1}}`, ``, 40},
	} {
		for _, flags := range []wire.DocWriteFlags{0, wire.DocUpsert} {
			for _, op := range []wire.Op{wire.OpDocUpdate, wire.OpDocModify} {
				m := &wire.DocUpdate{Name: name("c"), Flags: flags, Filter: js(t, `{"_id": 1}`), Update: js(t, c.update), ArrayFilters: js(t, c.filters)}
				if resp := w.Do(op, m, 0); resp.Code != wire.Invalid || resp.Sub != c.sub || len(resp.Body) == 0 {
					t.Errorf("%v of %s: %v %d %s", op, c.update, resp.Code, resp.Sub, resp.Body)
				}
			}
		}
	}
	if after := w.st.Applied().Index; after != before {
		t.Errorf("%d entries were made of it", after-before)
	}
	if m := w.update("c", `{"_id": 1}`, `{"$pull": {"a": 1}}`, 0); m.Modified != 1 {
		t.Errorf("%+v", m)
	}
	if n := w.remove("c", `{"_id": 1}`, 0); n != 1 {
		t.Errorf("%d removed", n)
	}
}
