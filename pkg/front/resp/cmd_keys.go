package resp

import (
	"math"
	"strconv"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// cmdDel serves UNLINK and MDEL too.
func cmdDel(c *conn, args [][]byte) {
	if len(args) == 2 {
		c.body = (&wire.KVDel{DB: c.db, Key: args[1]}).Append(c.body[:0])
		c.submit(wire.OpKVDel, c.body, slot{shape: shapeInt})
		return
	}
	c.onKeys(wire.OpKVMDel, args[1:], slot{shape: shapeInt})
}

// cmdExists serves TOUCH too: nothing is ever evicted, so that there is no age to renew.
func cmdExists(c *conn, args [][]byte) { c.onKeys(wire.OpKVExists, args[1:], slot{shape: shapeInt}) }

func cmdType(c *conn, args [][]byte) { c.onKey(wire.OpKVStat, args[1], slot{shape: shapeType}) }

func cmdTTL(c *conn, args [][]byte) {
	c.onKey(wire.OpKVStat, args[1], slot{shape: shapeTTL, arg: 1000})
}

func cmdPttl(c *conn, args [][]byte) { c.onKey(wire.OpKVStat, args[1], slot{shape: shapeTTL, arg: 1}) }

func cmdExpiretime(c *conn, args [][]byte) {
	c.onKey(wire.OpKVStat, args[1], slot{shape: shapeExpiry, arg: 1000})
}

func cmdPexpiretime(c *conn, args [][]byte) {
	c.onKey(wire.OpKVStat, args[1], slot{shape: shapeExpiry, arg: 1})
}

func cmdPersist(c *conn, args [][]byte) { c.onKey(wire.OpKVPersist, args[1], slot{shape: shapeInt}) }

func cmdRename(c *conn, args [][]byte) {
	c.transfer(wire.OpKVRename, args, c.db, true, slot{shape: shapeRename})
}

func cmdRenamenx(c *conn, args [][]byte) {
	c.transfer(wire.OpKVRename, args, c.db, false, slot{shape: shapeRenameNX})
}

// transfer asks for an operation from the first key to the second.
func (c *conn) transfer(op wire.Op, keys [][]byte, db byte, replace bool, answer slot) {
	m := wire.KVCopy{DB: c.db, DstDB: db, Replace: replace, Src: keys[1], Dst: keys[2]}
	c.body = m.Append(c.body[:0])
	c.submit(op, c.body, answer)
}

func cmdCopy(c *conn, args [][]byte) {
	db, replace := int64(c.db), false
	for i := 3; i < len(args); i++ {
		switch a := args[i]; {
		case fold(a, "replace"):
			replace = true
		case fold(a, "db") && i+1 < len(args):
			i++
			var ok bool
			if db, ok = c.database(args[i]); !ok {
				return
			}
		default:
			c.failSyntax()
			return
		}
	}
	if db == int64(c.db) && string(args[1]) == string(args[2]) {
		c.fail(errSameObject)
		return
	}
	c.transfer(wire.OpKVCopy, args, byte(db), replace, slot{shape: shapeInt})
}

func cmdMove(c *conn, args [][]byte) {
	db, ok := c.database(args[2])
	if !ok {
		return
	}
	if db == int64(c.db) {
		c.fail(errSameObject)
		return
	}
	c.transfer(wire.OpKVMove, [][]byte{nil, args[1], args[1]}, byte(db), false, slot{shape: shapeInt})
}

// database reads the number of a database. It replies itself, and is false, if there is none.
func (c *conn) database(p []byte) (int64, bool) {
	n, ok := parseInt(p)
	switch {
	case !ok:
		c.failInteger()
	case n < math.MinInt32 || n > math.MaxInt32:
		c.fail(errInt32)
	case n < 0 || n >= wire.KVDatabases:
		c.fail(errDatabase)
	default:
		return n, true
	}
	return 0, false
}

func cmdObjectEncoding(c *conn, args [][]byte) {
	c.onKey(wire.OpKVGet, args[2], slot{shape: shapeEncoding})
}

func cmdObjectRefcount(c *conn, args [][]byte) {
	c.onKey(wire.OpKVStat, args[2], slot{shape: shapeConst, arg: 1})
}

// cmdObjectIdletime says that every key has just been used: nobody counts.
func cmdObjectIdletime(c *conn, args [][]byte) {
	c.onKey(wire.OpKVStat, args[2], slot{shape: shapeConst})
}

func cmdObjectFreq(c *conn, args [][]byte) { c.onKey(wire.OpKVStat, args[2], slot{shape: shapeFreq}) }

// encodingOf is how Redis would keep a value that was written by SET.
func encodingOf(value []byte) string {
	if _, ok := parseInt(value); ok {
		return "int"
	}
	if len(value) <= 44 {
		return "embstr"
	}
	return "raw"
}

func cmdMemoryUsage(c *conn, args [][]byte) {
	switch {
	case len(args) == 3:
	case len(args) == 5 && fold(args[3], "samples"):
		n, ok := parseInt(args[4])
		if !ok {
			c.failInteger()
			return
		}
		if n < 0 {
			c.failSyntax()
			return
		}
	default:
		c.failSyntax()
		return
	}
	c.onKey(wire.OpKVStat, args[2], slot{shape: shapeUsage, arg: int64(len(args[2]))})
}

func cmdMemoryDoctor(c *conn, _ [][]byte) {
	c.end(appendVerbatim(c.begin(), "Nothing to report: memory is bounded by configuration.\n", c.resp3))
}

func cmdFlush(c *conn, args [][]byte) {
	if len(args) > 2 || len(args) == 2 && !fold(args[1], "async") && !fold(args[1], "sync") {
		c.failSyntax()
		return
	}
	m := wire.KVDB{DB: c.db}
	if c.cmd.name == "flushall" {
		m.DB = wire.AllDatabases
	}
	c.body = m.Append(c.body[:0])
	c.submit(wire.OpKVFlush, c.body, slot{shape: shapeOK})
}

func cmdSwapdb(c *conn, args [][]byte) {
	var dbs [2]int64
	for i, which := range [2]string{"first", "second"} {
		n, ok := parseInt(args[i+1])
		if !ok || n < math.MinInt32 || n > math.MaxInt32 {
			c.fail("ERR invalid " + which + " DB index")
			return
		}
		dbs[i] = n
	}
	for _, n := range dbs {
		if n < 0 || n >= wire.KVDatabases {
			c.fail(errDatabase)
			return
		}
	}
	c.body = (&wire.KVDB{DB: byte(dbs[0]), Other: byte(dbs[1])}).Append(c.body[:0])
	c.submit(wire.OpKVSwap, c.body, slot{shape: shapeOK})
}

func cmdSelect(c *conn, args [][]byte) {
	n, ok := c.database(args[1])
	if !ok {
		return
	}
	c.db = byte(n)
	c.replyOK()
}

func itoa[N int | int64 | uint64](n N) string { return strconv.FormatInt(int64(n), 10) }
