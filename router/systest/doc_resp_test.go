package systest

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/redis/go-redis/v9"

	"github.com/skshohagmiah/flin/clients/go"
)

// asked sends a command and returns what a person would see of its answer.
func asked(t *testing.T, c *redis.Client, args ...any) string {
	t.Helper()
	v, err := c.Do(t.Context(), args...).Result()
	if err != nil {
		return err.Error()
	}
	return fmt.Sprint(v)
}

// A collection's life, said by a client of Redis in both versions of its protocol.
func TestACollectionsLifeOverRESP(t *testing.T) {
	for _, version := range []int{2, 3} {
		s := start(t)
		c := redisClient(t, s.port, version)
		try(t, c, `
			DOC.COLLECTIONS -> []
			DOC.FIND users {} -> []
			DOC.INSERT users {"_id":1,"name":"Ada","age":36,"tags":["x","y"]} -> [1]
			DOC.INSERT users {"_id":"b","name":"Bob","age":25.5} {"_id":{"k":2},"name":"Cyd","born":{"$date":"1990-01-02T03:04:05Z"}} -> ["b" {"k":2}]
			DOC.FIND users {"_id":1} -> [{"_id":1,"name":"Ada","age":36,"tags":["x","y"]}]
			DOC.FIND users {"age":{"$gt":30}} FIELDS {"name":1,"_id":0} -> [{"name":"Ada"}]
			DOC.FIND users {} SORT {"name":-1} SKIP 1 LIMIT 1 FIELDS {"name":1} -> [{"_id":"b","name":"Bob"}]
			DOC.FIND users {"tags":"y"} FIELDS {"tags":1} -> [{"_id":1,"tags":["x","y"]}]
			DOC.COUNT users {} -> 3
			DOC.COUNT users {} SKIP 1 LIMIT 1 -> 1
			DOC.UPDATE users {"_id":1} {"$inc":{"age":1},"$push":{"tags":"z"}} -> [1 1 <nil>]
			DOC.UPDATE users {"_id":1} {"$set":{"age":37}} -> [1 0 <nil>]
			DOC.UPDATE users {} {"$set":{"seen":true}} ONE -> [1 1 <nil>]
			DOC.UPDATE users {} {"$set":{"seen":true}} -> [3 2 <nil>]
			DOC.UPDATE users {"name":"Dee"} {"$set":{"age":4},"$setOnInsert":{"_id":{"$numberLong":"99"}}} UPSERT -> [0 0 99]
			DOC.UPDATE users {"_id":"b"} {"name":"Ben"} -> [1 1 <nil>]
			DOC.FIND users {"_id":"b"} -> [{"_id":"b","name":"Ben"}]
			DOC.INDEX users {"age":1} -> age_1
			DOC.INDEX users {"age":1} -> age_1
			DOC.INDEX users {"name":1,"age":-1} UNIQUE NAME who -> who
			DOC.INDEX users {"born":1} TTL 2000000000 PARTIAL {"age":{"$gt":5}} -> born_1
			DOC.COUNT users {"age":{"$gte":4,"$lte":37}} -> 2
			DOC.AGGREGATE users [{"$match":{"age":{"$exists":true}}},{"$group":{"_id":null,"sum":{"$sum":"$age"},"n":{"$sum":1}}}] -> [{"_id":null,"sum":41,"n":2}]
			DOC.AGGREGATE users [{"$sort":{"name":1}},{"$limit":2},{"$project":{"_id":0,"name":1}}] -> [{"name":"Ada"} {"name":"Ben"}]
			DOC.DROPINDEX users age_1 -> 1
			DOC.DROPINDEX users * -> 2
			DOC.INSERT users {"_id":7} DB other -> [7]
			DOC.FIND users {} DB other -> [{"_id":7}]
			DOC.COLLECTIONS DB other -> [users]
			DOC.COLLECTIONS -> [users]
			DOC.DELETE users {"name":"Dee"} -> 1
			DOC.DELETE users {} ONE -> 1
			DOC.DELETE users {} -> 2
			DOC.DROP users -> 1
			DOC.DROP users -> 0
			DOC.COLLECTIONS -> []
		`)
		stillServes(t, s)
	}
}

