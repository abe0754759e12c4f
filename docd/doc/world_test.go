package doc

import (
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
	"go.uber.org/goleak"

	"github.com/skshohagmiah/flin/pkg/engine/enginetest"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is an engine over a real group of one voter.
type world struct {
	*Engine
	*enginetest.Node
	t testing.TB
}

// newWorld starts an engine in a temporary folder and stops it when the test ends.
func newWorld(t testing.TB, change func(*Config)) *world {
	t.Helper()
	return startWorld(t, t.TempDir(), change)
}

// startWorld starts an engine in dir and stops it when the test ends.
func startWorld(t testing.TB, dir string, change func(*Config)) *world {
	t.Helper()
	w := bootNode(t, dir, change, nil)
	w.ready()
	return w
}

// bootNode starts an engine in dir, perhaps as one node of several, and does not wait for a leader.
func bootNode(t testing.TB, dir string, change func(*Config), changeGroup func(*replica.Config)) *world {
	t.Helper()
	cfg := Default()
	e, node := enginetest.Start(t, dir, &cfg, &cfg.Store, Open, change, changeGroup)
	return &world{Engine: e, Node: node, t: t}
}

// ready waits until the group serves: when a read comes back.
func (w *world) ready() {
	w.t.Helper()
	n := name("none")
	resp := w.do(wire.OpDocIndexes, &n, wire.FlagOrdered)
	if resp.Code != wire.NotFound {
		w.t.Fatalf("the group does not answer: %v %s", resp.Code, resp.Body)
	}
}

type payload = enginetest.Payload

// do asks for one operation and waits.
func (w *world) do(op wire.Op, m payload, flags wire.Flags) wire.Response {
	return enginetest.Do(w, op, m, flags)
}

func (w *world) must(op wire.Op, m payload) wire.Response {
	w.t.Helper()
	return enginetest.Must(w.t, w, op, m)
}

func name(coll string) wire.DocName { return wire.DocName{DB: []byte("test"), Coll: []byte(coll)} }

// js makes a document, or an array, of extended JSON.
func js(t testing.TB, text string) []byte {
	t.Helper()
	if text == "" {
		return nil
	}
	if text[0] == '[' {
		v := js(t, `{"a": `+text+`}`)
		return bsoncore.Document(v).Lookup("a").Data
	}
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

// texts shows documents as relaxed extended JSON.
func texts(t testing.TB, body []byte) (all []string) {
	t.Helper()
	for len(body) > 0 {
		doc, rest, ok := bsoncore.ReadDocument(body)
		if !ok {
			t.Fatalf("%d bytes that are no document", len(body))
		}
		all, body = append(all, text(t, doc)), rest
	}
	return all
}

func text(t testing.TB, doc []byte) string {
	t.Helper()
	b, err := bson.MarshalExtJSON(bson.Raw(doc), false, false)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// result decodes the answer to a write.
func result(t testing.TB, resp *wire.Response) (m wire.DocResult) {
	t.Helper()
	if err := resp.Err(); err != nil {
		t.Fatal(err)
	}
	if err := m.Decode(resp.Body); err != nil {
		t.Fatal(err)
	}
	return m
}

// insert puts documents into a collection.
func (w *world) insert(coll string, docs ...string) wire.DocResult {
	w.t.Helper()
	m := wire.DocInsert{Name: name(coll)}
	for _, d := range docs {
		m.Docs = append(m.Docs, js(w.t, d))
	}
	resp := w.must(wire.OpDocInsert, &m)
	return result(w.t, &resp)
}

// all returns what a find gives, from all batches.
func (w *world) all(m *wire.DocFind) (docs []string) {
	w.t.Helper()
	resp := w.must(wire.OpDocFind, m)
	for {
		docs = append(docs, texts(w.t, resp.Body)...)
		if resp.Num == 0 {
			return docs
		}
		resp = w.must(wire.OpDocMore, &wire.DocMore{Cursor: uint64(resp.Num), Batch: m.Batch})
	}
}

// find returns the documents that match.
func (w *world) find(coll, filter string) []string {
	w.t.Helper()
	return w.all(&wire.DocFind{Name: name(coll), Filter: js(w.t, filter)})
}

// update changes documents.
func (w *world) update(coll, filter, update string, flags wire.DocWriteFlags) wire.DocResult {
	w.t.Helper()
	resp := w.must(wire.OpDocUpdate, &wire.DocUpdate{Name: name(coll), Flags: flags, Filter: js(w.t, filter), Update: js(w.t, update)})
	return result(w.t, &resp)
}

// remove deletes documents.
func (w *world) remove(coll, filter string, flags wire.DocWriteFlags) uint64 {
	w.t.Helper()
	resp := w.must(wire.OpDocDelete, &wire.DocUpdate{Name: name(coll), Flags: flags, Filter: js(w.t, filter)})
	m := result(w.t, &resp)
	return m.Deleted
}

// field is a field of an index: its path, with a minus before it if it is descending.
func spec(flags wire.DocIndexFlags, fields ...string) wire.DocIndexSpec {
	s := wire.DocIndexSpec{Flags: flags}
	for _, f := range fields {
		desc := f[0] == '-'
		if desc {
			f = f[1:]
		}
		s.Fields = append(s.Fields, wire.DocIndexField{Path: []byte(f), Desc: desc})
	}
	return s
}

// index makes an index and waits until it is ready.
func (w *world) index(coll string, s wire.DocIndexSpec) {
	w.t.Helper()
	w.must(wire.OpDocIndex, &wire.DocIndex{Name: name(coll), Spec: s})
}

// explain returns the explanation of a find that was executed.
func (w *world) explain(m *wire.DocFind) bson.M {
	w.t.Helper()
	resp := w.must(wire.OpDocExplain, &wire.DocExplain{Op: wire.OpDocFind, Execute: true, Body: m.Append(nil)})
	var doc bson.M
	if err := bson.Unmarshal(resp.Body, &doc); err != nil {
		w.t.Fatal(err)
	}
	return doc
}

// verify checks the documents against the indexes. Nothing may be written meanwhile.
func (w *world) verify() {
	w.t.Helper()
	if err := w.machine.Verify(); err != nil {
		w.t.Error(err)
	}
}
