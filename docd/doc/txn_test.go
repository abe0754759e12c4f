package doc

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestATransactionIsSeenAsAWholeOrNotAtAll(t *testing.T) {
	w := worlds.New(t, nil)
	w.insert("c", `{"_id": 1, "n": 1}`, `{"_id": 2, "n": 2}`, `{"_id": 3, "n": 3}`)
	x := w.begin()
	x.insert("c", `{"_id": 4, "n": 4}`)
	x.insert("new", `{"_id": "a"}`)
	if m := x.update("c", `{"n": {"$lt": 3}}`, `{"$inc": {"n": 10}}`, wire.DocMulti); m.Matched != 2 || m.Modified != 2 {
		t.Errorf("%+v", m)
	}
	if n := x.remove("c", `{"_id": 3}`, 0); n != 1 {
		t.Errorf("%d deleted", n)
	}
	same(t, "others", w.find("c", `{}`), `{"_id":1,"n":1}`, `{"_id":2,"n":2}`, `{"_id":3,"n":3}`)
	same(t, "others elsewhere", w.find("new", `{}`))
	if n := x.commits(); n != 5 {
		t.Errorf("%d documents were written", n)
	}
	same(t, "behind the commit", w.find("c", `{}`), `{"_id":1,"n":11}`, `{"_id":2,"n":12}`, `{"_id":4,"n":4}`)
	same(t, "elsewhere", w.find("new", `{}`), `{"_id":"a"}`)
	x.over(committed)

	x = w.begin()
	x.insert("c", `{"_id": 5}`)
	if n := x.abort(); n != 1 {
		t.Errorf("%d aborted", n)
	}
	same(t, "behind the abort", w.find("c", `{"_id": 5}`))
	x.over(aborted)
	w.verify()
}

func TestATransactionReadsWhatItHasWritten(t *testing.T) {
	w := worlds.New(t, nil)
	w.index("c", spec(0, "n"))
	w.index("c", spec(0, "tags"))
	w.insert("c", `{"_id": 1, "n": 5, "tags": ["a", "b"]}`, `{"_id": 2, "n": 3, "tags": ["b"]}`, `{"_id": 3, "n": 4}`)
	w.insert("other", `{"_id": 3, "x": "old"}`)
	x := w.begin()
	x.insert("c", `{"_id": 4, "n": 1, "tags": ["b", "c"]}`)
	x.update("c", `{"_id": 1}`, `{"$set": {"n": 2}}`, 0)
	x.remove("c", `{"n": 3}`, 0)
	x.update("other", `{"_id": 3}`, `{"$set": {"x": "mine"}}`, 0)
	x.insert("other", `{"_id": 4, "x": "new"}`)
	sorted := func(m wire.DocFind) []string {
		m.Name, m.Project = name("c"), js(t, `{"n": 1}`)
		return x.all(&m)
	}
	same(t, "sorted by an index", sorted(wire.DocFind{Sort: js(t, `{"n": 1}`)}), `{"_id":4,"n":1}`, `{"_id":1,"n":2}`, `{"_id":3,"n":4}`)
	same(t, "skip and limit", sorted(wire.DocFind{Sort: js(t, `{"_id": -1}`), Skip: 1, Limit: 1}), `{"_id":3,"n":4}`)
	same(t, "a range", sorted(wire.DocFind{Filter: js(t, `{"n": {"$lte": 2}}`), Sort: js(t, `{"n": -1}`)}), `{"_id":1,"n":2}`, `{"_id":4,"n":1}`)
	same(t, "several keys", sorted(wire.DocFind{Filter: js(t, `{"tags": {"$in": ["a", "b", "c"]}}`), Sort: js(t, `{"_id": 1}`)}), `{"_id":1,"n":2}`, `{"_id":4,"n":1}`)
	same(t, "by _id", x.find("c", `{"_id": 2}`))
	for filter, n := range map[string]int64{`{}`: 3, `{"n": {"$lt": 4}}`: 2, `{"tags": "b"}`: 2, `{"n": 5}`: 0} {
		if got := x.must(wire.OpDocCount, &wire.DocFind{Name: name("c"), Filter: js(t, filter)}).Num; got != n {
			t.Errorf("%s: counted %d, want %d", filter, got, n)
		}
	}
	if got := x.must(wire.OpDocDistinct, &wire.DocFind{Name: name("c"), Field: []byte("n")}); got.Num != 3 {
		t.Errorf("%d different values", got.Num)
	}
	same(t, "aggregated", x.aggregate("c", `[{"$group": {"_id": null, "sum": {"$sum": "$n"}}}]`), `{"_id":null,"sum":7}`)
	same(t, "looked up", x.aggregate("c", `[{"$match": {"_id": {"$gte": 3}}}, {"$lookup": {"from": "other", "localField": "_id", "foreignField": "_id", "as": "o"}}, {"$sort": {"_id": 1}}, {"$project": {"o.x": 1}}]`),
		`{"_id":3,"o":[{"x":"mine"}]}`, `{"_id":4,"o":[{"x":"new"}]}`)
	// Written again, in all ways.
	x.update("c", `{"_id": 4}`, `{"$set": {"n": 9}}`, 0)
	x.remove("c", `{"_id": 3}`, 0)
	x.insert("c", `{"_id": 3, "n": 30}`)
	if m := x.update("c", `{"n": 77}`, `{"$set": {"up": true}}`, wire.DocUpsert); len(m.IDs) != 1 || m.Inserted != 0 {
		t.Errorf("upsert: %+v", m)
	}
	same(t, "again", sorted(wire.DocFind{Filter: js(t, `{"n": {"$lt": 77}}`), Sort: js(t, `{"n": 1}`)}), `{"_id":1,"n":2}`, `{"_id":4,"n":9}`, `{"_id":3,"n":30}`)
	if n := x.commits(); n != 7 {
		t.Errorf("%d documents were written", n)
	}
	same(t, "at last", w.find("c", `{"_id": {"$lte": 4}}`), `{"_id":1,"n":2,"tags":["a","b"]}`, `{"_id":3,"n":30}`, `{"_id":4,"n":9,"tags":["b","c"]}`)
	w.verify()
}

