package fsm

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/doctest"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
	"github.com/skshohagmiah/flin/pkg/replica/machinetest"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// TestOperations runs the files in testdata (machinetest.Scripts). Run it with -rewrite and read the difference when answers are to change.
//
//	run [time=ms] [told]             each line is a command with an entry of its own; told shows what the hook was told
//	apply [time=ms] mode=...         each line is a write of one command: atomic, ordered or each
//	due                              when expiry is wanted
//
// Writes are: insert c doc; put c id version doc; update|upsert c id filter update [filters]; remove c id version; delete c id
// filter. They are answered with what came of them and, where only one was to be shown, the reason why not.
func TestOperations(t *testing.T) {
	machinetest.Scripts(t, "testdata/scripts", newBench, (*bench).directive)
}

func (b *bench) directive(d *datadriven.TestData) string {
	var out strings.Builder
	switch d.Cmd {
	case "due":
		if at := b.m.ExpireDue(); at != math.MaxInt64 {
			return fmt.Sprintf("at %d\n", at)
		}
		return "never\n"
	case "apply":
		var a wire.DocApply
		mode := "atomic"
		d.MaybeScanArgs(b.T, "mode", &mode)
		a.Mode = map[string]wire.DocMode{"atomic": wire.DocAtomic, "ordered": wire.DocInOrder, "each": wire.DocIndividual}[mode]
		for line := range strings.Lines(d.Input) {
			parseLine(b.T, line).addTo(&a)
		}
		b.showApply(&out, &a)
	case "run":
		for line := range strings.Lines(d.Input) {
			l := parseLine(b.T, line)
			var a wire.DocApply
			switch {
			case b.look(&out, l):
			case l.addTo(&a):
				b.showApply(&out, &a)
			default:
				b.runOne(&out, l)
			}
			if d.HasArg("told") {
				fmt.Fprintf(&out, "  told: %s\n", strings.Join(b.told, ", "))
			}
		}
	default:
		b.T.Fatalf("there is no directive %s", d.Cmd)
	}
	b.Check()
	return out.String()
}

// line is a line of a script: words, then JSON values.
type line struct {
	t     testing.TB
	words []string
	json  []string
}

func parseLine(t testing.TB, text string) *line {
	l := &line{t: t}
	text = strings.TrimSpace(text)
	head := text
	if i := strings.Index(text, " {"); i >= 0 {
		head = text[:i]
	}
	l.words = strings.Fields(head)
	for dec := json.NewDecoder(strings.NewReader(text[len(head):])); dec.More(); {
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		l.json = append(l.json, string(raw))
	}
	return l
}

func (l *line) word(i int) string {
	if i < len(l.words) {
		return l.words[i]
	}
	return ""
}

func (l *line) num(i int) uint64 {
	n, err := strconv.ParseUint(l.word(i), 10, 64)
	if err != nil && l.word(i) != "" {
		l.t.Fatalf("%v: %v", l.words, err)
	}
	return n
}

func (l *line) doc(i int) []byte {
	if i >= len(l.json) {
		return nil
	}
	if l.json[i][0] == '[' {
		return doctest.Value(l.t, l.json[i]).Data
	}
	return doc(l.t, l.json[i])
}

var kinds = map[string]wire.DocChangeKind{
	"insert": wire.DocChangeInsert, "put": wire.DocChangePut, "update": wire.DocChangeUpdate, "upsert": wire.DocChangeUpsert,
	"remove": wire.DocChangeRemove, "delete": wire.DocChangeDelete,
}

