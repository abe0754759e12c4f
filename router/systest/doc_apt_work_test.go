package systest

import (
	"cmp"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"

	"github.com/skshohagmiah/flin/clients/go"
)

// sorted compares the documents of a query, in their order, with what is in memory, sorted so and cut.
func (c *catalogue) sorted(what string, q *flin.TypedQuery[library], match func(l *library) bool, by func(a, b library) int, skip, take int) {
	c.t.Helper()
	got, err := q.Skip(skip).Take(take).Exec()
	if err != nil {
		c.t.Errorf("%s: %v", what, err)
		return
	}
	want := c.matching(match)
	slices.SortFunc(want, by)
	want = want[min(skip, len(want)):]
	if take > 0 {
		want = want[:min(take, len(want))]
	}
	c.equal(what, got, want)
}

func (c *catalogue) sorting() {
	q := func() *flin.TypedQuery[library] { return c.coll.Query() }
	all := func(*library) bool { return true }
	byName := func(a, b library) int { return cmp.Compare(a.Name, b.Name) }
	bySize := func(a, b library) int { return cmp.Or(cmp.Compare(b.Size, a.Size), byName(a, b)) }
	bySection := func(a, b library) int { return cmp.Or(cmp.Compare(a.Section, b.Section), bySize(a, b)) }
	c.sorted("the first by name", q().OrderBy("name", flin.Asc), all, byName, 0, 100)
	c.sorted("all by name", q().OrderBy("name", flin.Asc), all, byName, 0, 0)
	c.sorted("the last by name", q().OrderBy("name", flin.Desc), all, func(a, b library) int { return byName(b, a) }, 5, 2500)
	c.sorted("the largest", q().OrderBy("size", flin.Desc).OrderBy("name", flin.Asc), all, bySize, 10, 200)
	c.sorted("a section by size", q().Where("section", flin.Eq, "net").OrderBy("size", flin.Desc).OrderBy("name", flin.Asc), func(l *library) bool { return l.Section == "net" }, bySize, 0, 0)
	c.sorted("all by section and size", q().OrderBy("section", flin.Asc).OrderBy("size", flin.Desc).OrderBy("name", flin.Asc), all, bySection, 1000, 3000)
	c.sorted("what uses a library, by version", q().Where("deps", flin.Eq, "zlib1g").OrderBy("version", flin.Asc).OrderBy("name", flin.Desc),
		func(l *library) bool { return slices.Contains(l.Deps, "zlib1g") },
		func(a, b library) int { return cmp.Or(cmp.Compare(a.Version, b.Version), byName(b, a)) }, 0, 0)

	n, last := 0, ""
	for doc, err := range c.db.Query(librariesColl).OrderBy("name", flin.Asc).Select("name").Batch(700).Iter() {
		name, _ := doc["name"].(string)
		if err != nil || len(doc) != 2 || name <= last {
			c.t.Fatalf("document %d, behind %s: %v, %v", n, last, doc, err)
		}
		last = name
		n++
	}
	if n != len(c.all) {
		c.t.Errorf("a cursor has %d documents, not %d", n, len(c.all))
	}
}

// figures are what is said of a section.
type figures struct {
	Section  string  `bson:"_id"`
	N        int64   `bson:"n"`
	Sum      int64   `bson:"sum"`
	Avg      float64 `bson:"avg"`
	Min      int64   `bson:"min"`
	Max      int64   `bson:"max"`
	Alone    int64   `bson:"alone"`
	Earliest string  `bson:"earliest"`
}

// sections are the figures of all sections in which match finds something.
func (c *catalogue) sections(match func(l *library) bool) []figures {
	of := map[string]*figures{}
	for _, l := range c.matching(match) {
		f := of[l.Section]
		if f == nil {
			f = &figures{Section: l.Section, Min: math.MaxInt64, Earliest: l.Name}
			of[l.Section] = f
		}
		f.N++
		f.Sum += l.Size
		f.Avg = float64(f.Sum) / float64(f.N)
		f.Min, f.Max, f.Earliest = min(f.Min, l.Size), max(f.Max, l.Size), min(f.Earliest, l.Name)
		if l.Deps == nil {
			f.Alone++
		}
	}
	var list []figures
	for _, f := range of {
		list = append(list, *f)
	}
	slices.SortFunc(list, func(a, b figures) int { return cmp.Or(cmp.Compare(b.Sum, a.Sum), cmp.Compare(a.Section, b.Section)) })
	return list
}

// groupBySection is the stage that adds a section up.
var groupBySection = flin.Document{"$group": flin.Document{
	"_id": "$section", "n": flin.Document{"$sum": 1}, "sum": flin.Document{"$sum": "$size"}, "avg": flin.Document{"$avg": "$size"},
	"min": flin.Document{"$min": "$size"}, "max": flin.Document{"$max": "$size"}, "earliest": flin.Document{"$min": "$name"},
	"alone": flin.Document{"$sum": flin.Document{"$cond": []any{flin.Document{"$eq": []any{flin.Document{"$type": "$deps"}, "missing"}}, 1, 0}}},
}}

