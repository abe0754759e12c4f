package fsm

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
	"go.uber.org/goleak"

	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/replica/machinetest"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestMain(m *testing.M) {
	flag.Parse()
	goleak.VerifyTestMain(m)
}

// command is one command of a log.
type command struct {
	op   wire.Op
	body []byte
}

// payload is what a command's body is made of.
type payload interface{ Append(b []byte) []byte }

// limit is the payload of the engine's own commands.
type limit int

func (n limit) Append(b []byte) []byte { return wire.AppendLimit(b, int(n)) }

// bench is a machine over a store, with somebody who plays the log.
type bench struct {
	t     testing.TB
	st    *store.Store
	m     *Machine
	index uint64
	rev   uint64
	now   int64
	told  []string // by the hook, of the last entry
}

func newBench(t testing.TB, o store.Options) *bench {
	t.Helper()
	st := machinetest.Open(t, o)
	b := &bench{t: t, st: st}
	var err error
	b.m, err = NewMachine(st, Options{OnCollection: func(db, name string) { b.told = append(b.told, db+"."+name) }})
	if err != nil {
		t.Fatal(err)
	}
	b.begin()
	return b
}

func (b *bench) begin() {
	pos := b.st.Applied()
	b.index, b.rev, b.now = pos.Index, pos.Revision, pos.Time
}

func (b *bench) close() { machinetest.Close(b.t, b.st) }

// apply executes the commands as one entry, at time b.now.
func (b *bench) apply(cmds ...command) (list []wire.Response) {
	b.t.Helper()
	b.index++
	for _, cmd := range cmds {
		read := KindOf(cmd.op) == Read
		if !read {
			b.rev++
		}
		c := replica.Command{Op: cmd.op, Body: cmd.body, Index: b.index, Revision: b.rev, Time: b.now, Read: read, Wanted: true}
		list = append(list, machinetest.Execute(b.t, b.m, &c))
	}
	b.finish()
	return list
}

// finish ends an entry.
func (b *bench) finish() {
	b.told = b.told[:0]
	machinetest.Finish(b.st, b.m, store.Position{Index: b.index, Revision: b.rev, Time: b.now})
}

// one executes a command as an entry of its own.
func (b *bench) one(op wire.Op, m payload) wire.Response {
	b.t.Helper()
	return b.apply(command{op, m.Append(nil)})[0]
}

// must is one for a command that has to succeed.
func (b *bench) must(op wire.Op, m payload) wire.Response {
	b.t.Helper()
	ans := b.one(op, m)
	if err := ans.Err(); err != nil {
		b.t.Fatalf("%v: %v", op, err)
	}
	return ans
}

// name is a collection of the database that tests use.
func name(coll string) wire.DocName { return wire.DocName{DB: []byte("db"), Coll: []byte(coll)} }

// doc makes a document of relaxed extended JSON.
func doc(t testing.TB, text string) []byte {
	t.Helper()
	var d bson.D
	if err := bson.UnmarshalExtJSON([]byte(text), false, &d); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	b, err := bson.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// val makes a value, with its type in front, of relaxed extended JSON.
func val(t testing.TB, text string) []byte {
	t.Helper()
	v := bsoncore.Document(doc(t, `{"v": `+text+`}`)).Lookup("v")
	return append([]byte{byte(v.Type)}, v.Data...)
}

// idOf is the key of an _id in relaxed extended JSON.
func idOf(t testing.TB, text string) []byte {
	t.Helper()
	v := val(t, text)
	return AppendID(nil, bsoncore.Value{Type: bsoncore.Type(v[0]), Data: v[1:]})
}

// insert inserts documents as one command.
func (b *bench) insert(coll string, docs ...[]byte) wire.Response {
	b.t.Helper()
	return b.one(wire.OpDocApply, inserts(coll, docs...))
}

func inserts(coll string, docs ...[]byte) *wire.DocApply {
	a := &wire.DocApply{Targets: []wire.DocName{name(coll)}}
	for _, d := range docs {
		a.Changes = append(a.Changes, wire.DocChange{Kind: wire.DocChangeInsert, Doc: d})
	}
	return a
}

// spec makes an index of fields, of which those with a minus are descending.
func spec(flags wire.DocIndexFlags, fields ...string) wire.DocIndexSpec {
	s := wire.DocIndexSpec{Flags: flags}
	for _, f := range fields {
		path, desc := strings.CutPrefix(f, "-")
		s.Fields = append(s.Fields, wire.DocIndexField{Path: []byte(path), Desc: desc})
	}
	return s
}

func (b *bench) createIndex(coll string, s wire.DocIndexSpec) wire.Response {
	b.t.Helper()
	return b.must(wire.OpDocIndex, &wire.DocIndex{Name: name(coll), Spec: s})
}

// dump lists all that is in the store.
func (b *bench) dump() string { return machinetest.Dump(b.t, b.st, 100) }

// hash is a number for all that is in the store.
func (b *bench) hash() uint64 { return machinetest.Hash(b.t, b.st) }

// check compares the indexes with the documents, and what memory has with what a restart would have.
func (b *bench) check() {
	b.t.Helper()
	if err := b.m.Verify(); err != nil {
		b.t.Fatalf("entry %d: %v", b.index, err)
	}
	again, err := NewMachine(b.st, Options{})
	if err != nil {
		b.t.Fatal(err)
	}
	if got, want := summary(b.m), summary(again); got != want {
		b.t.Fatalf("entry %d at %d: memory has\n%s\na restart would have\n%s", b.index, b.now, got, want)
	}
}

// summary shows all that influences answers.
func summary(m *Machine) string {
	var out strings.Builder
	for _, c := range m.sorted("") {
		fmt.Fprintf(&out, "%s.%s %d %d %d %d\n", c.DB, c.Name, c.ID, c.Created, c.Documents(), c.Bytes())
		for _, ix := range c.Indexes {
			fmt.Fprintf(&out, "  %d %s %v %d %d %x %d %v %d %q %x %d\n", ix.ID, ix.Name, ix.Fields, ix.Flags, ix.TTL, []byte(ix.Partial), ix.State, ix.Multikey, ix.Seen, ix.Reason, ix.cursor, ix.Entries())
		}
	}
	for _, x := range m.trash {
		fmt.Fprintf(&out, "trash %x %x\n", x.key, x.mark)
	}
	for _, list := range [][]work{m.building, m.expiring} {
		iids := []uint64{}
		for _, w := range list {
			iids = append(iids, w.iid)
		}
		fmt.Fprintf(&out, "work %v sorted %v\n", iids, slices.IsSorted(iids))
	}
	fmt.Fprintf(&out, "%d collections\nfeeds %v %+v\n", m.collections, m.feeds, m.record)
	return out.String()
}

// valueOf is a value of the driver as the machine has it.
func valueOf(v bson.RawValue) bsoncore.Value {
	return bsoncore.Value{Type: bsoncore.Type(v.Type), Data: v.Value}
}