// addTo adds a line that is a write to a command.
func (l *line) addTo(a *wire.DocApply) bool {
	kind, ok := kinds[l.word(0)]
	if !ok {
		return false
	}
	ch := wire.DocChange{Kind: kind, Target: uint64(len(a.Targets)), Program: uint64(len(a.Programs))}
	for i := range a.Targets {
		if string(a.Targets[i].Coll) == l.word(1) {
			ch.Target = uint64(i)
		}
	}
	if ch.Target == uint64(len(a.Targets)) {
		a.Targets = append(a.Targets, name(l.word(1)))
	}
	if kind != wire.DocChangeInsert {
		ch.ID = val(l.t, l.word(2))
	}
	switch kind {
	case wire.DocChangeInsert:
		ch.Doc = l.doc(0)
	case wire.DocChangePut, wire.DocChangeRemove:
		ch.Version, ch.Doc = l.num(3), l.doc(0)
	default:
		a.Programs = append(a.Programs, wire.DocProgram{Filter: l.doc(0), Update: l.doc(1), ArrayFilters: l.doc(2)})
	}
	a.Changes = append(a.Changes, ch)
	return true
}

func (b *bench) showApply(out *strings.Builder, a *wire.DocApply) {
	ans := b.One(wire.OpDocApply, a)
	if err := ans.Err(); err != nil {
		fmt.Fprintf(out, "write %d: %v %d: %v\n", ans.Num, ans.Code, ans.Sub, err)
		return
	}
	r := wire.NewReader(ans.Body)
	for r.Len() > 0 {
		o := wire.DocOutcome(r.Byte())
		var says []string
		for i, s := range []string{"matched", "changed", "inserted", "deleted", "failed", "skipped"} {
			if o&(1<<i) != 0 {
				says = append(says, s)
			}
		}
		if o == 0 {
			says = []string{"nothing"}
		}
		out.WriteString(strings.Join(says, " "))
		if o&wire.DocFailed != 0 {
			e := wire.TakeDocError(&r)
			fmt.Fprintf(out, " (%d) %v %d: %s", e.Index, e.Code, e.Sub, e.Msg)
		}
		out.WriteString("\n")
	}
}

// runOne executes what is no write.
func (b *bench) runOne(out *strings.Builder, l *line) {
	var op wire.Op
	var m machinetest.Payload
	n := name(l.word(1))
	if l.word(1) == "*" {
		n.Coll = nil
	}
	switch l.word(0) {
	case "create", "drop", "indexes", "stats":
		op, m = map[string]wire.Op{"create": wire.OpDocCreate, "drop": wire.OpDocDrop, "indexes": wire.OpDocIndexes, "stats": wire.OpDocStats}[l.word(0)], &n
	case "list":
		op, m = wire.OpDocCollections, &wire.DocList{After: wire.DocName{DB: []byte("db"), Coll: []byte(l.word(1))}, Limit: l.num(2)}
	case "dropindex":
		op, m = wire.OpDocDropIndex, &wire.DocDropIndex{Name: n, Index: []byte(l.word(2))}
	case "index":
		op, m = wire.OpDocIndex, l.indexSpec(n)
	case "build", "expire", "collect":
		k := l.num(1)
		if k == 0 {
			k = BuildLimit
		}
		op, m = map[string]wire.Op{"build": wire.OpDocBuild, "expire": wire.OpDocExpire, "collect": wire.OpDocCollect}[l.word(0)], limit(k)
	default:
		l.t.Fatalf("there is no operation %v", l.words)
	}
	body := m.Append(nil)
	if err := b.m.Check(op, body); err != nil {
		e, _ := answerOf(err)
		fmt.Fprintf(out, "before: %v %d: %v\n", e.Code, e.Sub, err)
		return
	}
	b.show(out, op, b.Apply(command{Op: op, Body: body})[0])
}

// indexSpec reads index c fields... [unique] [sparse] [ttl=seconds] [name=x] [filter]; -a is descending.
func (l *line) indexSpec(n wire.DocName) *wire.DocIndex {
	var fields []string
	m := &wire.DocIndex{Name: n}
	var flags wire.DocIndexFlags
	for i := 2; i < len(l.words); i++ {
		w := l.words[i]
		ttl, isTTL := strings.CutPrefix(w, "ttl=")
		name, isName := strings.CutPrefix(w, "name=")
		switch {
		case w == "unique":
			flags |= wire.DocIndexUnique
		case w == "sparse":
			flags |= wire.DocIndexSparse
		case isTTL:
			flags |= wire.DocIndexTTL
			m.Spec.TTL, _ = strconv.ParseUint(ttl, 10, 64)
		case isName:
			m.Spec.Name = []byte(name)
		default:
			fields = append(fields, w)
		}
	}
	s := spec(flags, fields...)
	s.Name, s.TTL = m.Spec.Name, m.Spec.TTL
	if len(l.json) > 0 {
		s.Flags, s.Partial = s.Flags|wire.DocIndexPartial, l.doc(0)
	}
	m.Spec = s
	return m
}

