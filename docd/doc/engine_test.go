package doc

import (
	"slices"
	"strconv"
	"testing"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/pkg/engine/enginetest"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// contract is what enginetest must know of this engine.
func contract(t *testing.T) enginetest.Spec {
	coll := name("contract")
	filter := js(t, `{"_id": "the counter"}`)
	set := []wire.Code{wire.Exists, wire.Conflict}
	s := enginetest.Spec{
		Ops: map[wire.Op][]wire.Code{
			wire.OpDocInsert:      nil,
			wire.OpDocFind:        nil,
			wire.OpDocUpdate:      set,
			wire.OpDocDelete:      nil,
			wire.OpDocIndex:       {wire.Exists, wire.NotFound},
			wire.OpDocMore:        {wire.NotFound, wire.Conflict},
			wire.OpDocKill:        nil,
			wire.OpDocCount:       nil,
			wire.OpDocDistinct:    nil,
			wire.OpDocAggregate:   {wire.Conflict},
			wire.OpDocModify:      set,
			wire.OpDocExplain:     nil,
			wire.OpDocCollections: nil,
			wire.OpDocCreate:      nil,
			wire.OpDocDrop:        nil,
			wire.OpDocIndexes:     {wire.NotFound},
			wire.OpDocDropIndex:   {wire.NotFound},
			wire.OpDocWrite:       set,
			wire.OpDocStats:       {wire.NotFound},
			wire.OpDocBegin:       nil,
			wire.OpDocIn:          {wire.NotFound, wire.Conflict},
			wire.OpDocCommit:      {wire.NotFound, wire.Conflict, wire.Exists},
			wire.OpDocAbort:       nil,
			wire.OpDocWatch:       {wire.Compacted},
			wire.OpDocFeed:        nil,
		},
		Own: []wire.Op{wire.OpDocApply, wire.OpDocBuild, wire.OpDocExpire, wire.OpDocCollect, wire.OpDocTrim},
		Write: func(n int) wire.Request {
			m := wire.DocUpdate{Name: coll, Flags: wire.DocUpsert, Filter: filter, Update: js(t, `{"$set": {"n": `+strconv.Itoa(n)+`}}`)}
			return wire.Request{Op: wire.OpDocUpdate, Body: m.Append(nil)}
		},
		Read: func() wire.Request {
			m := wire.DocFind{Name: coll, Filter: filter}
			return wire.Request{Op: wire.OpDocFind, Body: m.Append(nil)}
		},
		Found: func(resp *wire.Response) (int, error) {
			if err := resp.Err(); err != nil || len(resp.Body) == 0 {
				return 0, err
			}
			return int(bsoncore.Document(resp.Body).Lookup("n").Int32()), nil
		},
		Stream: func() wire.Request {
			m := wire.DocWatch{Name: coll}
			return wire.Request{Op: wire.OpDocWatch, Body: m.Append(nil)}
		},
		Told: func(resp *wire.Response) (int, error) { return len(eventsOf(t, []wire.Response{*resp})), resp.Err() },
		Large: func(i int, b []byte) (write, read wire.Request) {
			doc := bsoncore.NewDocumentBuilder().AppendInt32("_id", int32(i)).AppendBinary("b", 0, b).Build()
			insert := wire.DocInsert{Name: name("large"), Docs: [][]byte{doc}}
			find := wire.DocFind{Name: name("large"), Filter: js(t, `{"_id": `+strconv.Itoa(i)+`}`)}
			return wire.Request{Op: wire.OpDocInsert, Body: insert.Append(nil)}, wire.Request{Op: wire.OpDocFind, Body: find.Append(nil)}
		},
	}
	sample := func(op wire.Op, m payload) {
		s.Samples = append(s.Samples, wire.Request{Op: op, Body: m.Append(nil)})
	}
	c := name("samples")
	sample(wire.OpDocCreate, &c)
	sample(wire.OpDocInsert, &wire.DocInsert{Name: c, Docs: [][]byte{js(t, `{"_id": 1, "a": 1}`), js(t, `{"a": [2, 3]}`)}})
	sample(wire.OpDocIndex, &wire.DocIndex{Name: c, Spec: spec(0, "a")})
	sample(wire.OpDocFind, &wire.DocFind{Name: c, Filter: js(t, `{"a": {"$gt": 1}}`), Sort: js(t, `{"a": -1}`), Project: js(t, `{"a": 1}`), Limit: 3})
	sample(wire.OpDocUpdate, &wire.DocUpdate{Name: c, Flags: wire.DocMulti, Filter: js(t, `{"a": 1}`), Update: js(t, `{"$inc": {"b": 1}}`)})
	sample(wire.OpDocUpdate, &wire.DocUpdate{Name: c, Filter: js(t, `{"_id": 1}`), Update: js(t, `{"$inc": {"b": 1}}`)})
	sample(wire.OpDocModify, &wire.DocUpdate{Name: c, Flags: wire.DocReturnNew, Filter: js(t, `{"a": 1}`), Update: js(t, `{"$inc": {"b": 1}}`)})
	sample(wire.OpDocCount, &wire.DocFind{Name: c, Filter: js(t, `{"a": 2}`)})
	sample(wire.OpDocDistinct, &wire.DocFind{Name: c, Field: []byte("a")})
	sample(wire.OpDocAggregate, &wire.DocAggregate{Name: c, Pipeline: js(t, `[{"$match": {"a": 2}}, {"$count": "n"}]`)})
	find := wire.DocFind{Name: c, Filter: js(t, `{"a": 2}`)}
	sample(wire.OpDocExplain, &wire.DocExplain{Op: wire.OpDocFind, Execute: true, Body: find.Append(nil)})
	sample(wire.OpDocMore, &wire.DocMore{Cursor: 1})
	sample(wire.OpDocKill, &wire.DocKill{Cursors: []uint64{1}})
	sample(wire.OpDocCollections, &wire.DocList{})
	sample(wire.OpDocIndexes, &c)
	sample(wire.OpDocStats, &c)
	sample(wire.OpDocWrite, &wire.DocWrite{Writes: []wire.DocWriteOp{
		{Op: wire.OpDocInsert, DocUpdate: wire.DocUpdate{Name: c, Update: js(t, `{"x": 1}`)}},
		{Op: wire.OpDocUpdate, DocUpdate: wire.DocUpdate{Name: c, Filter: js(t, `{"x": 1}`), Update: js(t, `{"$set": {"x": 2}}`)}},
	}})
	sample(wire.OpDocBegin, nothing{})
	sample(wire.OpDocIn, &wire.DocIn{Txn: 1, Op: wire.OpDocFind, Body: find.Append(nil)})
	sample(wire.OpDocCommit, &wire.DocTxn{Txn: 1})
	sample(wire.OpDocAbort, &wire.DocTxn{Txn: 1})
	sample(wire.OpDocDelete, &wire.DocUpdate{Name: c, Flags: wire.DocMulti, Filter: js(t, `{"a": 3}`)})
	sample(wire.OpDocDropIndex, &wire.DocDropIndex{Name: c, Index: []byte("a_1")})
	sample(wire.OpDocFeed, &wire.DocFeed{Name: c})
	sample(wire.OpDocFeed, &wire.DocFeed{Name: c, Off: true})
	sample(wire.OpDocDrop, &c)
	return s
}

func TestTheEngineKeepsItsContract(t *testing.T) {
	worlds.Contract(t, contract(t))
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func TestWhatIsInsertedIsFoundUpdatedAndDeleted(t *testing.T) {
	w := worlds.New(t, nil)
	if m := w.insert("c", `{"_id": 1, "n": 10}`, `{"n": 20, "_id": 2}`, `{"_id": 3, "n": [5, 30]}`); m.Inserted != 3 || len(m.IDs)+len(m.Errors) > 0 {
		t.Fatalf("%+v", m)
	}
	same(t, "by _id", w.find("c", `{"_id": 2}`), `{"_id":2,"n":20}`)
	same(t, "by filter", w.find("c", `{"n": {"$gt": 15}}`), `{"_id":2,"n":20}`, `{"_id":3,"n":[5,30]}`)
	same(t, "nobody", w.find("c", `{"_id": 9}`))
	same(t, "nowhere", w.find("nothing", `{}`))
	if m := w.update("c", `{"_id": 1}`, `{"$inc": {"n": 1}}`, 0); m.Matched != 1 || m.Modified != 1 {
		t.Errorf("update by _id: %+v", m)
	}
	if m := w.update("c", `{"n": {"$gt": 0}}`, `{"$set": {"seen": true}}`, wire.DocMulti); m.Matched != 3 || m.Modified != 3 {
		t.Errorf("update of all: %+v", m)
	}
	if m := w.update("c", `{"n": 20}`, `{"$set": {"seen": true}}`, 0); m.Matched != 1 || m.Modified != 0 {
		t.Errorf("update that changes nothing: %+v", m)
	}
	if m := w.update("c", `{"n": 99}`, `{"$set": {"a": 1}}`, wire.DocUpsert); m.Matched != 0 || len(m.IDs) != 1 {
		t.Errorf("upsert: %+v", m)
	}
	if m := w.update("c", `{"_id": "x"}`, `{"$set": {"a": 1}}`, wire.DocUpsert); len(m.IDs) != 1 || string(m.IDs[0].Value) != "\x02\x02\x00\x00\x00x\x00" {
		t.Errorf("upsert by _id: %+v", m)
	}
	if n := w.remove("c", `{"a": 1}`, wire.DocMulti); n != 2 {
		t.Errorf("%d deleted", n)
	}
	if n := w.remove("c", `{"_id": 1}`, 0); n != 1 {
		t.Errorf("%d deleted by _id", n)
	}
	same(t, "at last", w.find("c", `{}`), `{"_id":2,"n":20,"seen":true}`, `{"_id":3,"n":[5,30],"seen":true}`)
	w.verify()
}

func TestADocumentWithoutAnIDGetsOne(t *testing.T) {
	w := worlds.New(t, nil)
	m := w.insert("c", `{"a": 1}`, `{"_id": 5}`, `{"a": 2}`)
	if len(m.IDs) != 2 || m.IDs[0].Index != 0 || m.IDs[1].Index != 2 || m.IDs[0].Value[0] != 7 {
		t.Fatalf("%+v", m)
	}
	filter := bsoncore.NewDocumentBuilder().AppendValue("_id", bsoncore.Value{Type: bsoncore.Type(m.IDs[0].Value[0]), Data: m.IDs[0].Value[1:]}).Build()
	if got := w.all(&wire.DocFind{Name: name("c"), Filter: filter, Project: js(t, `{"_id": 0}`)}); !slices.Equal(got, []string{`{"a":1}`}) {
		t.Errorf("%v", got)
	}
}

func TestAnInsertTellsWhatCouldNotBeInserted(t *testing.T) {
	w := worlds.New(t, nil)
	w.insert("c", `{"_id": 2}`)
	docs := [][]byte{js(t, `{"_id": 1}`), js(t, `{"_id": 2}`), {5, 0, 0, 0, 1}, js(t, `{"_id": 4}`)}
	resp := w.Must(wire.OpDocInsert, &wire.DocInsert{Name: name("c"), Docs: docs})
	if m := result(t, &resp); m.Inserted != 1 || len(m.Errors) != 1 || m.Errors[0].Index != 1 || m.Errors[0].Sub != 11000 || m.Errors[0].Code != wire.Exists {
		t.Errorf("in order: %+v", m)
	}
	docs[0] = js(t, `{"_id": 7}`)
	resp = w.Must(wire.OpDocInsert, &wire.DocInsert{Name: name("c"), Flags: wire.DocUnordered, Docs: docs})
	if m := result(t, &resp); m.Inserted != 2 || len(m.Errors) != 2 || m.Errors[0].Index != 1 || m.Errors[1].Index != 2 || m.Errors[1].Sub != 22 {
		t.Errorf("in any order: %+v", m)
	}
}
