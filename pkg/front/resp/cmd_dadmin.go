package resp

import (
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// docBuild is how long DOC.INDEX waits for an index, in ms. It is built to its end all the same.
const docBuild = 3_600_000

func cmdDocIndex(c *conn, args [][]byte) {
	keys, ok := c.document("the list of keys", args[2])
	if !ok {
		return
	}
	var o docArgs
	if !c.docOptions(args, 3, docUnique|docSparse|docTTL|docNamed|docPartial, &o) {
		return
	}
	m := wire.DocIndex{Name: wire.DocName{DB: o.db, Coll: args[1]}, Spec: wire.DocIndexSpec{Name: o.name, TTL: o.ttl, Partial: o.partial}}
	for _, f := range [...]struct {
		option docOption
		flag   wire.DocIndexFlags
	}{{docUnique, wire.DocIndexUnique}, {docSparse, wire.DocIndexSparse}, {docTTL, wire.DocIndexTTL}, {docPartial, wire.DocIndexPartial}} {
		if o.has(f.option) {
			m.Spec.Flags |= f.flag
		}
	}
	if m.Spec.Fields, ok = c.indexFields(keys); !ok {
		return
	}
	c.body = m.Append(c.body[:0])
	c.submitAndBlock(wire.OpDocIndex, docBuild, c.body, slot{shape: shapeIndexed})
}

// indexFields reads the fields of an index, each 1 or -1. It replies itself, and is not ok, if they are something else.
func (c *conn) indexFields(keys []byte) ([]wire.DocIndexField, bool) {
	elements, err := bsoncore.Document(keys).Elements()
	if err != nil {
		c.fail("ERR the list of keys cannot be read: " + err.Error())
		return nil, false
	}
	fields := make([]wire.DocIndexField, len(elements))
	for i, e := range elements {
		n, ok := e.Value().AsInt64OK()
		if !ok || n != 1 && n != -1 {
			c.fail("ERR key '" + cText([]byte(e.Key()), 64) + "' of an index must be 1 to ascend or -1 to descend")
			return nil, false
		}
		fields[i] = wire.DocIndexField{Path: []byte(e.Key()), Desc: n < 0}
	}
	return fields, true
}

func cmdDocIndexes(c *conn, args [][]byte) { c.onCollection(wire.OpDocIndexes, args, shapeIndexes) }

func cmdDocDrop(c *conn, args [][]byte) {
	if len(args[1]) == 0 {
		c.fail("ERR the name of a collection is empty")
		return
	}
	c.onCollection(wire.OpDocDrop, args, shapeCount)
}

// onCollection asks for an operation whose payload is the collection's name.
func (c *conn) onCollection(op wire.Op, args [][]byte, sh shape) {
	var o docArgs
	if !c.docOptions(args, 2, 0, &o) {
		return
	}
	c.body = (&wire.DocName{DB: o.db, Coll: args[1]}).Append(c.body[:0])
	c.submit(op, c.body, slot{shape: sh})
}

func cmdDocDropindex(c *conn, args [][]byte) {
	var o docArgs
	if !c.docOptions(args, 3, 0, &o) {
		return
	}
	c.body = (&wire.DocDropIndex{Name: wire.DocName{DB: o.db, Coll: args[1]}, Index: args[2]}).Append(c.body[:0])
	c.submit(wire.OpDocDropIndex, c.body, slot{shape: shapeCount})
}

func cmdDocCollections(c *conn, args [][]byte) {
	var o docArgs
	if !c.docOptions(args, 1, 0, &o) {
		return
	}
	m := wire.DocList{DB: o.db, Limit: wire.MaxDocList}
	var info wire.DocCollectionInfo
	c.gather(wire.OpDocCollections, m.Append, "names", "several databases", func(list []byte, r *wire.Reader) (_ []byte, n int) {
		for r.Len() > 0 {
			if wire.TakeDocCollectionInfo(r, &info); r.Err() == nil {
				list = appendBulk(list, info.Name.Coll)
				n++
			}
		}
		m.After = info.Name // the answer is ours
		return list, n
	})
}
