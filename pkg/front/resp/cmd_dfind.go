package resp

import (
	"github.com/skshohagmiah/flin/pkg/extjson"
	"github.com/skshohagmiah/flin/pkg/wire"
)

const (
	docPage  = 1000 // documents that are asked for at a time
	docSmall = 100  // a LIMIT up to this is answered by one answer of the engine, so that such commands may be pipelined
)

// find reads the filter and the options of a command into m. It replies itself, and is false, if they make no sense.
func (c *conn) find(m *wire.DocFind, args [][]byte, allowed docOption) bool {
	var o docArgs
	filter, ok := c.document("the filter", args[2])
	if !ok || !c.docOptions(args, 3, allowed, &o) {
		return false
	}
	*m = wire.DocFind{
		Name: wire.DocName{DB: o.db, Coll: args[1]}, Filter: filter, Sort: o.sort, Project: o.fields, Skip: o.skip, Limit: o.limit,
	}
	return true
}

const docView = docSort | docSkip | docLimit | docFields

func cmdDocFind(c *conn, args [][]byte) {
	var m wire.DocFind
	if !c.find(&m, args, docView) {
		return
	}
	m.Batch = docPage
	if m.Limit > 0 && m.Limit <= docSmall {
		m.Batch = m.Limit
		c.body = m.Append(c.body[:0])
		c.submit(wire.OpDocFind, c.body, slot{shape: shapeDocuments})
		return
	}
	c.body = m.Append(c.body[:0])
	c.gatherDocuments(wire.OpDocFind, "LIMIT and SKIP, or FIELDS")
}

func cmdDocCount(c *conn, args [][]byte) {
	var m wire.DocFind
	if !c.find(&m, args, docSkip|docLimit) {
		return
	}
	c.body = m.Append(c.body[:0])
	c.submit(wire.OpDocCount, c.body, slot{shape: shapeCount})
}

func cmdDocExplain(c *conn, args [][]byte) {
	var m wire.DocFind
	if !c.find(&m, args, docView) {
		return
	}
	c.body = (&wire.DocExplain{Op: wire.OpDocFind, Execute: true, Body: m.Append(nil)}).Append(c.body[:0])
	c.submit(wire.OpDocExplain, c.body, slot{shape: shapeExplained})
}

func cmdDocAggregate(c *conn, args [][]byte) {
	pipeline, err := extjson.Array(args[2])
	if err != nil {
		c.fail("ERR the pipeline is no array in JSON: " + err.Error())
		return
	}
	var o docArgs
	if !c.docOptions(args, 3, 0, &o) {
		return
	}
	m := wire.DocAggregate{Name: wire.DocName{DB: o.db, Coll: args[1]}, Pipeline: pipeline, Batch: docPage}
	c.body = m.Append(c.body[:0])
	c.gatherDocuments(wire.OpDocAggregate, "$limit and $skip, or $project")
}

// gatherDocuments asks for op with the payload c.body, then for what its cursor has, and replies with the list of all documents. One
// that is over the limit of a reply is refused: remedy says what to use.
func (c *conn) gatherDocuments(op wire.Op, remedy string) {
	var list []byte
	total, limit := 0, c.link.Limits().MaxOutput/2
	for {
		resp, ok := c.call(op, c.body)
		if !ok {
			return
		}
		if resp.Code != wire.OK {
			c.failWire(&resp)
			return
		}
		var n int
		var err error
		list, n, err = appendJSONDocs(list, resp.Body)
		if total += n; err != nil || len(list) > limit {
			if !c.killCursor(uint64(resp.Num)) {
				return
			}
			if err != nil {
				c.end(c.appendBadAnswer(c.begin(), err))
				return
			}
			c.fail("ERR the documents take more than " + itoa(limit) + " bytes, the limit of a reply: use " + remedy)
			return
		}
		if resp.Num == 0 {
			break
		}
		op = wire.OpDocMore
		c.body = (&wire.DocMore{Cursor: uint64(resp.Num), Batch: docPage}).Append(c.body[:0])
	}
	c.end(append(appendArray(c.begin(), total), list...))
}

// killCursor gives a cursor up; 0 is none. False: the connection is over.
func (c *conn) killCursor(cursor uint64) bool {
	if cursor == 0 {
		return true
	}
	c.body = (&wire.DocKill{Cursors: []uint64{cursor}}).Append(c.body[:0])
	_, ok := c.call(wire.OpDocKill, c.body)
	return ok
}
