package fsm

import (
	"fmt"
	"testing"

	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestOfSeveralCandidatesTheFirstThatMatchesIsChangedAndReturned(t *testing.T) {
	b := newBench(t, store.Options{Dir: t.TempDir()})
	defer b.Close()
	insert := wire.DocApply{Targets: []wire.DocName{{DB: []byte("db"), Coll: []byte("c")}}}
	for i := range 4 {
		insert.Changes = append(insert.Changes, wire.DocChange{Kind: wire.DocChangeInsert, Doc: doc(t, fmt.Sprintf(`{"_id": %d, "n": %d}`, i, i))})
	}
	b.Must(wire.OpDocApply, &insert)
	id := func(i byte) []byte { return []byte{0x10, i, 0, 0, 0} }
	first := wire.DocApply{
		Mode: wire.DocFirst, Targets: insert.Targets,
		Programs: []wire.DocProgram{{
			Filter: doc(t, `{"n": {"$gte": 2}}`), Update: doc(t, `{"$inc": {"n": 10}}`),
		}},
	}
	for i := range 4 {
		first.Changes = append(first.Changes, wire.DocChange{Kind: wire.DocChangeUpdate, ID: id(byte(i))})
	}
	want := string([]byte{0, 0, byte(wire.DocMatched | wire.DocChanged), byte(wire.DocSkipped)})
	for _, c := range []struct {
		returns wire.DocReturn
		n       int32
	}{{wire.DocReturnBefore, 2}, {wire.DocReturnAfter, 22}, {wire.DocReturnNone, 0}} {
		first.Return = c.returns
		ans := b.Must(wire.OpDocApply, &first)
		rest := ""
		if c.returns != wire.DocReturnNone {
			rest = string(doc(t, fmt.Sprintf(`{"_id": 2, "n": %d}`, c.n)))
		}
		if string(ans.Body) != want+rest || ans.Num != 1 {
			t.Errorf("%d: num %d, %q", c.returns, ans.Num, ans.Body)
		}
	}
	if err := b.m.Verify(); err != nil {
		t.Error(err)
	}
}
