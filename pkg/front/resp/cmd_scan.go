package resp

import (
	"strconv"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func cmdScan(c *conn, args [][]byte) {
	num, ok := parseUint(args[1])
	if !ok {
		c.fail("ERR invalid cursor")
		return
	}
	m := wire.KVScan{DB: c.db, Flags: wire.ScanKeysOnly, Limit: 10}
	typed := false
	for i := 2; i < len(args); i += 2 {
		if i+1 == len(args) {
			c.failSyntax()
			return
		}
		switch a, v := args[i], args[i+1]; {
		case fold(a, "count"):
			n, ok := parseInt(v)
			if !ok {
				c.failInteger()
				return
			}
			if n < 1 {
				c.failSyntax()
				return
			}
			m.Limit = uint64(min(n, wire.MaxBatch))
		case fold(a, "match"):
			m.Match = v
			if string(v) == "*" {
				m.Match = nil
			}
		case fold(a, "type"):
			typed = !fold(v, "string")
		default:
			c.failSyntax()
			return
		}
	}
	m.Examine = m.Limit
	if num != 0 {
		at, ok := c.s.cursors.use(num)
		if !ok || at.db != c.db {
			c.fail("ERR invalid cursor")
			return
		}
		m.Flags |= wire.ScanAfter
		m.After = []byte(at.after)
	}
	if typed { // there are no keys of other types
		c.replyPage(0, nil, 0)
		return
	}
	c.body = m.Append(c.body[:0])
	resp, ok := c.call(wire.OpKVScan, c.body)
	if !ok {
		return
	}
	if resp.Code != wire.OK {
		c.failWire(&resp)
		return
	}
	r := wire.NewReader(resp.Body)
	after := r.Bytes()
	if resp.Num == 0 {
		num = 0
	} else {
		num = c.s.cursors.add(cursor{after: string(after), db: c.db, before: num})
	}
	keys, n := appendKeys(nil, &r)
	c.replyPage(num, keys, n)
}

// replyPage replies with a page of n keys, already encoded, and the cursor of the next.
func (c *conn) replyPage(cursor uint64, keys []byte, n int) {
	b := appendArray(c.begin(), 2)
	b = appendBulk(b, strconv.FormatUint(cursor, 10))
	c.end(append(appendArray(b, n), keys...))
}

// appendKeys appends the keys of the entries in r and returns how many there were.
func appendKeys(b []byte, r *wire.Reader) ([]byte, int) {
	n := 0
	for r.Len() > 0 {
		e := wire.TakeKVEntry(r)
		if r.Err() != nil {
			break
		}
		b = appendBulk(b, e.Key)
		n++
	}
	return b, n
}

// cmdKeys reads page after page: other connections are served meanwhile, this one is not.
func cmdKeys(c *conn, args [][]byte) {
	m := wire.KVScan{DB: c.db, Flags: wire.ScanKeysOnly, Limit: wire.MaxBatch, Match: args[1]}
	if string(args[1]) == "*" {
		m.Match = nil
	}
	var keys []byte
	total, limit := 0, c.link.Limits().MaxOutput/2
	for {
		c.body = m.Append(c.body[:0])
		resp, ok := c.call(wire.OpKVScan, c.body)
		if !ok {
			return
		}
		if resp.Code != wire.OK {
			c.failWire(&resp)
			return
		}
		r := wire.NewReader(resp.Body)
		after := r.Bytes()
		var n int
		keys, n = appendKeys(keys, &r)
		total += n
		if len(keys) > limit {
			c.fail("ERR the keys take more than " + itoa(limit) + " bytes, the limit of a reply: use SCAN")
			return
		}
		if resp.Num == 0 {
			break
		}
		m.Flags |= wire.ScanAfter
		m.After = append([]byte(nil), after...)
	}
	c.end(append(appendArray(c.begin(), total), keys...))
}

func cmdDbsize(c *conn, _ [][]byte) {
	c.body = (&wire.KVDB{DB: c.db}).Append(c.body[:0])
	resp, ok := c.call(wire.OpKVCount, c.body)
	if !ok {
		return
	}
	if resp.Code != wire.OK {
		c.failWire(&resp)
		return
	}
	c.replyInt(resp.Num)
}

func cmdRandomkey(c *conn, _ [][]byte) {
	c.body = (&wire.KVDB{DB: c.db}).Append(c.body[:0])
	resp, ok := c.call(wire.OpKVRandom, c.body)
	switch {
	case !ok:
	case resp.Code == wire.Empty || resp.Code == wire.NotFound:
		c.replyNull()
	case resp.Code != wire.OK:
		c.failWire(&resp)
	default:
		c.replyBulk(resp.Body)
	}
}
