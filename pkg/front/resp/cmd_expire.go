package resp

import (
	"math"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func cmdExpire(c *conn, args [][]byte)    { c.expire(args, wire.ExpiryIn, 1000) }
func cmdPexpire(c *conn, args [][]byte)   { c.expire(args, wire.ExpiryIn, 1) }
func cmdExpireat(c *conn, args [][]byte)  { c.expire(args, wire.ExpiryAt, 1000) }
func cmdPexpireat(c *conn, args [][]byte) { c.expire(args, wire.ExpiryAt, 1) }

func (c *conn) expire(args [][]byte, kind wire.ExpiryKind, unit int64) {
	m := wire.KVExpire{DB: c.db, Key: args[1], Expiry: wire.Expiry{Kind: kind}}
	for _, a := range args[3:] {
		switch {
		case fold(a, "nx"):
			m.Cond |= wire.ExpireIfNone
		case fold(a, "xx"):
			m.Cond |= wire.ExpireIfAny
		case fold(a, "gt"):
			m.Cond |= wire.ExpireIfGreater
		case fold(a, "lt"):
			m.Cond |= wire.ExpireIfLess
		default:
			c.fail("ERR Unsupported option " + cText(a, len(a)))
			return
		}
	}
	switch {
	case m.Cond&wire.ExpireIfNone != 0 && m.Cond != wire.ExpireIfNone:
		c.fail("ERR NX and XX, GT or LT options at the same time are not compatible")
		return
	case m.Cond&wire.ExpireIfGreater != 0 && m.Cond&wire.ExpireIfLess != 0:
		c.fail("ERR GT and LT options at the same time are not compatible")
		return
	}
	n, ok := parseInt(args[2])
	if !ok {
		c.failInteger()
		return
	}
	if n > math.MaxInt64/unit || n < math.MinInt64/unit {
		c.fail(c.badExpireTime())
		return
	}
	n *= unit
	if kind == wire.ExpiryIn && n > math.MaxInt64-time.Now().UnixMilli() {
		c.fail(c.badExpireTime())
		return
	}
	m.Expiry.Ms = n
	c.body = m.Append(c.body[:0])
	c.submit(wire.OpKVExpire, c.body, slot{shape: shapeInt})
}
