package doc

import (
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
	"go.uber.org/goleak"

	"github.com/skshohagmiah/flin/pkg/engine/enginetest"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is an engine over a real group.
type world struct {
	*Engine
	*enginetest.World
}

// worlds makes them, for a test.
var worlds = enginetest.Worlds[Config, *Engine, *world]{
	Default: Default,
	Store:   func(cfg *Config) *store.Options { return &cfg.Store },
	Open:    Open,
	Wrap:    func(e *Engine, w *enginetest.World) *world { return &world{e, w} },
	Ready:   wire.Request{Op: wire.OpDocIndexes, Body: (&wire.DocName{DB: []byte("test"), Coll: []byte("none")}).Append(nil)},
}

type payload = enginetest.Payload

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
	w.T.Helper()
	m := wire.DocInsert{Name: name(coll)}
	for _, d := range docs {
		m.Docs = append(m.Docs, js(w.T, d))
	}
	resp := w.Must(wire.OpDocInsert, &m)
	return result(w.T, &resp)
}

// all returns what a find gives, from all batches.
func (w *world) all(m *wire.DocFind) (docs []string) {
	w.T.Helper()
	resp := w.Must(wire.OpDocFind, m)
	for {
		docs = append(docs, texts(w.T, resp.Body)...)
		if resp.Num == 0 {
			return docs
		}
		resp = w.Must(wire.OpDocMore, &wire.DocMore{Cursor: uint64(resp.Num), Batch: m.Batch})
	}
}

// find returns the documents that match.
func (w *world) find(coll, filter string) []string {
	w.T.Helper()
	return w.all(&wire.DocFind{Name: name(coll), Filter: js(w.T, filter)})
}

// update changes documents.
func (w *world) update(coll, filter, update string, flags wire.DocWriteFlags) wire.DocResult {
	w.T.Helper()
	resp := w.Must(wire.OpDocUpdate, &wire.DocUpdate{Name: name(coll), Flags: flags, Filter: js(w.T, filter), Update: js(w.T, update)})
	return result(w.T, &resp)
}

// remove deletes documents.
func (w *world) remove(coll, filter string, flags wire.DocWriteFlags) uint64 {
	w.T.Helper()
	resp := w.Must(wire.OpDocDelete, &wire.DocUpdate{Name: name(coll), Flags: flags, Filter: js(w.T, filter)})
	m := result(w.T, &resp)
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
	w.T.Helper()
	w.Must(wire.OpDocIndex, &wire.DocIndex{Name: name(coll), Spec: s})
}

// explain returns the explanation of a find that was executed.
func (w *world) explain(m *wire.DocFind) bson.M {
	w.T.Helper()
	resp := w.Must(wire.OpDocExplain, &wire.DocExplain{Op: wire.OpDocFind, Execute: true, Body: m.Append(nil)})
	var doc bson.M
	if err := bson.Unmarshal(resp.Body, &doc); err != nil {
		w.T.Fatal(err)
	}
	return doc
}

// verify checks the documents against the indexes. Nothing may be written meanwhile.
func (w *world) verify() {
	w.T.Helper()
	if err := w.machine.Verify(); err != nil {
		w.T.Error(err)
	}
}