// What is written by RESP is read natively, byte for byte, and the other way round; many documents are one reply.
func TestDocumentsOverRESPAndNativelyAreTheSame(t *testing.T) {
	s := start(t)
	c := redisClient(t, s.port, 3)
	db := newClient(t, s.addrs()).DB
	id := asked(t, c, "DOC.INSERT", "c", `{"int": 5, "long": {"$numberLong": "5000000000"}, "double": 1.0, "decimal": {"$numberDecimal": "1.50"}, "text": "ü \" \\ \u0001", "null": null, "deep": {"b": [1, [2], {"c": true}]}, "bin": {"$binary": {"base64": "AQID", "subType": "00"}}}`)
	hex := regexp.MustCompile(`^\[\{"\$oid":"([0-9a-f]{24})"\}\]$`).FindStringSubmatch(id)
	if hex == nil {
		t.Fatalf("an insert without an _id is answered %s", id)
	}
	oid, err := flin.ParseObjectID(hex[1])
	if err != nil {
		t.Fatal(err)
	}
	decimal, err := flin.ParseDecimal128("1.50")
	if err != nil {
		t.Fatal(err)
	}
	want := flin.Document{
		"_id": oid, "int": int32(5), "long": int64(5_000_000_000), "double": 1.0, "decimal": decimal, "text": "ü \" \\ \x01", "null": nil,
		"deep": flin.Document{"b": []any{int32(1), []any{int32(2)}, flin.Document{"c": true}}}, "bin": []byte{1, 2, 3},
	}
	got, err := db.Get("c", oid)
	if why := differs(want, got); err != nil || why != "" {
		t.Errorf("what RESP has written: %s, %v", why, err)
	}
	got["_id"] = "copy"
	if _, err := db.Insert("c", got); err != nil {
		t.Fatal(err)
	}
	if there := asked(t, c, "DOC.FIND", "c", `{"_id":"copy"}`); !strings.Contains(there, `"decimal":{"$numberDecimal":"1.50"}`) || !strings.Contains(there, `"long":5000000000`) || !strings.Contains(there, `"double":1.0`) {
		t.Errorf("what was written natively: %s", there)
	}

	var docs []flin.Document
	for i := range int32(5000) {
		docs = append(docs, flin.Document{"_id": i, "half": i / 2})
	}
	if _, err := db.InsertMany("many", docs); err != nil {
		t.Fatal(err)
	}
	list, err := c.Do(t.Context(), "DOC.FIND", "many", "{}", "SORT", `{"_id":-1}`).StringSlice()
	if err != nil || len(list) != len(docs) || list[0] != `{"_id":4999,"half":2499}` || list[4999] != `{"_id":0,"half":0}` {
		t.Errorf("%d documents: %v", len(list), err)
	}
	pipe := c.Pipeline()
	for i := range 500 {
		pipe.Do(t.Context(), "DOC.UPDATE", "many", fmt.Sprintf(`{"_id":%d}`, i), `{"$inc":{"half":1}}`)
		pipe.Do(t.Context(), "DOC.FIND", "many", fmt.Sprintf(`{"_id":%d}`, i), "FIELDS", `{"half":1,"_id":0}`, "LIMIT", "1")
	}
	answers, err := pipe.Exec(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range answers {
		want := "[1 1 <nil>]"
		if i%2 == 1 {
			want = fmt.Sprintf(`[{"half":%d}]`, i/4+1)
		}
		if got := fmt.Sprint(a.(*redis.Cmd).Val()); got != want {
			t.Fatalf("answer %d of a pipeline is %s, not %s", i, got, want)
		}
	}
	explained := asked(t, c, "DOC.EXPLAIN", "many", `{"_id":5}`)
	says(t, explained, `"totalDocsExamined":1`, `"nReturned":1`)
	indexes := asked(t, c, "DOC.INDEXES", "many")
	says(t, indexes, "_id_", "ready")
}

// What is wrong with a command on documents is said so that a person at redis-cli understands it; the connection goes on, and
// nothing has happened.
func TestBadDocumentCommandsAreRefusedAndTheConnectionGoesOn(t *testing.T) {
	s := start(t)
	db := newClient(t, s.addrs()).DB
	unharmed := docCanary(t, db, "c")
	c := redisClient(t, s.port, 2)
	deep := strings.Repeat(`{"a":`, 150) + "1" + strings.Repeat("}", 150)
	for _, x := range []struct {
		args []any
		says []string
	}{
		{[]any{"DOC.INSERT", "c"}, []string{"wrong number of arguments"}},
		{[]any{"DOC.INSERT", "c", "{not}"}, []string{"JSON"}},
		{[]any{"DOC.INSERT", "c", `{"a":1`}, []string{"JSON"}},
		{[]any{"DOC.INSERT", "c", `{"a":1} {"a":2}`}, []string{"JSON"}},
		{[]any{"DOC.INSERT", "c", `[1]`}, []string{"{"}},
		{[]any{"DOC.INSERT", "c", `{"a":{"$oid":"12"}}`}, []string{"JSON"}},
		{[]any{"DOC.INSERT", "c", deep}, []string{"100"}},
		{[]any{"DOC.INSERT", "c", strings.Repeat(`{"a":`, 100_000) + "1" + strings.Repeat("}", 100_000)}, []string{"ERR"}},
		{[]any{"DOC.INSERT", "c", `{"_id":1}`}, []string{"E11000", "_id_"}},
		{[]any{"DOC.INSERT", "c", `{"u":"one"}`}, []string{"E11000", "u_1"}},
		{[]any{"DOC.INSERT", "c", `{"$set":1}`}, []string{"$set"}},
		{[]any{"DOC.INSERT", "c", `{"_id":[1]}`}, []string{"_id"}},
		{[]any{"DOC.INSERT", "c", `{"p":"` + strings.Repeat("p", 16<<20) + `"}`}, []string{"16777216"}},
		{[]any{"DOC.INSERT", "", `{}`}, []string{"empty"}},
		{[]any{"DOC.INSERT", "a$b", `{}`}, []string{"a$b"}},
		{[]any{"DOC.INSERT", "c", `{}`, "DB", "a.b"}, []string{"a.b"}},
		{[]any{"DOC.INSERT", "c", `{}`, "ONE"}, []string{"ONE"}},
		{[]any{"DOC.FIND", "c", `{"a":{"$foo":1}}`}, []string{"$foo"}},
		{[]any{"DOC.FIND", "c", `{"$foo":1}`}, []string{"$foo"}},
		{[]any{"DOC.FIND", "c", `{"s":{"$regex":"(a"}}`}, []string{"regular expression"}},
		{[]any{"DOC.FIND", "c", `{}`, "LIMIT", "-1"}, []string{"LIMIT"}},
		{[]any{"DOC.FIND", "c", `{}`, "SORT", `{"a":2}`}, []string{"sort"}},
		{[]any{"DOC.FIND", "c", `{}`, "FIELDS", `{"a":1,"s":0}`}, []string{"s"}},
		{[]any{"DOC.UPDATE", "c", `{"_id":1}`}, []string{"wrong number of arguments"}},
		{[]any{"DOC.UPDATE", "c", `{"_id":1}`, `{"$set":{"_id":7}}`}, []string{"_id"}},
		{[]any{"DOC.UPDATE", "c", `{"_id":1}`, `{"$foo":{"a":1}}`}, []string{"$foo"}},
		{[]any{"DOC.UPDATE", "c", `{"_id":1}`, `{"$inc":{"s":1}}`}, []string{"s"}},
		{[]any{"DOC.UPDATE", "c", `{"_id":1}`, `{"$set":{"u":"two"}}`}, []string{"E11000", "u_1"}},
		{[]any{"DOC.UPDATE", "c", `{"_id":1}`, `[{"$set":{"u":"two"}}]`}, []string{"update"}},
		{[]any{"DOC.DELETE", "c", `{"a":{"$foo":1}}`}, []string{"$foo"}},
		{[]any{"DOC.DELETE", "c", `{}`, "ALL"}, []string{"ALL"}},
		{[]any{"DOC.AGGREGATE", "c", `{}`}, []string{"["}},
		{[]any{"DOC.AGGREGATE", "c", `[{"$foo":1}]`}, []string{"$foo"}},
		{[]any{"DOC.AGGREGATE", "c", `[1]`}, []string{"object"}},
		{[]any{"DOC.INDEX", "c", `{}`}, []string{"ERR"}},
		{[]any{"DOC.INDEX", "c", `{"b":"text"}`}, []string{"b", "-1"}},
		{[]any{"DOC.INDEX", "c", `{"b":1}`, "TTL", "-1"}, []string{"TTL"}},
		{[]any{"DOC.INDEX", "c", `{"a":1}`, "UNIQUE"}, []string{"a_1"}},
		{[]any{"DOC.DROPINDEX", "c", "nothing"}, []string{"nothing"}},
		{[]any{"DOC.DROPINDEX", "c", "_id_"}, []string{"_id"}},
		{[]any{"DOC.INDEXES", "nothing"}, []string{"nothing"}},
		{[]any{"DOC.DROP", ""}, []string{"empty"}},
		{[]any{"DOC.NOTHING", "c"}, []string{"unknown command"}},
	} {
		what := fmt.Sprintf("%.80s", fmt.Sprint(x.args...))
		v, err := c.Do(t.Context(), x.args...).Result()
		if err == nil || !strings.HasPrefix(err.Error(), "ERR ") {
			t.Errorf("%s is answered %v, %v", what, v, err)
			continue
		}
		for _, part := range x.says {
			if !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(part)) {
				t.Errorf("%s: %.300q does not say %q", what, err, part)
			}
		}
		if err := c.Ping(t.Context()).Err(); err != nil {
			t.Fatalf("PING after %s: %v", what, err)
		}
	}
	p, err := dialPipe(s.port)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	for _, args := range [][]string{{"DOC.INSERT", "c", "{}"}, {"DOC.FIND", "c", "{}"}, {"DOC.DROP", "c"}} {
		if v, err := p.do("MULTI"); v != "OK" {
			t.Fatal(err)
		}
		if v, err := p.do(args...); err == nil {
			t.Errorf("%v inside MULTI is answered %v", args, v)
		}
		if v, err := p.do("EXEC"); err == nil || !strings.HasPrefix(err.Error(), "EXECABORT") {
			t.Errorf("EXEC after %v is answered %v, %v", args, v, err)
		}
	}
	unharmed()
	stillServes(t, s)
}