// show writes an answer as test files have it.
func (b *bench) show(out *strings.Builder, op wire.Op, ans wire.Response) {
	if ans.Code != wire.OK {
		fmt.Fprintf(out, "%v %d: %s\n", ans.Code, ans.Sub, ans.Body)
		return
	}
	fmt.Fprintf(out, "ok num=%d", ans.Num)
	r := wire.NewReader(ans.Body)
	switch op {
	case wire.OpDocIndex:
		fmt.Fprintf(out, " %s", ans.Body)
	case wire.OpDocCollections, wire.OpDocStats:
		for r.Len() > 0 {
			var c wire.DocCollectionInfo
			wire.TakeDocCollectionInfo(&r, &c)
			fmt.Fprintf(out, "\n  %s.%s created=%d documents=%d bytes=%d indexes=%d", c.Name.DB, c.Name.Coll, c.Created, c.Documents, c.Bytes, c.Indexes)
			if op == wire.OpDocStats {
				showIndexes(out, &r)
			}
		}
	case wire.OpDocIndexes:
		showIndexes(out, &r)
	}
	out.WriteString("\n")
}

func showIndexes(out *strings.Builder, r *wire.Reader) {
	for r.Len() > 0 {
		var i wire.DocIndexInfo
		wire.TakeDocIndexInfo(r, &i)
		fmt.Fprintf(out, "\n  %s", i.Spec.Name)
		for _, f := range i.Spec.Fields {
			fmt.Fprintf(out, " %s:%v", f.Path, map[bool]int{false: 1, true: -1}[f.Desc])
		}
		fmt.Fprintf(out, " flags=%d ttl=%d state=%d multikey=%v entries=%d seen=%d %s", i.Spec.Flags, i.Spec.TTL, i.State, i.Multikey, i.Entries, i.Seen, i.Reason)
	}
}

// look serves what is asked of the machine beside the log: get c id; scan c [reverse]; entries c index [reverse].
func (b *bench) look(out *strings.Builder, l *line) bool {
	switch l.word(0) {
	case "get", "scan", "entries":
	case "dump":
		out.WriteString(b.Dump())
		return true
	default:
		return false
	}
	r := b.m.Open([]byte("db"), []byte(l.word(1)))
	if r == nil {
		out.WriteString("no collection\n")
		return true
	}
	defer r.Close()
	var err error
	back := l.word(len(l.words)-1) == "reverse"
	switch l.word(0) {
	case "get":
		id := idOf(l.t, l.word(2))
		d, version, e := r.Get(id, nil)
		again, v2, e2 := b.m.Get(r.ID, id, nil)
		if e2 != nil || v2 != version || string(again) != string(d) {
			l.t.Fatalf("with a view %s %d, without %s %d %v", d, version, again, v2, e2)
		}
		err = e
		fmt.Fprintf(out, "%d %s\n", version, d)
	case "scan":
		err = r.Scan(nil, nil, back, func(_ []byte, d bsoncore.Document, version uint64) bool {
			fmt.Fprintf(out, "%d %s\n", version, d)
			return true
		})
	case "entries":
		ix := r.Index(l.word(2))
		if ix == nil {
			out.WriteString("no index\n")
			return true
		}
		err = r.IndexScan(ix, nil, nil, back, func(key, id []byte) bool {
			d, _, e := r.Get(id, nil)
			if e != nil {
				l.t.Fatal(e)
			}
			of, _ := value.Get(d, "_id")
			fmt.Fprintf(out, "%x %s\n", key, of)
			return true
		})
	}
	if err != nil {
		l.t.Fatal(err)
	}
	return true
}
