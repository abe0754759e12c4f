package fsm

import (
	"fmt"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// numbers makes a document with n different numbers in each of two arrays.
func numbers(id int32, n int) []byte {
	a := make(bson.A, n)
	for i := range a {
		a[i] = int32(i)
	}
	return marshal(bson.D{{Key: "_id", Value: id}, {Key: "a", Value: a}, {Key: "b", Value: a}})
}

func TestACommandThatWouldWriteTooMuchIsRefusedWhole(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	b.createIndex("c", spec(0, "a"))
	for _, mode := range []wire.DocMode{wire.DocAtomic, wire.DocInOrder, wire.DocIndividual} {
		a := inserts("c", numbers(1, 30_000), numbers(2, 30_000))
		a.Mode = mode
		if ans := b.One(wire.OpDocApply, a); ans.Code != wire.TooLarge || ans.Num != 1 || !strings.Contains(string(ans.Body), "50000") {
			t.Errorf("mode %d: %v %d %s", mode, ans.Code, ans.Num, ans.Body)
		}
	}
	if n := b.m.Collection([]byte("db"), []byte("c")).Documents(); n != 0 {
		t.Errorf("%d documents", n)
	}
	if ans := b.insert("c", numbers(1, 30_000)); ans.Code != wire.OK {
		t.Errorf("one by itself: %v", ans.Err())
	}
	long := strings.Repeat("x", 40_000)
	var docs [][]byte
	for i := range int32(300) {
		docs = append(docs, marshal(bson.D{{Key: "_id", Value: 10 + i}, {Key: "a", Value: fmt.Sprint(i, long)}}))
	}
	if ans := b.insert("c", docs...); ans.Code != wire.TooLarge || ans.Num != 209 {
		t.Errorf("12 MB of keys: %v at %d", ans.Code, ans.Num)
	}
	b.Check()
}

func TestADocumentThatHasGrownTooManyKeysCanBeIndexedAndDeleted(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	b.insert("c", numbers(1, 60_000), numbers(2, 1))
	b.createIndex("c", spec(0, "a"))
	b.createIndex("c", spec(0, "b"))
	pieces := 0
	for ; b.m.Building(); pieces++ {
		b.Must(wire.OpDocBuild, limit(BuildLimit))
	}
	if ix := b.m.Collection([]byte("db"), []byte("c")).Index("b_1"); !ix.Ready() || ix.Entries() != 60_001 || pieces != 4 {
		t.Errorf("%d pieces: %+v", pieces, ix)
	}
	a := &wire.DocApply{Targets: []wire.DocName{name("c")}, Programs: []wire.DocProgram{{}}}
	for _, id := range []int{2, 1} {
		a.Changes = append(a.Changes, wire.DocChange{Kind: wire.DocChangeDelete, ID: idValue(id)})
	}
	if ans := b.One(wire.OpDocApply, a); ans.Code != wire.TooLarge {
		t.Errorf("with others: %v", ans.Code)
	}
	a.Changes = a.Changes[1:]
	if ans := b.One(wire.OpDocApply, a); ans.Code != wire.OK || ans.Num != 1 {
		t.Errorf("alone: %v", ans.Err())
	}
	b.Check()
}

func TestKeysHaveBounds(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	b.createIndex("c", spec(0, "a"))
	b.createIndex("c", spec(wire.DocIndexUnique, "u"))
	for _, c := range []struct {
		id, a int
		code  wire.Code
	}{
		{wire.MaxDocID - 2, wire.MaxDocIndexKey - 2, wire.OK}, {wire.MaxDocID - 1, 1, wire.TooLarge}, {5, wire.MaxDocIndexKey - 1, wire.TooLarge},
	} {
		d := marshal(bson.D{{Key: "_id", Value: strings.Repeat("i", c.id)}, {Key: "a", Value: strings.Repeat("a", c.a)}, {Key: "u", Value: c.id}})
		if ans := b.insert("c", d); ans.Code != c.code || c.code != wire.OK && ans.Sub != wire.DocKeyTooLong {
			t.Errorf("%+v: %v", c, ans.Err())
		}
	}
	long := append([]byte{0x02}, valueOfString(strings.Repeat("i", 70_000))...)
	a := &wire.DocApply{Targets: []wire.DocName{name("c")}, Programs: []wire.DocProgram{{Update: emptyDocument}}}
	a.Changes = []wire.DocChange{{Kind: wire.DocChangeUpdate, ID: long}}
	if ans := b.One(wire.OpDocApply, a); ans.Code != wire.OK || ans.Num != 0 {
		t.Errorf("an update by an _id that nothing can have: %v", ans.Err())
	}
	a.Changes[0].Kind = wire.DocChangeUpsert
	if ans := b.One(wire.OpDocApply, a); ans.Sub != wire.DocKeyTooLong {
		t.Errorf("an upsert by one: %v", ans.Err())
	}
	// The _id of a unique entry is too long for its head.
	r := b.m.Open([]byte("db"), []byte("c"))
	defer r.Close()
	n := 0
	if err := r.IndexScan(r.Index("u_1"), nil, nil, true, func(key, id []byte) bool {
		n += len(id)
		if again, err := b.m.Lookup(r.Index("u_1"), key, nil); err != nil || string(again) != string(id) {
			t.Errorf("%d bytes, %v", len(again), err)
		}
		return true
	}); err != nil || n != wire.MaxDocID {
		t.Errorf("%d %v", n, err)
	}
	b.Check()
}

func valueOfString(s string) []byte {
	_, b, err := bson.MarshalValue(s)
	if err != nil {
		panic(err)
	}
	return b
}

func TestThereAreOnlySoManyCollectionsAndIndexes(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	for i := range wire.MaxDocIndexes {
		b.createIndex("c", spec(0, fmt.Sprint("f", i)))
	}
	if ans := b.One(wire.OpDocIndex, &wire.DocIndex{Name: name("c"), Spec: spec(0, "more")}); ans.Code != wire.Full || ans.Sub != wire.DocCannotCreateIndex {
		t.Error(ans.Err())
	}
	b.insert("c", numbers(1, 3)) // the counts of many indexes are too long for a head
	b.Check()
	for i := 1; i < wire.MaxDocCollections; i++ {
		n := name(fmt.Sprint("n", i))
		b.Must(wire.OpDocCreate, &n)
	}
	n := name("more")
	if ans := b.One(wire.OpDocCreate, &n); ans.Code != wire.Full {
		t.Error(ans.Err())
	}
	if ans := b.insert("more", numbers(1, 1)); ans.Code != wire.Full {
		t.Error(ans.Err())
	}
	b.Must(wire.OpDocDrop, &wire.DocName{DB: []byte("db"), Coll: []byte("n1")})
	b.Must(wire.OpDocCreate, &n)
}

func TestEveryOperationOfTheEngineIsInTheTable(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	for low := range 256 {
		op := wire.Op(wire.EngineDoc)<<8 | wire.Op(low)
		named := !strings.HasPrefix(op.String(), "op-")
		if named != (KindOf(op) != None) || op.Internal() && named != (KindOf(op) == Own) {
			t.Errorf("%v: kind %d", op, KindOf(op))
		}
		r := &ops[low]
		if named && (r.check == nil || (r.run != nil) != (r.kind == Write || r.kind == Own) || (r.read != nil) != (r.kind == Read)) {
			t.Errorf("%v: %+v", op, r)
		}
		if !named && wire.CodeOf(b.m.Check(op, nil)) != wire.Unsupported {
			t.Errorf("%v is checked", op)
		}
		var ans wire.Response
		if err := b.m.Apply(&replica.Command{Op: op, Read: true}, &ans); err != nil || r.kind == Write && ans.Code != wire.Invalid {
			t.Errorf("%v as an ordered read: %+v %v", op, ans, err)
		}
	}
}

func TestOnlyWritesThatDeleteFreeSpace(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	a := &wire.DocApply{Targets: []wire.DocName{name("c")}, Changes: []wire.DocChange{{Kind: wire.DocChangeRemove, ID: idValue(1)}}}
	if !b.m.Frees(wire.OpDocApply, a.Append(nil)) {
		t.Error("a removal does not")
	}
	a.Changes = append(a.Changes, wire.DocChange{Kind: wire.DocChangeInsert, Doc: numbers(1, 1)})
	if b.m.Frees(wire.OpDocApply, a.Append(nil)) || b.m.Frees(wire.OpDocIndex, nil) || !b.m.Frees(wire.OpDocDrop, nil) || b.m.Frees(wire.OpKVSweep, nil) {
		t.Error("which operations do")
	}
}
