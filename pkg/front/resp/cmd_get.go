package resp

import "github.com/skshohagmiah/flin/pkg/wire"

// onKey asks for an operation whose payload is one key.
func (c *conn) onKey(op wire.Op, key []byte, answer slot) {
	c.body = append(append(c.body[:0], c.db), key...)
	c.submit(op, c.body, answer)
}

// onKeys asks for an operation whose payload is a list of keys.
func (c *conn) onKeys(op wire.Op, keys [][]byte, answer slot) {
	c.body = (&wire.KVKeys{DB: c.db, Keys: keys}).Append(c.body[:0])
	c.submit(op, c.body, answer)
}

func cmdGet(c *conn, args [][]byte) { c.onKey(wire.OpKVGet, args[1], slot{shape: shapeValue}) }

func cmdGetdel(c *conn, args [][]byte) { c.onKey(wire.OpKVGetDel, args[1], slot{shape: shapeValue}) }

func cmdMget(c *conn, args [][]byte) {
	c.onKeys(wire.OpKVMGet, args[1:], slot{shape: shapeEntries, arg: int64(len(args) - 1)})
}

func cmdGetex(c *conn, args [][]byte) {
	var o setOptions
	if !o.parse(args[2:], true) {
		c.failSyntax()
		return
	}
	if o.amount != nil {
		if failure := c.expireTime(&o.expiry, o.amount, o.seconds); failure != "" {
			// A key that is not there is null first of all.
			c.onKey(wire.OpKVStat, args[1], slot{shape: shapeRefusal, arg: refusalOf(failure)})
			return
		}
	}
	c.body = (&wire.KVExpire{DB: c.db, Expiry: o.expiry, Key: args[1]}).Append(c.body[:0])
	c.submit(wire.OpKVGetEx, c.body, slot{shape: shapeValue})
}

// The refusals that shapeRefusal knows.
const (
	refuseInteger = iota
	refuseExpiry
)

func refusalOf(failure string) int64 {
	if failure == errInteger {
		return refuseInteger
	}
	return refuseExpiry
}

func cmdStrlen(c *conn, args [][]byte) { c.onKey(wire.OpKVStat, args[1], slot{shape: shapeSize}) }

// cmdGetrange serves SUBSTR too.
func cmdGetrange(c *conn, args [][]byte) {
	start, ok1 := parseInt(args[2])
	end, ok2 := parseInt(args[3])
	if !ok1 || !ok2 {
		c.failInteger()
		return
	}
	c.body = (&wire.KVRange{DB: c.db, Start: start, End: end, Key: args[1]}).Append(c.body[:0])
	c.submit(wire.OpKVGetRange, c.body, slot{shape: shapePart})
}

func cmdSetrange(c *conn, args [][]byte) {
	start, ok := parseInt(args[2])
	if !ok {
		c.failInteger()
		return
	}
	c.body = (&wire.KVRange{DB: c.db, Start: start, Key: args[1], Value: args[3]}).Append(c.body[:0])
	c.submit(wire.OpKVSetRange, c.body, slot{shape: shapeInt})
}

func cmdAppend(c *conn, args [][]byte) {
	c.body = (&wire.KVPair{DB: c.db, Key: args[1], Value: args[2]}).Append(c.body[:0])
	c.submit(wire.OpKVAppend, c.body, slot{shape: shapeInt})
}

func cmdLcs(c *conn, args [][]byte) {
	m := wire.KVLCS{DB: c.db, A: args[1], B: args[2]}
	answer := slot{shape: shapeFewOrValue}
	withLen := int64(0)
	for i := 3; i < len(args); i++ {
		switch a := args[i]; {
		case fold(a, "idx"):
			m.Flags |= wire.LCSIdx
		case fold(a, "len"):
			m.Flags |= wire.LCSLen
		case fold(a, "withmatchlen"):
			withLen = 1
		case fold(a, "minmatchlen") && i+1 < len(args):
			i++
			n, ok := parseInt(args[i])
			if !ok {
				c.failInteger()
				return
			}
			m.MinLen = uint64(max(n, 0))
		default:
			c.failSyntax()
			return
		}
	}
	switch m.Flags {
	case wire.LCSIdx | wire.LCSLen:
		c.fail("ERR If you want both the length and indexes, please just use IDX.")
		return
	case wire.LCSIdx:
		answer = slot{shape: shapeMatches, arg: withLen}
	case wire.LCSLen:
		answer.arg = 1
	}
	c.body = m.Append(c.body[:0])
	c.submit(wire.OpKVLCS, c.body, answer)
}

// encodeMatches appends what LCS IDX says.
func encodeMatches(b []byte, resp *wire.Response, withLen, resp3 bool) []byte {
	b = appendBulk(appendMap(b, 2, resp3), "matches")
	n, r := 0, wire.NewReader(resp.Body)
	for r.Len() > 0 {
		for range 5 {
			r.Uvarint()
		}
		n++
	}
	b = appendArray(b, n)
	r = wire.NewReader(resp.Body)
	for range n {
		parts := 2
		if withLen {
			parts++
		}
		b = appendArray(b, parts)
		for range 2 {
			b = appendArray(b, 2)
			b = appendInt(b, int64(r.Uvarint()))
			b = appendInt(b, int64(r.Uvarint()))
		}
		if l := r.Uvarint(); withLen {
			b = appendInt(b, int64(l))
		}
	}
	return appendInt(appendBulk(b, "len"), resp.Num)
}