func TestAModifyInATransactionAnswersWithItsDocument(t *testing.T) {
	w := worlds.New(t, nil)
	w.insert("c", `{"_id": 1, "n": 1}`, `{"_id": 2, "n": 2}`)
	x := w.begin()
	x.insert("c", `{"_id": 3, "n": 0}`)
	for i, c := range []struct {
		m    wire.DocUpdate
		want string
	}{
		{wire.DocUpdate{Sort: js(t, `{"n": 1}`), Update: js(t, `{"$inc": {"n": 10}}`)}, `{"_id":3,"n":0}`},
		{wire.DocUpdate{Sort: js(t, `{"n": 1}`), Update: js(t, `{"$inc": {"n": 10}}`), Flags: wire.DocReturnNew}, `{"_id":1,"n":11}`},
		{wire.DocUpdate{Sort: js(t, `{"n": -1}`), Flags: wire.DocRemove, Project: js(t, `{"n": 1, "_id": 0}`)}, `{"n":11}`},
		{wire.DocUpdate{Filter: js(t, `{"_id": 8}`), Update: js(t, `{"$set": {"a": 1}}`), Flags: wire.DocUpsert | wire.DocReturnNew}, `{"_id":8,"a":1}`},
		{wire.DocUpdate{Filter: js(t, `{"_id": 9}`), Update: js(t, `{"$set": {"a": 1}}`), Flags: wire.DocUpsert}, ``},
		{wire.DocUpdate{Filter: js(t, `{"_id": 7}`), Flags: wire.DocRemove}, ``},
	} {
		c.m.Name = name("c")
		resp := x.must(wire.OpDocModify, &c.m)
		var m wire.DocModified
		if err := m.Decode(resp.Body); err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(texts(t, m.Doc), ""); got != c.want {
			t.Errorf("modify %d: %s, want %s", i, got, c.want)
		}
	}
	x.commits()
	if got := w.find("c", `{}`); len(got) != 4 {
		t.Errorf("%v", got)
	}
}

