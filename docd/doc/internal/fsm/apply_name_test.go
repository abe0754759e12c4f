package fsm

import (
	"testing"

	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Found by FuzzCommands: a name with the byte that ends names in keys made two collections of one.
func TestWritesDoNotMakeACollectionWhoseNameIsNone(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	for _, n := range []wire.DocName{
		{DB: []byte("\x00b"), Coll: []byte("c")}, {DB: []byte("db"), Coll: []byte("a\x00b")}, {DB: []byte(""), Coll: []byte("c")},
	} {
		ans := b.One(wire.OpDocApply, &wire.DocApply{
			Targets: []wire.DocName{n}, Changes: []wire.DocChange{{Kind: wire.DocChangeInsert, Doc: doc(t, `{"_id": 1}`)}},
		})
		if ans.Code != wire.Invalid {
			t.Errorf("%q.%q: %v %s, want Invalid", n.DB, n.Coll, ans.Code, ans.Body)
		}
	}
	b.Check()
}
