package resp

import "github.com/skshohagmiah/flin/pkg/wire"

func (c *conn) add(op wire.Op, key []byte, by int64) {
	c.body = (&wire.KVIncr{DB: c.db, By: by, Key: key}).Append(c.body[:0])
	c.submit(op, c.body, slot{shape: shapeInt})
}

func cmdIncr(c *conn, args [][]byte) { c.add(wire.OpKVIncr, args[1], 1) }
func cmdDecr(c *conn, args [][]byte) { c.add(wire.OpKVDecr, args[1], 1) }

func cmdIncrby(c *conn, args [][]byte) {
	by, ok := parseInt(args[2])
	if !ok {
		c.failInteger()
		return
	}
	c.add(wire.OpKVIncr, args[1], by)
}

func cmdDecrby(c *conn, args [][]byte) {
	by, ok := parseInt(args[2])
	if !ok {
		c.failInteger()
		return
	}
	c.add(wire.OpKVDecr, args[1], by)
}

func cmdIncrbyfloat(c *conn, args [][]byte) {
	c.body = (&wire.KVPair{DB: c.db, Key: args[1], Value: args[2]}).Append(c.body[:0])
	c.submit(wire.OpKVIncrFloat, c.body, slot{shape: shapePart})
}
