package systest

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/clients/go"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// library is a package of the machine's index as a document.
type library struct {
	ID       flin.ObjectID `bson:"_id,omitempty"`
	Name     string        `bson:"name"`
	Version  string        `bson:"version"`
	Section  string        `bson:"section"`
	Priority string        `bson:"priority,omitempty"`
	Size     int64         `bson:"size"`
	Deps     []string      `bson:"deps,omitempty"` // names, without versions, of all alternatives
	Upkeep   struct {
		By     string `bson:"by,omitempty"`
		Rounds int32  `bson:"rounds,omitempty"`
	} `bson:"upkeep"`
	Summary string `bson:"summary,omitempty"`
}

// libraries returns the machine's package index, or the sample's.
func libraries(t testing.TB) []library {
	t.Helper()
	var list []library
	for _, r := range packages(t) {
		l := library{Name: r.name}
		for line := range bytes.Lines(r.text) {
			field, value, _ := strings.Cut(strings.TrimSpace(string(line)), ": ")
			switch field {
			case "Version":
				l.Version = value
			case "Section":
				l.Section = value
			case "Priority":
				l.Priority = value
			case "Maintainer":
				l.Upkeep.By = value
			case "Description", "Description-en":
				l.Summary = value
			case "Size":
				l.Size, _ = strconv.ParseInt(value, 10, 64) // one without has 0
			case "Depends":
				for one := range strings.FieldsFuncSeq(value, func(c rune) bool { return c == ',' || c == '|' }) {
					name, _, _ := strings.Cut(strings.TrimSpace(one), " ")
					l.Deps = append(l.Deps, name)
				}
			}
		}
		list = append(list, l)
	}
	return list
}

// catalogue is the package index in the database and, to compare, in memory.
type catalogue struct {
	t    *testing.T
	s    *server
	coll *flin.Collection[library]
	db   *flin.DB
	all  []library
}

const librariesColl = "libraries"

// The package index goes in as documents; what is found, changed and added up there is what plain Go finds, changes and adds up.
func TestPackageIndexAsDocuments(t *testing.T) {
	s := start(t)
	client := newClient(t, s.addrs())
	c := &catalogue{t: t, s: s, db: client.DB, coll: flin.CollectionOf[library](client.DB, librariesColl), all: libraries(t)}
	c.insert()
	for _, stage := range []struct {
		name string
		do   func()
	}{
		{"queries", c.queries}, {"sorting", c.sorting}, {"aggregations", c.aggregations}, {"updates", c.updates}, {"queries after the updates", c.queries},
	} {
		t.Run(stage.name, func(t *testing.T) {
			c.t = t
			stage.do()
		})
	}
	c.t = t
	s.kill()
	s.launch()
	c.same("after a kill", c.coll.Query(), func(*library) bool { return true })
	c.queries()
	docs, err := c.db.Query(librariesColl).Select("name", "size", "section", "deps").Exec()
	if err != nil || len(docs) != len(c.all) {
		t.Fatalf("%d documents of %d: %v", len(docs), len(c.all), err)
	}
	if err := s.stop(); err != nil {
		t.Errorf("the server ended with %v", err)
	}
	verifyStopped(t, s)
}

// insert puts everything in, half of it before there are indexes.
func (c *catalogue) insert() {
	c.t.Helper()
	half := len(c.all) / 2
	add := func(from, to int) {
		ids, err := c.coll.InsertMany(c.all[from:to])
		if err != nil || len(ids) != to-from {
			c.t.Fatalf("%d ids of %d: %v", len(ids), to-from, err)
		}
		for i, id := range ids {
			c.all[from+i].ID, _ = id.(flin.ObjectID)
		}
	}
	add(0, half)
	for _, ix := range []struct {
		fields []string
		opts   []flin.IndexOption
	}{
		{[]string{"name"}, []flin.IndexOption{flin.Unique()}}, {[]string{"size"}, nil}, {[]string{"section", "-size"}, nil}, {[]string{"deps"}, nil},
	} {
		if _, err := c.db.CreateIndex(librariesColl, ix.fields, ix.opts...); err != nil {
			c.t.Fatal(err)
		}
	}
	add(half, len(c.all))
	again := c.all[half]
	again.ID = flin.NewObjectID()
	if _, err := c.coll.Insert(again); !errors.Is(err, flin.ErrExists) {
		c.t.Errorf("a package of a name that is taken: %v", err)
	}
	info, err := c.db.Stats(librariesColl)
	if err != nil || info.Documents != int64(len(c.all)) || info.Indexes != 4 {
		c.t.Errorf("of %d packages it is said %+v, %v", len(c.all), info, err)
	}
}

