package resp

import (
	"github.com/skshohagmiah/flin/pkg/extjson"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func cmdDocInsert(c *conn, args [][]byte) {
	m := wire.DocInsert{}
	rest := 2
	var ids []byte
	for rest < len(args) && (extjson.First(args[rest]) == '{' || rest == 2) {
		doc, ok := c.document("document "+itoa(rest-1), args[rest])
		if !ok {
			return
		}
		doc, id := extjson.WithID(doc)
		var err error
		if ids, err = appendJSONValue(ids, id); err != nil {
			c.fail("ERR the _id of document " + itoa(rest-1) + " cannot be read: " + err.Error())
			return
		}
		m.Docs = append(m.Docs, doc)
		rest++
	}
	var o docArgs
	if !c.docOptions(args, rest, 0, &o) {
		return
	}
	m.Name = wire.DocName{DB: o.db, Coll: args[1]}
	c.body = m.Append(c.body[:0])
	n := len(m.Docs)
	c.submit(wire.OpDocInsert, c.body, slot{shape: shapeInserted, arg: int64(n), buf: append(appendArray(nil, n), ids...)})
}

func cmdDocUpdate(c *conn, args [][]byte) {
	var o docArgs
	var m wire.DocUpdate
	var ok bool
	if m.Filter, ok = c.document("the filter", args[2]); !ok {
		return
	}
	if m.Update, ok = c.document("the update", args[3]); !ok {
		return
	}
	if !c.docOptions(args, 4, docOne|docUpsert, &o) {
		return
	}
	m.Name = wire.DocName{DB: o.db, Coll: args[1]}
	if o.has(docUpsert) {
		m.Flags |= wire.DocUpsert
	}
	if !o.has(docOne) && !replaces(m.Update) {
		m.Flags |= wire.DocMulti
	}
	c.body = m.Append(c.body[:0])
	c.submit(wire.OpDocUpdate, c.body, slot{shape: shapeUpdated})
}

// replaces reports whether an update is a document that takes the place of another, not one of operators.
func replaces(update []byte) bool { return len(update) < 6 || update[5] != '$' }

func cmdDocDelete(c *conn, args [][]byte) {
	var o docArgs
	filter, ok := c.document("the filter", args[2])
	if !ok || !c.docOptions(args, 3, docOne, &o) {
		return
	}
	m := wire.DocUpdate{Name: wire.DocName{DB: o.db, Coll: args[1]}, Filter: filter}
	if !o.has(docOne) {
		m.Flags = wire.DocMulti
	}
	c.body = m.Append(c.body[:0])
	c.submit(wire.OpDocDelete, c.body, slot{shape: shapeDeleted})
}
