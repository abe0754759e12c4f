package systest

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/skshohagmiah/flin/clients/go"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// isMongo fails t unless err has MongoDB's code and says the parts.
func isMongo(t *testing.T, err, is error, code uint32, parts ...string) {
	t.Helper()
	e, ok := errors.AsType[*flin.Error](err)
	if !ok || !errors.Is(err, is) || e.Sub != code {
		t.Errorf("it is answered %v (%#v), not %v with code %d", err, e, is, code)
		return
	}
	says(t, err.Error(), parts...)
}

// A cursor that is not there, was given up, or belonged to a server that has been killed, is MongoDB's CursorNotFound.
func TestACursorThatIsNotThereIsToldSo(t *testing.T) {
	s := start(t)
	db := newClient(t, s.addrs()).DB
	var docs []flin.Document
	for i := range 100 {
		docs = append(docs, flin.Document{"_id": int32(i)})
	}
	if _, err := db.InsertMany("c", docs); err != nil {
		t.Fatal(err)
	}
	n := dialFrames(t, s.port)
	defer n.close()
	missing := func(n *frames, cursor uint64) {
		t.Helper()
		resp := n.do(t, wire.OpDocMore, (&wire.DocMore{Cursor: cursor, Batch: 10}).Append(nil))
		if resp.Code != wire.NotFound || resp.Sub != wire.DocCursorNotFound {
			t.Errorf("cursor %d: %v %d %q", cursor, resp.Code, resp.Sub, resp.Body)
		}
		says(t, string(resp.Body), fmt.Sprint(cursor))
	}
	find := func() uint64 {
		t.Helper()
		resp := n.do(t, wire.OpDocFind, (&wire.DocFind{Name: wire.DocName{DB: []byte(wire.DocDatabase), Coll: []byte("c")}, Batch: 10}).Append(nil))
		if resp.Code != wire.OK || resp.Num == 0 {
			t.Fatalf("find: %v %d %q", resp.Code, resp.Num, resp.Body)
		}
		return uint64(resp.Num)
	}
	missing(n, 0)
	missing(n, 12345)
	cursor := find()
	if resp := n.do(t, wire.OpDocMore, (&wire.DocMore{Cursor: cursor, Batch: 10}).Append(nil)); resp.Code != wire.OK || uint64(resp.Num) != cursor {
		t.Errorf("more: %v %d %q", resp.Code, resp.Num, resp.Body)
	}
	if resp := n.do(t, wire.OpDocKill, (&wire.DocKill{Cursors: []uint64{cursor, 12345}}).Append(nil)); resp.Code != wire.OK || resp.Num != 1 {
		t.Errorf("kill: %v %d %q", resp.Code, resp.Num, resp.Body)
	}
	missing(n, cursor)

	cursor = find()
	came := 0
	for doc, err := range db.Query("c").OrderBy("_id", flin.Asc).Batch(10).Iter() {
		if came == 10 {
			isMongo(t, err, flin.ErrNotFound, wire.DocCursorNotFound)
			break
		}
		if err != nil || doc["_id"] != int32(came) {
			t.Fatalf("document %d: %v, %v", came, doc, err)
		}
		if came++; came == 10 {
			s.kill()
			s.launch()
		}
	}
	fresh := dialFrames(t, s.port)
	defer fresh.close()
	missing(fresh, cursor)
	sameDocs(t, "everything", db.Query("c"), docs)
}

// A sort that needs more memory than a request may have is refused with the limit and the remedy; by an index, or for the first few,
// it needs none.
func TestASortOverItsMemoryLimitIsRefused(t *testing.T) {
	s := start(t)
	db := newClient(t, s.addrs()).DB
	const n, size = 9, 13 << 20
	for i := range int32(n) {
		if _, err := db.Insert("c", sized(i, size)); err != nil {
			t.Fatal(err)
		}
	}
	ids := func(q *flin.Query) (list []any, err error) {
		for doc, err := range q.Batch(1).Iter() {
			if err != nil {
				return nil, err
			}
			list = append(list, doc["_id"])
		}
		return list, nil
	}
	_, err := ids(db.Query("c").OrderBy("key", flin.Asc))
	isMongo(t, err, flin.ErrTooLarge, 292, "sort", "index")
	for _, err := range db.Aggregate("c", []flin.Document{{"$group": flin.Document{"_id": nil, "all": flin.Document{"$push": "$p"}}}}) {
		if errors.Is(err, flin.ErrTooLarge) {
			says(t, err.Error(), "limit")
		} else {
			t.Errorf("a group that is too large is answered %v", err)
		}
		break
	}
	for what, q := range map[string]*flin.Query{
		"the first":          db.Query("c").OrderBy("key", flin.Asc).Take(1),
		"the second":         db.Query("c").OrderBy("key", flin.Asc).Skip(1).Take(1),
		"one that is chosen": db.Query("c").Where("_id", flin.Gte, 7).OrderBy("key", flin.Asc),
	} {
		if list, err := ids(q); err != nil || len(list) == 0 {
			t.Errorf("%s: %v, %v", what, list, err)
		}
	}
	if _, err := db.CreateIndex("c", []string{"key"}); err != nil {
		t.Fatal(err)
	}
	list, err := ids(db.Query("c").OrderBy("key", flin.Asc))
	if want := "[8 7 6 5 4 3 2 1 0]"; err != nil || fmt.Sprint(list) != want {
		t.Errorf("by an index: %v, not %s: %v", list, want, err)
	}
	stillServes(t, s)
}