// same compares what a query finds, in any order, with what is in memory.
func (c *catalogue) same(what string, q *flin.TypedQuery[library], match func(l *library) bool) {
	c.t.Helper()
	byName := func(a, b library) int { return cmp.Compare(a.Name, b.Name) }
	got, err := q.Exec()
	if err != nil {
		c.t.Errorf("%s: %v", what, err)
		return
	}
	slices.SortFunc(got, byName)
	want := c.matching(match)
	slices.SortFunc(want, byName)
	c.equal(what, got, want)
}

func (c *catalogue) matching(match func(l *library) bool) (list []library) {
	for i := range c.all {
		if match(&c.all[i]) {
			list = append(list, c.all[i])
		}
	}
	return list
}

func (c *catalogue) equal(what string, got, want []library) {
	c.t.Helper()
	if len(got) != len(want) {
		c.t.Errorf("%s: %d packages, not %d", what, len(got), len(want))
		return
	}
	for i := range got {
		if !reflect.DeepEqual(got[i], want[i]) {
			c.t.Errorf("%s: package %d is %s, not %s", what, i, short(got[i]), short(want[i]))
			return
		}
	}
}

// queries asks by equality, by range and by what is in an array.
func (c *catalogue) queries() {
	c.t.Helper()
	q := func() *flin.TypedQuery[library] { return c.coll.Query() }
	has := func(l *library, dep string) bool { return slices.Contains(l.Deps, dep) }
	within := func(section string) func(l *library) bool {
		return func(l *library) bool { return l.Section == section }
	}
	name := c.all[len(c.all)/3].Name
	for _, x := range []struct {
		what  string
		q     *flin.TypedQuery[library]
		match func(l *library) bool
	}{
		{"one name", q().Where("name", flin.Eq, name), func(l *library) bool { return l.Name == name }},
		{"no name", q().Where("name", flin.Eq, "no such package"), func(*library) bool { return false }},
		{"a section", q().Where("section", flin.Eq, "libs"), within("libs")},
		{"small ones", q().Where("size", flin.Lt, 5000), func(l *library) bool { return l.Size < 5000 }},
		{"a range of sizes", q().Where("size", flin.Gte, 10_000).Where("size", flin.Lte, 12_000), func(l *library) bool { return l.Size >= 10_000 && l.Size <= 12_000 }},
		{"a section's large ones", q().Where("section", flin.Eq, "devel").Where("size", flin.Gt, 1<<20), func(l *library) bool { return l.Section == "devel" && l.Size > 1<<20 }},
		{"a prefix", q().Where("name", flin.StartsWith, "python3-"), func(l *library) bool { return strings.HasPrefix(l.Name, "python3-") }},
		{"a prefix with a dot", q().Where("name", flin.StartsWith, "lib.+"), func(l *library) bool { return strings.HasPrefix(l.Name, "lib.+") }},
		{"a part of a name", q().Where("name", flin.Contains, "ssl"), func(l *library) bool { return strings.Contains(l.Name, "ssl") }},
		{"an expression", q().Where("name", flin.Regex, "^lib.*-dev$"), func(l *library) bool { return strings.HasPrefix(l.Name, "lib") && strings.HasSuffix(l.Name, "-dev") }},
		{"an element of an array", q().Where("deps", flin.Eq, "zlib1g"), func(l *library) bool { return has(l, "zlib1g") }},
		{"two elements of an array", q().Where("deps", flin.Eq, "zlib1g").Where("deps", flin.Eq, "libc6"), func(l *library) bool { return has(l, "zlib1g") && has(l, "libc6") }},
		{"elements with a prefix", q().Where("deps", flin.StartsWith, "libssl"), func(l *library) bool {
			return slices.ContainsFunc(l.Deps, func(d string) bool { return strings.HasPrefix(d, "libssl") })
		}},
		{"one of several sections", q().Where("section", flin.In, []string{"games", "math", "none"}), func(l *library) bool { return l.Section == "games" || l.Section == "math" }},
		{"none of the sections", q().Where("section", flin.NotIn, []string{"libs", "libdevel", "python", "perl"}).Where("size", flin.Gt, 5<<20), func(l *library) bool {
			return !slices.Contains([]string{"libs", "libdevel", "python", "perl"}, l.Section) && l.Size > 5<<20
		}},
		{"without an array", q().Where("deps", flin.Exists, false), func(l *library) bool { return l.Deps == nil }},
		{"a deep field", q().Where("upkeep.by", flin.Contains, "QA"), func(l *library) bool { return strings.Contains(l.Upkeep.By, "QA") }},
		{"either", q().Or(flin.Where("section", flin.Eq, "editors"), flin.Where("size", flin.Gt, 50<<20)), func(l *library) bool { return l.Section == "editors" || l.Size > 50<<20 }},
		{"neither", q().Where("size", flin.Gt, 10<<20).Not(flin.Where("section", flin.Eq, "debug"), flin.Where("section", flin.Eq, "kernel")), func(l *library) bool {
			return l.Size > 10<<20 && l.Section != "debug" && l.Section != "kernel"
		}},
	} {
		c.same(x.what, x.q, x.match)
		n, err := x.q.Count()
		if want := len(c.matching(x.match)); err != nil || n != int64(want) {
			c.t.Errorf("%s: %d are counted, not %d: %v", x.what, n, want, err)
		}
	}
	c.distinct()
	c.served()
	c.covered()
}

