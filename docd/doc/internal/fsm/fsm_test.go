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

	"github.com/skshohagmiah/flin/docd/doc/internal/doctest"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/replica/machinetest"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestMain(m *testing.M) {
	flag.Parse()
	goleak.VerifyTestMain(m)
}

type (
	command = machinetest.Command
	entry   = machinetest.Entry
	limit   = machinetest.Limit
)

// bench is a machine over a store, with somebody who plays the log.
type bench struct {
	*machinetest.Bench
	m    *Machine
	told []string // by the hook, of the last entry
}

func newBench(t testing.TB, o store.Options) *bench {
	t.Helper()
	b := &bench{}
	b.Bench = machinetest.NewBench(t, o, machinetest.Spec{
		Make: func(st *store.Store) (replica.Machine, error) {
			return NewMachine(st, Options{OnCollection: func(db, name string) { b.told = append(b.told, db+"."+name) }})
		},
		Reads:   func(op wire.Op) bool { return KindOf(op) == Read },
		Summary: func(m replica.Machine) string { return summary(m.(*Machine)) },
		Forget:  func() { b.told = b.told[:0] },
		Shown:   100,
	})
	b.m = b.Machine.(*Machine)
	return b
}

// name is a collection of the database that tests use.
func name(coll string) wire.DocName { return wire.DocName{DB: []byte("db"), Coll: []byte(coll)} }

// doc makes a document of relaxed extended JSON.
func doc(t testing.TB, text string) []byte {
	t.Helper()
	return doctest.Document(t, text)
}

// val makes a value, with its type in front, of relaxed extended JSON.
func val(t testing.TB, text string) []byte {
	t.Helper()
	v := doctest.Value(t, text)
	return append([]byte{byte(v.Type)}, v.Data...)
}

// idOf is the key of an _id in relaxed extended JSON.
func idOf(t testing.TB, text string) []byte {
	t.Helper()
	return AppendID(nil, doctest.Value(t, text))
}

// insert inserts documents as one command.
func (b *bench) insert(coll string, docs ...[]byte) wire.Response {
	b.T.Helper()
	return b.One(wire.OpDocApply, inserts(coll, docs...))
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
	b.T.Helper()
	return b.Must(wire.OpDocIndex, &wire.DocIndex{Name: name(coll), Spec: s})
}

// Check compares the indexes with the documents, and what memory has with what a restart would have.
func (b *bench) Check() {
	b.T.Helper()
	if err := b.m.Verify(); err != nil {
		b.T.Fatalf("entry %d: %v", b.Index, err)
	}
	b.Bench.Check()
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