// Expressions that take an exponential time elsewhere are answered, and nobody waits for them.
func TestExpressionsThatExplodeElsewhereDoNotHere(t *testing.T) {
	s := start(t)
	db := newClient(t, s.addrs()).DB
	docs := []flin.Document{{"_id": 1, "s": strings.Repeat("a", 1<<17) + "!"}, {"_id": 2, "s": strings.Repeat("ab", 1<<16)}, {"_id": 3, "s": strings.Repeat("a", 30)}}
	if _, err := db.InsertMany("c", docs); err != nil {
		t.Fatal(err)
	}
	_, err := db.CreateIndex("c", []string{"s"})
	isMongo(t, err, flin.ErrTooLarge, wire.DocKeyTooLong, "s_1", "48000")
	for expression, want := range map[string]int64{
		"^(a+)+$": 1, "^(a|aa)+$": 1, "(a*)*b": 1, "^(a|a?)+$": 1, "(x+x+)+y": 0, "^(.*)*!$": 1, "(a?){30}a{30}$": 1, "([a-zA-Z]+)*!$": 1,
	} {
		for _, c := range []flin.Condition{flin.Where("s", flin.Regex, expression), flin.FilterDoc(flin.Document{"s": bson.Regex{Pattern: expression, Options: "i"}})} {
			if n, err := db.Query("c").Filter(c).Count(); err != nil || n != want {
				t.Errorf("%s: %d, not %d: %v", expression, n, want, err)
			}
		}
		stillServes(t, s)
	}
}

// docOps are the operations of the documents whose answers are not streams.
func docOps() (ops []wire.Op) {
	for op := wire.Op(wire.EngineDoc) << 8; op>>8 == wire.Op(wire.EngineDoc); op++ {
		if !op.Streams() {
			ops = append(ops, op)
		}
	}
	return ops
}

// Every operation on documents with every kind of garbage for a payload, and real ones with some bytes changed, is answered; what of it
// got into the log is applied again at the next start.
func TestGarbagePayloadsOfDocumentOperations(t *testing.T) {
	s := start(t)
	rng := rand.New(rand.NewPCG(seeded(t), 17))
	db := newClient(t, s.addrs()).Database("canary")
	unharmed := docCanary(t, db, "c")
	name := wire.DocName{DB: []byte("g"), Coll: []byte("c")}
	doc := func(d flin.Document) []byte {
		b, err := bson.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	filter, update := doc(flin.Document{"a": flin.Document{"$gte": 1}}), doc(flin.Document{"$set": flin.Document{"b.c": []any{1, "x"}}})
	write := wire.DocUpdate{Name: name, Flags: wire.DocMulti | wire.DocUpsert, Filter: filter, Update: update}
	pipeline := doc(flin.Document{"0": flin.Document{"$match": flin.Document{"a": 1}}, "1": flin.Document{"$group": flin.Document{"_id": "$b"}}})
	samples := map[wire.Op][]byte{
		wire.OpDocInsert:    (&wire.DocInsert{Name: name, Docs: [][]byte{doc(flin.Document{"a": 1, "b": []any{1, "x"}}), doc(flin.Document{"_id": 5.5})}}).Append(nil),
		wire.OpDocFind:      (&wire.DocFind{Name: name, Filter: filter, Sort: doc(flin.Document{"b": 1}), Project: doc(flin.Document{"a": 1}), Limit: 5}).Append(nil),
		wire.OpDocUpdate:    write.Append(nil),
		wire.OpDocDelete:    (&wire.DocUpdate{Name: name, Filter: filter}).Append(nil),
		wire.OpDocModify:    (&wire.DocUpdate{Name: name, Flags: wire.DocReturnNew, Filter: filter, Update: update}).Append(nil),
		wire.OpDocWrite:     (&wire.DocWrite{Writes: []wire.DocWriteOp{{Op: wire.OpDocUpdate, DocUpdate: write}}}).Append(nil),
		wire.OpDocAggregate: (&wire.DocAggregate{Name: name, Pipeline: pipeline}).Append(nil),
		wire.OpDocIndex:     (&wire.DocIndex{Name: name, Spec: wire.DocIndexSpec{Fields: []wire.DocIndexField{{Path: []byte("a")}}}}).Append(nil),
	}
	n := dialFrames(t, s.port)
	defer n.close()
	const rounds = 150
	for _, op := range docOps() {
		var sent bytes.Buffer
		for range rounds {
			body := bytes.Clone(samples[op])
			for range 1 + rng.IntN(3) {
				if len(body) > 0 {
					body[rng.IntN(len(body))] = byte(rng.Uint32())
				}
			}
			if len(body) == 0 || rng.IntN(3) == 0 {
				body = make([]byte, rng.IntN(40))
				for i := range body {
					body[i] = byte(rng.IntN(1 << (1 + rng.IntN(8))))
				}
			}
			sent.Write(n.frame(op, body))
		}
		go func() { _, _ = n.conn.Write(sent.Bytes()) }() // a failure shows in what is read
		for range rounds {
			_, resp, err := n.read()
			if err != nil {
				t.Fatalf("%v: %v\n%s", op, err, s.log.tail(4<<10))
			}
			if op >= wire.OpDocApply && resp.Code != wire.Unsupported {
				t.Fatalf("%v, the engine's own, is answered %v %q", op, resp.Code, resp.Body)
			}
		}
	}
	unharmed()
	stillServes(t, s)
	s.kill()
	s.launch()
	unharmed()
	stillServes(t, s)
	s.kill()
	verifyStopped(t, s)
}
