package resp

import (
	"bytes"
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

func cmdKeys(c *conn, args [][]byte) {
	m := wire.KVScan{DB: c.db, Flags: wire.ScanKeysOnly, Limit: wire.MaxBatch, Match: args[1]}
	if string(args[1]) == "*" {
		m.Match = nil
	}
	c.gather(wire.OpKVScan, m.Append, "keys", "SCAN", func(list []byte, r *wire.Reader) ([]byte, int) {
		m.Flags |= wire.ScanAfter
		m.After = append([]byte(nil), r.Bytes()...)
		return appendKeys(list, r)
	})
}

// gather asks for op page after page and replies with the list of all of them. body makes the payload of the next request,
// page appends what an answer holds and says how many that is. A list over the limit of a reply is refused: what names its
// elements, remedy says what to use instead. Other connections are served meanwhile, this one is not.
func (c *conn) gather(op wire.Op, body func([]byte) []byte, what, remedy string, page func(list []byte, r *wire.Reader) ([]byte, int)) {
	var list, last []byte
	total, limit := 0, c.link.Limits().MaxOutput/2
	for more := true; more; {
		c.body = body(c.body[:0])
		if bytes.Equal(c.body, last) {
			break // an answer that leads nowhere must not be asked for for ever
		}
		last = append(last[:0], c.body...)
		resp, ok := c.call(op, c.body)
		if !ok {
			return
		}
		if resp.Code != wire.OK {
			c.failWire(&resp)
			return
		}
		r := wire.NewReader(resp.Body)
		var n int
		list, n = page(list, &r)
		if err := r.Err(); err != nil {
			c.end(c.appendBadAnswer(c.begin(), err))
			return
		}
		if len(list) > limit {
			c.fail("ERR the " + what + " take more than " + itoa(limit) + " bytes, the limit of a reply: use " + remedy)
			return
		}
		total += n
		more = resp.Num != 0
	}
	c.end(append(appendArray(c.begin(), total), list...))
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