func TestATransactionReadsOneMoment(t *testing.T) {
	w := worlds.New(t, func(c *Config) { c.batchBytes = 2000 })
	w.numbered("c", 300)
	w.index("c", spec(0, "a"))
	w.insert("side", `{"_id": 1}`)
	x := w.begin()
	read := func() []string {
		t.Helper()
		all := x.find("c", `{}`)
		byIndex := x.all(&wire.DocFind{Name: name("c"), Filter: js(t, `{"a": {"$gt": 0}}`), Sort: js(t, `{"a": -1}`)})
		if !slices.Equal(all, byIndex) || len(x.find("c", `{"_id": 7}`)) != 1 || len(x.find("side", `{}`)) != 1 || len(x.find("late", `{}`)) != 0 {
			t.Errorf("%d documents, %d by an index", len(all), len(byIndex))
		}
		if n := x.must(wire.OpDocCount, &wire.DocFind{Name: name("c")}).Num; int(n) != len(all) {
			t.Errorf("%d documents counted", n)
		}
		return all
	}
	first := read()
	cursor := x.must(wire.OpDocFind, &wire.DocFind{Name: name("c"), Batch: 10})
	begun := texts(t, cursor.Body)
	pipe := x.must(wire.OpDocAggregate, &wire.DocAggregate{Name: name("c"), Pipeline: js(t, `[{"$match": {"a": {"$gt": 0}}}, {"$lookup": {"from": "side", "localField": "x", "foreignField": "x", "as": "s"}}]`), Batch: 10})
	joined := texts(t, pipe.Body)
	for _, change := range []func(){
		func() { w.update("c", `{}`, `{"$inc": {"a": 1000}}`, wire.DocMulti) },
		func() { w.remove("c", `{"_id": {"$lt": 100}}`, wire.DocMulti) },
		func() { w.insert("late", `{"_id": 1}`) },
		func() { w.index("c", spec(0, "l")) },
		func() { w.Must(wire.OpDocDropIndex, &wire.DocDropIndex{Name: name("c"), Index: []byte("a_1")}) },
		func() {
			for _, n := range []wire.DocName{name("c"), name("side")} {
				w.Must(wire.OpDocDrop, &n)
			}
		},
		func() { w.insert("c", `{"_id": 7, "a": 1}`, `{"_id": 1000, "a": 1}`) },
		func() { w.index("c", spec(0, "a")) },
	} {
		change()
		if again := read(); !slices.Equal(again, first) {
			t.Fatalf("%d documents, %d before", len(again), len(first))
		}
	}
	if all := append(begun, w.rest(&cursor, 10)...); !slices.Equal(all, first) {
		t.Errorf("a cursor has %d documents of %d", len(all), len(first))
	}
	if joined = append(joined, w.rest(&pipe, 10)...); len(joined) != len(first) || !strings.HasSuffix(joined[299], `"s":[{"_id":1}]}`) {
		t.Errorf("an aggregation has %d documents: %s", len(joined), joined[len(joined)-1])
	}
	if n := x.commits(); n != 0 {
		t.Errorf("a commit of nothing has written %d", n)
	}
	same(t, "now", w.find("c", `{}`), `{"_id":7,"a":1}`, `{"_id":1000,"a":1}`)
}

func TestACursorOfATransactionEndsWithIt(t *testing.T) {
	w := worlds.New(t, nil)
	w.numbered("c", 300)
	for i, end := range []func(x *tx){func(x *tx) { x.commits() }, func(x *tx) { x.abort() }} {
		x := w.begin()
		find := x.must(wire.OpDocFind, &wire.DocFind{Name: name("c"), Batch: 10})
		pipe := x.must(wire.OpDocAggregate, &wire.DocAggregate{Name: name("c"), Pipeline: js(t, `[{"$match": {}}]`), Batch: 10})
		outside := w.Must(wire.OpDocFind, &wire.DocFind{Name: name("c"), Batch: 10})
		// What is written while it is read comes once: as it was, for the cursor began before.
		x.update("c", `{}`, `{"$inc": {"mine": 1}}`, wire.DocMulti)
		more := w.Must(wire.OpDocMore, &wire.DocMore{Cursor: uint64(find.Num), Batch: 10})
		if got := texts(t, more.Body); len(got) != 10 || strings.Contains(got[0], fmt.Sprint(`"mine":`, i+1)) {
			t.Errorf("%v", got)
		}
		end(x)
		for _, c := range []uint64{uint64(find.Num), uint64(pipe.Num)} {
			resp := w.Do(wire.OpDocMore, &wire.DocMore{Cursor: c}, 0)
			answered(t, fmt.Sprint("cursor of ", i), &resp, wire.NotFound, wire.DocCursorNotFound, "")
		}
		if got := w.rest(&outside, 0); len(got) != 290 {
			t.Errorf("a cursor of nobody has %d documents left", len(got))
		}
	}
	if n, _ := w.cursors.load(); n != 0 {
		t.Errorf("%d cursors are left", n)
	}
}