func (c *catalogue) aggregations() {
	order := flin.Document{"$sort": flin.D{{Key: "sum", Value: -1}, {Key: "_id", Value: 1}}}
	compare := func(what string, pipeline []flin.Document, want []figures) {
		c.t.Helper()
		var got []figures
		for f, err := range flin.AggregateInto[figures](c.db, librariesColl, pipeline) {
			if err != nil {
				c.t.Fatalf("%s: %v", what, err)
			}
			got = append(got, f)
		}
		if len(got) != len(want) {
			c.t.Fatalf("%s: %d sections, not %d", what, len(got), len(want))
		}
		for i := range got {
			if math.Abs(got[i].Avg-want[i].Avg) <= 1e-9*want[i].Avg {
				got[i].Avg = want[i].Avg
			}
			if got[i] != want[i] {
				c.t.Errorf("%s: %+v, not %+v", what, got[i], want[i])
			}
		}
	}
	all := c.sections(func(*library) bool { return true })
	compare("all sections", []flin.Document{groupBySection, order}, all)
	compare("the largest sections", []flin.Document{groupBySection, order, {"$limit": 10}}, all[:min(10, len(all))])
	compare("the small ones", []flin.Document{{"$match": flin.Document{"size": flin.Document{"$lt": 100_000}}}, groupBySection, order},
		c.sections(func(l *library) bool { return l.Size < 100_000 }))

	uses := map[string]int{}
	for i := range c.all {
		for _, d := range c.all[i].Deps {
			uses[d]++
		}
	}
	var want []flin.Document
	for name, n := range uses {
		want = append(want, flin.Document{"_id": name, "n": int32(n)})
	}
	slices.SortFunc(want, func(a, b flin.Document) int {
		return cmp.Or(cmp.Compare(b["n"].(int32), a["n"].(int32)), strings.Compare(a["_id"].(string), b["_id"].(string)))
	})
	var got []flin.Document
	for doc, err := range c.db.Aggregate(librariesColl, []flin.Document{
		{"$unwind": "$deps"},
		{"$group": flin.Document{"_id": "$deps", "n": flin.Document{"$sum": 1}}},
		{"$sort": flin.D{{Key: "n", Value: -1}, {Key: "_id", Value: 1}}},
	}) {
		if err != nil {
			c.t.Fatal(err)
		}
		got = append(got, doc)
	}
	if len(got) != len(want) {
		c.t.Fatalf("%d packages are needed by others, not %d", len(got), len(want))
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) {
			c.t.Fatalf("place %d of what is needed most: %v, not %v", i, got[i], want[i])
		}
	}
	count := fmt.Sprint(len(c.matching(func(l *library) bool { return l.Section == "libs" && l.Size > 1<<20 })))
	for doc, err := range c.db.Aggregate(librariesColl, []flin.Document{
		{"$match": flin.Document{"section": "libs", "size": flin.Document{"$gt": 1 << 20}}}, {"$count": "n"},
	}) {
		if err != nil || fmt.Sprint(doc["n"]) != count {
			c.t.Errorf("%v are counted, not %s: %v", doc, count, err)
		}
	}
}

// updates changes what it finds by indexes, on both sides.
func (c *catalogue) updates() {
	update := func(what string, u *flin.Update, match func(l *library) bool, change func(l *library)) {
		c.t.Helper()
		r, err := u.Exec()
		n := int64(0)
		for i := range c.all {
			if match(&c.all[i]) {
				change(&c.all[i])
				n++
			}
		}
		if err != nil || r.Matched != n || r.Modified != n {
			c.t.Errorf("%s: %+v of %d: %v", what, r, n, err)
		}
	}
	u := func() *flin.Update { return c.db.Update(librariesColl) }
	update("a section is checked", u().Where("section", flin.Eq, "libs").Inc("upkeep.rounds", 1),
		func(l *library) bool { return l.Section == "libs" }, func(l *library) { l.Upkeep.Rounds++ })
	update("a section is given another name", u().Where("section", flin.Eq, "games").Set("section", "work"),
		func(l *library) bool { return l.Section == "games" }, func(l *library) { l.Section = "work" })
	update("those in a range grow out of it", u().Where("size", flin.Gte, 20_000).Where("size", flin.Lt, 40_000).Mul("size", 10).Set("upkeep.by", "nobody"),
		func(l *library) bool { return l.Size >= 20_000 && l.Size < 40_000 }, func(l *library) { l.Size, l.Upkeep.By = l.Size*10, "nobody" })
	update("something is needed twice", u().Where("deps", flin.Eq, "libssl3").Push("deps", "zlib2", "libssl3"),
		func(l *library) bool { return slices.Contains(l.Deps, "libssl3") }, func(l *library) { l.Deps = append(l.Deps, "zlib2", "libssl3") })
	update("a library is left out", u().Where("deps", flin.Eq, "zlib1g").Pull("deps", "zlib1g"),
		func(l *library) bool { return slices.Contains(l.Deps, "zlib1g") }, func(l *library) {
			l.Deps = slices.DeleteFunc(slices.Clone(l.Deps), func(d string) bool { return d == "zlib1g" })
		})
	update("an element gets another name", u().Where("deps", flin.Eq, "perl").Doc(flin.Document{"$set": flin.Document{"deps.$": "raku"}}),
		func(l *library) bool { return slices.Contains(l.Deps, "perl") }, func(l *library) {
			l.Deps = slices.Clone(l.Deps)
			l.Deps[slices.Index(l.Deps, "perl")] = "raku"
		})

	r, err := c.db.Delete(librariesColl).Where("section", flin.Eq, "work").Where("size", flin.Lt, 200_000).Exec()
	before := len(c.all)
	c.all = slices.DeleteFunc(c.all, func(l library) bool { return l.Section == "work" && l.Size < 200_000 })
	if n := int64(before - len(c.all)); err != nil || r.Deleted != n {
		c.t.Errorf("%d are deleted, not %d: %v", r.Deleted, n, err)
	}
	c.same("after the updates", c.coll.Query(), func(*library) bool { return true })
}