// distinct lists the sections.
func (c *catalogue) distinct() {
	c.t.Helper()
	want := map[any]bool{}
	for i := range c.all {
		want[c.all[i].Section] = true
	}
	list, err := c.db.Query(librariesColl).Distinct("section")
	if err != nil || len(list) != len(want) {
		c.t.Errorf("%d sections, not %d: %v", len(list), len(want), err)
	}
	for _, s := range list {
		if !want[s] {
			c.t.Errorf("there is no section %v", s)
		}
	}
}

// served checks that indexes serve what they can: nothing is looked at that is not asked for.
func (c *catalogue) served() {
	c.t.Helper()
	q := func() *flin.Query { return c.db.Query(librariesColl) }
	for what, x := range map[string]struct {
		q     *flin.Query
		match func(l *library) bool
	}{
		"a name":            {q().Where("name", flin.Eq, c.all[5].Name), func(l *library) bool { return l.Name == c.all[5].Name }},
		"a prefix":          {q().Where("name", flin.StartsWith, "zsh"), func(l *library) bool { return strings.HasPrefix(l.Name, "zsh") }},
		"a range":           {q().Where("size", flin.Gt, 100<<20), func(l *library) bool { return l.Size > 100<<20 }},
		"a section's range": {q().Where("section", flin.Eq, "shells").Where("size", flin.Gt, 100_000), func(l *library) bool { return l.Section == "shells" && l.Size > 100_000 }},
		"an element":        {q().Where("deps", flin.Eq, "zlib1g"), func(l *library) bool { return slices.Contains(l.Deps, "zlib1g") }},
	} {
		e, err := x.q.Explain()
		stats, _ := e["executionStats"].(flin.Document)
		n := len(c.matching(x.match))
		if err != nil || fmt.Sprint(stats["nReturned"]) != strconv.Itoa(n) || fmt.Sprint(stats["totalDocsExamined"]) != strconv.Itoa(n) || !strings.Contains(fmt.Sprint(e), "IXSCAN") {
			c.t.Errorf("%s, of which there are %d: %v, %.600v", what, n, err, e)
		}
	}
}

// covered checks that an index is counted in without a look at the documents.
func (c *catalogue) covered() {
	c.t.Helper()
	examined := func() string {
		_, rest, _ := strings.Cut(fetch(c.t, c.s.httpOf(wire.EngineDoc), "/metrics"), "\nflin_doc_documents_examined_total ")
		n, _, ok := strings.Cut(rest, "\n")
		if !ok {
			c.t.Error("no metric says how many documents were examined")
		}
		return n
	}
	before := examined()
	for section := range map[string]bool{"libs": true, "net": true, "none": true} {
		want := len(c.matching(func(l *library) bool { return l.Section == section && l.Size >= 1000 && l.Size < 1<<20 }))
		n, err := c.db.Query(librariesColl).Where("section", flin.Eq, section).Where("size", flin.Gte, 1000).Where("size", flin.Lt, 1<<20).Count()
		if err != nil || n != int64(want) {
			c.t.Errorf("%d in %s are counted, not %d: %v", n, section, want, err)
		}
	}
	if after := examined(); after != before {
		c.t.Errorf("to count in an index takes looks at documents: %s before, %s after", before, after)
	}
}
