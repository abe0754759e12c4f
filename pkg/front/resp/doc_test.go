package resp

import (
	"bytes"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/skshohagmiah/flin/pkg/extjson"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// docs are documents behind each other, each of relaxed Extended JSON.
func docs(t testing.TB, list ...string) (b []byte) {
	t.Helper()
	for _, text := range list {
		doc, err := extjson.Document([]byte(text))
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		b = append(b, doc...)
	}
	return b
}

// lineOf is a command as an array of bulk strings, which may have spaces.
func lineOf(args ...string) string {
	var b []byte
	b = appendArray(b, len(args))
	for _, a := range args {
		b = appendBulk(b, a)
	}
	return strings.TrimSuffix(string(b), "\r\n")
}

func written(m wire.DocResult) wire.Response { return wire.Response{Body: m.Append(nil)} }

func docIndexes(t testing.TB) wire.Response {
	field := []wire.DocIndexField{{Path: []byte("a.b")}, {Path: []byte("c"), Desc: true}}
	b := wire.AppendDocIndexInfo(nil, &wire.DocIndexInfo{Spec: wire.DocIndexSpec{Name: []byte("_id_"), Fields: []wire.DocIndexField{{Path: []byte("_id")}}}, Entries: 5})
	return wire.Response{Body: wire.AppendDocIndexInfo(b, &wire.DocIndexInfo{
		Spec:  wire.DocIndexSpec{Name: []byte("x"), Fields: field, Flags: 15, TTL: 60, Partial: docs(t, `{"a":1}`)},
		State: wire.DocIndexFailed, Multikey: true, Entries: 7, Seen: 3, Reason: []byte("why"),
	})}
}

func TestEveryDocumentCommandAsksAndReplies(t *testing.T) {
	s, q := serveQueues(t)
	c := s.dial(t)
	num := func(n int64) wire.Response { return wire.Response{Num: n} }
	two := wire.Response{Body: docs(t, `{"_id":1,"a":{"$date":"2026-11-23T18:00:00Z"}}`, `{"_id":{"$oid":"000000000000000000000001"},"b":[1.5,{"$numberDecimal":"2.50"}]}`)}
	const both = `*[{"_id":1,"a":{"$date":"2026-11-23T18:00:00Z"}} {"_id":{"$oid":"000000000000000000000001"},"b":[1.5,{"$numberDecimal":"2.50"}]}]`
	id := []byte{byte(bson.TypeInt32), 7, 0, 0, 0}
	duplicate := wire.DocError{Index: 1, Code: wire.Exists, Sub: 11000, Msg: []byte("E11000 duplicate key")}
	none := wire.Failf(wire.NotFound, "there is no collection c")
	indexes := `*[*[name _id_ keys {"_id":1} unique :0 sparse :0 ttl nil partial nil state ready multikey :0 entries :5 seen :0 reason ] ` +
		`*[name x keys {"a.b":1,"c":-1} unique :1 sparse :1 ttl :60 partial {"a":1} state failed multikey :1 entries :7 seen :3 reason why]]`
	info := func(coll string) []byte {
		return wire.AppendDocCollectionInfo(nil, &wire.DocCollectionInfo{Name: wire.DocName{DB: []byte("default"), Coll: []byte(coll)}})
	}
	for _, tc := range []struct {
		line   []string
		op     wire.Op
		answer wire.Response
		asked  string
		reply  string
	}{
		{[]string{"DOC.INSERT", "c", `{"_id": "k", "n": 30}`}, wire.OpDocInsert, written(wire.DocResult{Inserted: 1}), `doc-insert default.c 0 {"_id":"k","n":30}`, `*["k"]`},
		{
			[]string{"doc.insert", "c", `{"a":1,"_id":{"x":1}}`, ` {"b":{"$numberLong":"5"},"_id":2}`, "db", "other"},
			wire.OpDocInsert, written(wire.DocResult{Inserted: 2}),
			`doc-insert other.c 0 {"a":1,"_id":{"x":1}} {"b":5,"_id":2}`, `*[{"x":1} 2]`,
		},
		{
			[]string{"DOC.INSERT", "c", `{"_id":1}`},
			wire.OpDocInsert, written(wire.DocResult{Errors: []wire.DocError{duplicate}}), `doc-insert default.c 0 {"_id":1}`,
			"-ERR E11000 duplicate key",
		},
		{
			[]string{"DOC.INSERT", "c", `{"_id":1}`, `{"_id":1}`},
			wire.OpDocInsert, written(wire.DocResult{Inserted: 1, Errors: []wire.DocError{duplicate}}),
			`doc-insert default.c 0 {"_id":1} {"_id":1}`, "-ERR 1 of 2 documents were inserted; number 2 was not: E11000 duplicate key",
		},
		{[]string{"DOC.INSERT", "c", `{"_id":1}`}, wire.OpDocInsert, wire.Failf(wire.Full, "disk is full"), `doc-insert default.c 0 {"_id":1}`, "-OOM disk is full"},
		{[]string{"DOC.FIND", "c", `{}`}, wire.OpDocFind, two, `doc-find default.c {} - - 0 0 1000`, both},
		{[]string{"DOC.FIND", "c", `{}`}, wire.OpDocFind, num(0), `doc-find default.c {} - - 0 0 1000`, "*[]"},
		{
			[]string{"doc.find", "c", `{"a": {"$gte": 5}}`, "limit", "10", "SORT", `{"b": -1}`, "db", "d", "FIELDS", `{"a":1}`, "skip", "3"},
			wire.OpDocFind, two,
			`doc-find d.c {"a":{"$gte":5}} {"b":-1} {"a":1} 3 10 10`, both,
		},
		{[]string{"DOC.FIND", "c", `{"$foo":1}`}, wire.OpDocFind, wire.Failf(wire.Invalid, "unknown operator: $foo"), `doc-find default.c {"$foo":1} - - 0 0 1000`, "-ERR unknown operator: $foo"},
		{[]string{"DOC.COUNT", "c", `{"a":1}`, "LIMIT", "5"}, wire.OpDocCount, num(3), `doc-count default.c {"a":1} - - 0 5 0`, ":3"},
		{[]string{"DOC.UPDATE", "c", `{"a":1}`, `{"$set":{"b":2}}`}, wire.OpDocUpdate, written(wire.DocResult{Matched: 3, Modified: 2}), `doc-update default.c 2 {"a":1} {"$set":{"b":2}}`, "*[:3 :2 nil]"},
		{
			[]string{"DOC.UPDATE", "c", `{"a":1}`, `{"$set":{"b":2}}`, "UPSERT", "ONE"},
			wire.OpDocUpdate, written(wire.DocResult{IDs: []wire.DocID{{Value: id}}}),
			`doc-update default.c 4 {"a":1} {"$set":{"b":2}}`, "*[:0 :0 7]",
		},
		{[]string{"DOC.UPDATE", "c", `{"a":1}`, `{"b":2}`, "DB", "d"}, wire.OpDocUpdate, written(wire.DocResult{Matched: 1}), `doc-update d.c 0 {"a":1} {"b":2}`, "*[:1 :0 nil]"},
		{
			[]string{"DOC.UPDATE", "c", `{}`, `{}`},
			wire.OpDocUpdate, written(wire.DocResult{Matched: 5, Modified: 4, Errors: []wire.DocError{duplicate}}), `doc-update default.c 0 {} {}`,
			"-ERR after 4 documents: E11000 duplicate key",
		},
		{[]string{"DOC.DELETE", "c", `{"a":1}`}, wire.OpDocDelete, written(wire.DocResult{Deleted: 3}), `doc-delete default.c 2 {"a":1} -`, ":3"},
		{[]string{"DOC.DELETE", "c", `{"a":1}`, "one"}, wire.OpDocDelete, written(wire.DocResult{Deleted: 1}), `doc-delete default.c 0 {"a":1} -`, ":1"},
		{[]string{"DOC.DELETE", "c", `{}`}, wire.OpDocDelete, written(wire.DocResult{Deleted: 2, Errors: []wire.DocError{duplicate}}), `doc-delete default.c 2 {} -`, "-ERR after 2 documents: E11000 duplicate key"},
		{
			[]string{"DOC.AGGREGATE", "c", ` [{"$match": {"a": 1}}, {"$count": "n"}]`},
			wire.OpDocAggregate, two,
			`doc-aggregate default.c {"p":[{"$match":{"a":1}},{"$count":"n"}]} 1000`, both,
		},
		{[]string{"DOC.INDEX", "c", `{"a.b":1,"c":-1.0}`}, wire.OpDocIndex, wire.Response{Num: 1, Body: []byte("a.b_1_c_-1")}, `doc-index default.c "" [{a.b false}{c true}] 0 0 -`, "a.b_1_c_-1"},
		{
			[]string{"DOC.INDEX", "c", `{"at":1}`, "UNIQUE", "NAME", "x", "TTL", "60", "SPARSE", "PARTIAL", `{"a":1}`, "DB", "d"},
			wire.OpDocIndex,
			wire.Response{Body: []byte("x")},
			`doc-index d.c "x" [{at false}] 15 60 {"a":1}`, "x",
		},
		{[]string{"DOC.INDEX", "c", `{"a":1}`}, wire.OpDocIndex, wire.Failf(wire.Exists, "E11000"), `doc-index default.c "" [{a false}] 0 0 -`, "-ERR E11000"},
		{[]string{"DOC.INDEXES", "c"}, wire.OpDocIndexes, docIndexes(t), "doc-indexes default.c", indexes},
		{[]string{"DOC.INDEXES", "c", "DB", "d"}, wire.OpDocIndexes, none, "doc-indexes d.c", "-ERR there is no collection c"},
		{[]string{"DOC.DROPINDEX", "c", "x"}, wire.OpDocDropIndex, num(1), "doc-dropindex default.c x", ":1"},
		{[]string{"DOC.COLLECTIONS"}, wire.OpDocCollections, wire.Response{Body: append(info("a"), info("b")...)}, "doc-collections default . 1000", "*[a b]"},
		{[]string{"DOC.COLLECTIONS", "DB", "d"}, wire.OpDocCollections, num(0), "doc-collections d . 1000", "*[]"},
		{[]string{"DOC.DROP", "c"}, wire.OpDocDrop, num(1), "doc-drop default.c", ":1"},
		{
			[]string{"DOC.EXPLAIN", "c", `{"a":1}`, "SORT", `{"b":1}`, "LIMIT", "5"},
			wire.OpDocExplain,
			wire.Response{Body: docs(t, `{"queryPlanner":{"winningPlan":{"stage":"IXSCAN"}}}`)},
			`doc-explain doc-find true default.c {"a":1} {"b":1} - 0 5 0`, `{"queryPlanner":{"winningPlan":{"stage":"IXSCAN"}}}`,
		},
	} {
		q.set(tc.op, tc.answer)
		c.want(lineOf(tc.line...), tc.reply)
		if got := q.last(); got != tc.asked {
			t.Errorf("%q: asked %q, want %q", tc.line, got, tc.asked)
		}
	}
}

func TestADocumentWithoutAnIDGetsOneThatIsReplied(t *testing.T) {
	s, q := serveQueues(t)
	c := s.dial(t)
	q.set(wire.OpDocInsert, written(wire.DocResult{Inserted: 2}))
	c.send(lineOf("DOC.INSERT", "c", `{"a":1}`, `{}`))
	if got := anObjectID.ReplaceAllString(c.read(), `"…"`); got != `*[{"$oid":"…"} {"$oid":"…"}]` {
		t.Errorf("%s", got)
	}
	if got := q.last(); got != `doc-insert default.c 0 {"_id":{"$oid":"…"},"a":1} {"_id":{"$oid":"…"}}` {
		t.Errorf("%s", got)
	}
}

func TestInVersionThreeIndexesAreMaps(t *testing.T) {
	s, q := serveQueues(t)
	c := s.dial(t)
	c.send("HELLO 3")
	c.read()
	q.set(wire.OpDocIndexes, docIndexes(t))
	c.want("DOC.INDEXES c", `*[%[name _id_ keys {"_id":1} unique :0 sparse :0 ttl _ partial _ state ready multikey :0 entries :5 seen :0 reason ] `+
		`%[name x keys {"a.b":1,"c":-1} unique :1 sparse :1 ttl :60 partial {"a":1} state failed multikey :1 entries :7 seen :3 reason why]]`)
	q.set(wire.OpDocUpdate, written(wire.DocResult{Matched: 1}))
	c.want(lineOf("DOC.UPDATE", "c", "{}", `{"$set":{"a":1}}`), "*[:1 :0 _]")
}

func TestADocumentCommandThatMakesNoSenseIsExplained(t *testing.T) {
	s, q := serveQueues(t)
	c := s.dial(t)
	for _, tc := range []struct {
		says string
		line []string
	}{
		{"-ERR wrong number of arguments for 'doc.insert' command", []string{"DOC.INSERT", "c"}},
		{"-ERR document 1 is no document in JSON: invalid character 'n'", []string{"DOC.INSERT", "c", "{not}"}},
		{"-ERR document 1 is no document in JSON: it does not begin with a {", []string{"DOC.INSERT", "c", "7"}},
		{"-ERR document 2 is no document in JSON: unexpected end", []string{"DOC.INSERT", "c", "{}", `{"a":`}},
		{"-ERR document 1 is no document in JSON: invalid character 'x' after top-level value", []string{"DOC.INSERT", "c", `{"a":1} x`}},
		{"-ERR document 1 is no document in JSON: ", []string{"DOC.INSERT", "c", `{"a":{"$oid":"x"}}`}},
		{"-ERR document 1 is no document in JSON: ", []string{"DOC.INSERT", "c", strings.Repeat(`{"a":`, 300) + "1" + strings.Repeat("}", 300)}},
		{"-ERR syntax error: DOC.INSERT has no option '[]'", []string{"DOC.INSERT", "c", "{}", "[]"}},
		{"-ERR syntax error: DB needs a value", []string{"DOC.INSERT", "c", "{}", "DB"}},
		{"-ERR syntax error: DOC.INSERT has no option 'ONE'", []string{"DOC.INSERT", "c", "{}", "ONE"}},
		{"-ERR the filter is no document in JSON: it does not begin with a {", []string{"DOC.FIND", "c", "[]"}},
		{"-ERR SORT is no document in JSON", []string{"DOC.FIND", "c", "{}", "SORT", "x"}},
		{"-ERR LIMIT must be a whole number", []string{"DOC.FIND", "c", "{}", "LIMIT", "-1"}},
		{"-ERR syntax error: DOC.COUNT has no option 'SORT'", []string{"DOC.COUNT", "c", "{}", "SORT", "{}"}},
		{"-ERR the update is no document in JSON", []string{"DOC.UPDATE", "c", "{}", `[{"$set":{}}]`}},
		{"-ERR the filter is no document in JSON", []string{"DOC.UPDATE", "c", "", "{}"}},
		{"-ERR syntax error: DOC.DELETE has no option 'ALL'", []string{"DOC.DELETE", "c", "{}", "ALL"}},
		{"-ERR the pipeline is no array in JSON: it does not begin with a [", []string{"DOC.AGGREGATE", "c", "{}"}},
		{"-ERR the pipeline is no array in JSON: ", []string{"DOC.AGGREGATE", "c", `[],"x":[]`}},
		{"-ERR key 'a' of an index must be 1 to ascend or -1 to descend", []string{"DOC.INDEX", "c", `{"a":"text"}`}},
		{"-ERR key 'b' of an index must be 1", []string{"DOC.INDEX", "c", `{"a":1,"b":2}`}},
		{"-ERR TTL must be a whole number", []string{"DOC.INDEX", "c", `{"a":1}`, "TTL", "-5"}},
		{"-ERR PARTIAL is no document", []string{"DOC.INDEX", "c", `{"a":1}`, "PARTIAL", "5"}},
		{"-ERR the name of a collection is empty", []string{"DOC.DROP", ""}},
		{"-ERR syntax error: DOC.COLLECTIONS has no option 'MATCH'", []string{"DOC.COLLECTIONS", "MATCH", "*"}},
	} {
		c.send(lineOf(tc.line...))
		if got := c.read(); !strings.HasPrefix(got, tc.says) {
			t.Errorf("%.80q: %q, want %q", tc.line, got, tc.says)
		}
	}
	if got := q.last(); got != "nothing" {
		t.Errorf("the engine was asked: %s", got)
	}
}

func TestAResultOfSeveralAnswersIsOneReply(t *testing.T) {
	s, q := serveQueues(t)
	c := s.dial(t)
	q.set(wire.OpDocFind, wire.Response{Num: 77, Body: docs(t, `{"_id":1}`)})
	q.set(wire.OpDocMore, wire.Response{Body: docs(t, `{"_id":2}`, `{"_id":3}`)})
	c.want(lineOf("DOC.FIND", "c", "{}"), `*[{"_id":1} {"_id":2} {"_id":3}]`)
	if got := q.last(); got != "doc-more 77 1000" {
		t.Error(got)
	}
	q.set(wire.OpDocMore, wire.Failf(wire.NotFound, "the cursor is gone"))
	c.want(lineOf("DOC.FIND", "c", "{}"), "-ERR the cursor is gone")
	c.want(lineOf("DOC.FIND", "c", "{}", "LIMIT", "5"), "-ERR the documents take more than one answer has room for: use a smaller LIMIT, or FIELDS")
}

func TestAResultOverTheLimitOfAReplyIsRefusedAndItsCursorGivenUp(t *testing.T) {
	s, q := serveQueues(t)
	c := s.dial(t)
	large := docs(t, `{"_id":1,"text":"`+strings.Repeat("x", 1<<20)+`"}`)
	q.set(wire.OpDocFind, wire.Response{Num: 77, Body: bytes.Repeat(large, 15)})
	q.set(wire.OpDocMore, wire.Response{Num: 77, Body: bytes.Repeat(large, 15)})
	q.set(wire.OpDocKill, wire.Response{Num: 1})
	c.send(lineOf("DOC.FIND", "c", "{}"))
	if got := c.read(); !strings.HasPrefix(got, "-ERR the documents take more than ") || !strings.HasSuffix(got, "use LIMIT and SKIP, or FIELDS") {
		t.Errorf("%.200q", got)
	}
	if got := q.last(); got != "doc-kill [77]" {
		t.Error(got)
	}
}

func TestAnOddAnswerOfTheDocumentEngineIsAnError(t *testing.T) {
	s, q := serveQueues(t)
	c := s.dial(t)
	for op, line := range map[wire.Op]string{
		wire.OpDocInsert: "DOC.INSERT c {}", wire.OpDocFind: "DOC.FIND c {}", wire.OpDocUpdate: "DOC.UPDATE c {} {}", wire.OpDocDelete: "DOC.DELETE c {}",
		wire.OpDocAggregate: "DOC.AGGREGATE c []", wire.OpDocIndexes: "DOC.INDEXES c", wire.OpDocCollections: "DOC.COLLECTIONS", wire.OpDocExplain: "DOC.EXPLAIN c {}",
	} {
		for _, body := range [][]byte{{1}, {1, 2, 3}, bytes.Repeat([]byte{0xff}, 20), {9, 0, 0, 0, 0x10, 'a', 0, 1, 0}} {
			q.set(op, wire.Response{Body: body})
			c.send(line)
			if got := c.read(); !strings.HasPrefix(got, "-ERR the engine's answer cannot be read") {
				t.Errorf("%s, % x: %q", line, body, got)
			}
		}
	}
	q.set(wire.OpDocUpdate, written(wire.DocResult{IDs: []wire.DocID{{Value: []byte{0x10, 1}}}}))
	c.send("DOC.UPDATE c {} {}")
	if got := c.read(); !strings.HasPrefix(got, "-ERR the engine's answer cannot be read") {
		t.Errorf("%q", got)
	}
	c.want("PING", "+PONG")
}

func TestDocumentCommandsMayBePipelined(t *testing.T) {
	s, q := serveQueues(t)
	c := s.dial(t)
	q.set(wire.OpDocInsert, written(wire.DocResult{Inserted: 1}))
	q.set(wire.OpDocFind, wire.Response{Body: docs(t, `{"_id":1}`)})
	c.send(lineOf("DOC.INSERT", "c", `{"_id":1}`), lineOf("DOC.FIND", "c", `{"_id":1}`, "LIMIT", "1"), "DOC.FIND c {}", lineOf("DOC.INSERT", "c", `{"_id":2}`), "PING")
	for _, want := range []string{"*[1]", `*[{"_id":1}]`, `*[{"_id":1}]`, "*[2]", "+PONG"} {
		if got := c.read(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestAnIndexThatIsBeingBuiltHoldsUpItsConnectionUntilItIsWithdrawn(t *testing.T) {
	s, q := serveQueues(t)
	a, b := s.dial(t), s.dial(t)
	a.send("CLIENT ID")
	id := strings.TrimPrefix(a.read(), ":")
	a.send(lineOf("DOC.INDEX", "c", `{"a":1}`), "PING")
	q.parked(1)
	for got := ":0"; got != ":1"; { // it is parked a moment before it is known to wait
		b.send("CLIENT UNBLOCK " + id)
		got = b.read()
	}
	<-q.canceled
	for _, want := range []string{"nil", "+PONG"} {
		if got := a.read(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	a.send(lineOf("DOC.INDEX", "c", `{"a":1}`))
	q.parked(1)
	_ = a.nc.Close()
	<-q.canceled
}

func TestCollectionsAreNoPartOfTransactionsNorTheirNamesKeys(t *testing.T) {
	s, q := serveQueues(t)
	c := s.dial(t)
	for _, cmd := range docCommands() {
		line := cmd.name + strings.Repeat(" 1", max(cmd.arity, -cmd.arity, 2)-1)
		c.want("MULTI", "+OK")
		c.want(line, "-ERR "+upper(cmd.name)+" is not allowed in transactions: it cannot be part of one atomic entry")
		c.want("EXEC", "-EXECABORT Transaction discarded because of previous errors.")
		c.want("COMMAND GETKEYS "+line, "-ERR The command has no key arguments")
		c.send("COMMAND DOCS " + cmd.name)
		if got := c.read(); !strings.Contains(got, upper(cmd.name)) || !strings.Contains(got, "group document") {
			t.Errorf("COMMAND DOCS says %q", got)
		}
	}
	if got := q.last(); got != "nothing" {
		t.Errorf("the engine was asked: %s", got)
	}
}
