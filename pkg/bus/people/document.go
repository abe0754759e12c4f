package people

import (
	"bytes"
	"math"
	"strconv"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/skshohagmiah/flin/pkg/extjson"
	"github.com/skshohagmiah/flin/pkg/wire"
)

const (
	findLimit = 100  // documents of a find, unless it says
	findMost  = 1000 // documents of a find, at most
)

func docEndpoints() []endpoint {
	view := []string{"DB", "Sort", "Skip", "Limit", "Fields"}
	return []endpoint{
		{
			verb: "insert", name: "collection", body: "a document in JSON, or an array of them", options: []string{"DB"}, writes: true,
			serve: docInsert, answer: "a line of JSON with the _id of each",
		},
		{
			verb: "find", name: "collection", body: "the filter in JSON; empty: all", options: view, serve: docFind,
			answer: "a line of JSON a document; Flin-Skip if there are more",
		},
		{
			verb: "explain", name: "collection", body: "the filter in JSON; empty: all", options: view, serve: docExplain,
			answer: "JSON: how a find is executed",
		},
		{
			verb: "collections", options: []string{"DB", "After", "Limit"}, serve: docCollections,
			answer: "a line of JSON each; Flin-After if there are more",
		},
	}
}

// collection returns the collection that the request is about.
func (c *call) collection() wire.DocName {
	db := c.text("DB")
	if db == "" {
		db = wire.DocDatabase
	}
	return wire.DocName{DB: []byte(db), Coll: c.name}
}

func docInsert(c *call) error {
	m := wire.DocInsert{Name: c.collection()}
	docs, err := documents(c.m.Data)
	if err != nil {
		return err
	}
	var ids [][]byte
	for _, doc := range docs {
		with, id := extjson.WithID(doc)
		text, err := extjson.AppendValue(nil, id)
		if err != nil {
			return wire.Errorf(wire.Invalid, "an _id cannot be read: %v", err)
		}
		m.Docs, ids = append(m.Docs, with), append(ids, text)
	}
	resp, err := c.ask(wire.OpDocInsert, m.Append(nil))
	if err != nil {
		return err
	}
	var result wire.DocResult
	if err := result.Decode(resp.Body); err != nil {
		return err
	}
	if len(result.Errors) > 0 {
		e := &result.Errors[0]
		if len(docs) == 1 {
			return e.Err()
		}
		return wire.Errorf(e.Code, "%d of %d documents were inserted; number %d was not: %s", result.Inserted, len(docs), e.Index+1, e.Msg)
	}
	return c.give(bytes.Join(ids, []byte("\n")))
}

// documents reads one document, or an array of them.
func documents(text []byte) ([][]byte, error) {
	if extjson.First(text) != '[' {
		doc, err := extjson.Document(text)
		if err != nil {
			return nil, wire.Errorf(wire.Invalid, "the body is no document in JSON: %v", err)
		}
		return [][]byte{doc}, nil
	}
	list, err := extjson.Array(text)
	if err != nil {
		return nil, wire.Errorf(wire.Invalid, "the body is no array in JSON: %v", err)
	}
	values, err := bson.RawArray(list).Values()
	if err != nil {
		return nil, err
	}
	var docs [][]byte
	for i, v := range values {
		if v.Type != bson.TypeEmbeddedDocument {
			return nil, wire.Errorf(wire.Invalid, "number %d of the body's array is no document", i+1)
		}
		docs = append(docs, v.Value)
	}
	if len(docs) == 0 {
		return nil, wire.Errorf(wire.Invalid, "the body's array is empty")
	}
	return docs, nil
}

// view reads what a find and an explain have in common.
func (c *call) view() wire.DocFind {
	return wire.DocFind{
		Name: c.collection(), Flags: wire.DocFindSingle, Filter: c.document("the filter", string(c.m.Data)),
		Sort: c.document("Flin-Sort", c.text("Sort")), Project: c.document("Flin-Fields", c.text("Fields")),
		Skip: c.number("Skip", 0, math.MaxInt64, 0), Limit: c.number("Limit", 1, findMost, findLimit),
	}
}

func docFind(c *call) error {
	m := c.view()
	limit, n := m.Limit, uint64(0)
	m.Limit++ // whether there are more
	m.Batch = m.Limit
	resp, err := c.ask(wire.OpDocFind, m.Append(nil))
	if err != nil {
		return err
	}
	rest := resp.Body
	for ; len(rest) > 0 && n < limit; n++ {
		doc, more, err := extjson.Next(rest)
		if err != nil {
			return err
		}
		text, err := extjson.AppendDocument(nil, doc)
		if err != nil {
			return err
		}
		fits, err := c.appendLine(text)
		if err != nil {
			return err
		}
		if !fits {
			break
		}
		rest = more
	}
	if len(rest) > 0 || resp.Num != 0 {
		c.setNumber("Skip", m.Skip+n)
	}
	return nil
}

func docExplain(c *call) error {
	m := c.view()
	m.Flags = 0
	resp, err := c.ask(wire.OpDocExplain, (&wire.DocExplain{Op: wire.OpDocFind, Execute: true, Body: m.Append(nil)}).Append(nil))
	if err != nil {
		return err
	}
	text, err := extjson.AppendDocument(nil, resp.Body)
	if err != nil {
		return err
	}
	return c.give(text)
}

// collectionLine is a collection in a list.
type collectionLine struct {
	DB        string `json:"db"`
	Name      string `json:"collection"`
	Documents uint64 `json:"documents"`
	Bytes     uint64 `json:"bytes"`
	Indexes   uint64 `json:"indexes"` // besides that of _id
}

func docCollections(c *call) error {
	m := wire.DocList{DB: []byte(c.text("DB")), Limit: c.number("Limit", 1, wire.MaxDocList, listLimit)}
	after := c.bytes("After")
	if after != nil {
		var ok bool
		if m.After.DB, m.After.Coll, ok = bytes.Cut(after, []byte(".")); !ok { // no database has a dot in its name
			c.fail("Flin-After is %s, must be a database, a dot and a collection", strconv.Quote(string(after)))
		}
	}
	resp, err := c.ask(wire.OpDocCollections, m.Append(nil))
	if err != nil {
		return err
	}
	var one wire.DocCollectionInfo
	return c.list(&resp, after, func(r *wire.Reader) (name []byte, line any) {
		wire.TakeDocCollectionInfo(r, &one)
		name = append(append(append([]byte(nil), one.Name.DB...), '.'), one.Name.Coll...)
		return name, collectionLine{DB: string(one.Name.DB), Name: string(one.Name.Coll), Documents: one.Documents, Bytes: one.Bytes, Indexes: one.Indexes}
	})
}
