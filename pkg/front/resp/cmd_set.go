package resp

import (
	"math"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// setOptions are the options that SET and GETEX share.
type setOptions struct {
	flags   wire.SetFlags
	expiry  wire.Expiry
	amount  []byte // of expiry, not yet read
	seconds bool   // its unit
}

// parse reads options; false: they make no sense together.
func (o *setOptions) parse(args [][]byte, getex bool) bool {
	for i := 0; i < len(args); i++ {
		a, rest := args[i], len(args)-i-1
		timed := func(kind wire.ExpiryKind, seconds bool) bool {
			if o.expiry.Kind != wire.ExpiryNone && (o.expiry.Kind != kind || o.seconds != seconds) || rest == 0 {
				return false
			}
			i++
			o.expiry.Kind, o.seconds, o.amount = kind, seconds, args[i]
			return true
		}
		ok := false
		switch {
		case !getex && fold(a, "nx"):
			ok = o.flags&wire.SetIfPresent == 0
			o.flags |= wire.SetIfAbsent
		case !getex && fold(a, "xx"):
			ok = o.flags&wire.SetIfAbsent == 0
			o.flags |= wire.SetIfPresent
		case !getex && fold(a, "get"):
			ok = true
			o.flags |= wire.SetReturnOld
		case !getex && fold(a, "keepttl"):
			ok = o.expiry.Kind == wire.ExpiryNone || o.expiry.Kind == wire.ExpiryKeep
			o.expiry.Kind = wire.ExpiryKeep
		case getex && fold(a, "persist"):
			ok = o.expiry.Kind == wire.ExpiryNone || o.expiry.Kind == wire.ExpiryPersist
			o.expiry.Kind = wire.ExpiryPersist
		case fold(a, "ex"):
			ok = timed(wire.ExpiryIn, true)
		case fold(a, "px"):
			ok = timed(wire.ExpiryIn, false)
		case fold(a, "exat"):
			ok = timed(wire.ExpiryAt, true)
		case fold(a, "pxat"):
			ok = timed(wire.ExpiryAt, false)
		}
		if !ok {
			return false
		}
	}
	return true
}

// expireTime reads the time of an option or argument into e. Where it is none it returns Redis's words for that.
func (c *conn) expireTime(e *wire.Expiry, amount []byte, seconds bool) (failure string) {
	n, ok := parseInt(amount)
	if !ok {
		return errInteger
	}
	if n <= 0 || seconds && n > math.MaxInt64/1000 {
		return c.badExpireTime()
	}
	if seconds {
		n *= 1000
	}
	if e.Kind == wire.ExpiryIn && n > math.MaxInt64-time.Now().UnixMilli() {
		return c.badExpireTime()
	}
	e.Ms = n
	return ""
}

func (c *conn) badExpireTime() string {
	return "ERR invalid expire time in '" + c.cmd.full + "' command"
}

func cmdSet(c *conn, args [][]byte) {
	m := wire.KVSet{DB: c.db, Key: args[1], Value: args[2]}
	answer := slot{shape: shapeOK}
	if len(args) > 3 {
		var o setOptions
		if !o.parse(args[3:], false) {
			c.failSyntax()
			return
		}
		if o.amount != nil {
			if failure := c.expireTime(&o.expiry, o.amount, o.seconds); failure != "" {
				c.fail(failure)
				return
			}
		}
		m.Flags, m.Expiry = o.flags, o.expiry
		answer.shape = shapeSet
		if o.flags&wire.SetReturnOld != 0 {
			answer.shape = shapeOld
		}
	}
	c.body = m.Append(c.body[:0])
	c.submit(wire.OpKVSet, c.body, answer)
}

func cmdSetnx(c *conn, args [][]byte) {
	m := wire.KVSet{DB: c.db, Flags: wire.SetIfAbsent, Key: args[1], Value: args[2]}
	c.body = m.Append(c.body[:0])
	c.submit(wire.OpKVSet, c.body, slot{shape: shapeMade})
}

func cmdSetex(c *conn, args [][]byte)  { c.setExpiring(args, true) }
func cmdPsetex(c *conn, args [][]byte) { c.setExpiring(args, false) }

func (c *conn) setExpiring(args [][]byte, seconds bool) {
	m := wire.KVSet{DB: c.db, Expiry: wire.Expiry{Kind: wire.ExpiryIn}, Key: args[1], Value: args[3]}
	if failure := c.expireTime(&m.Expiry, args[2], seconds); failure != "" {
		c.fail(failure)
		return
	}
	c.body = m.Append(c.body[:0])
	c.submit(wire.OpKVSet, c.body, slot{shape: shapeOK})
}

func cmdGetset(c *conn, args [][]byte) {
	m := wire.KVSet{DB: c.db, Flags: wire.SetReturnOld, Key: args[1], Value: args[2]}
	c.body = m.Append(c.body[:0])
	c.submit(wire.OpKVSet, c.body, slot{shape: shapeOld})
}

func cmdMset(c *conn, args [][]byte)   { c.setMany(args, false, shapeOK) }
func cmdMsetnx(c *conn, args [][]byte) { c.setMany(args, true, shapeMade) }

func (c *conn) setMany(args [][]byte, ifAbsent bool, sh shape) {
	if len(args)%2 == 0 {
		c.fail("ERR wrong number of arguments for '" + c.cmd.full + "' command")
		return
	}
	b := append(c.body[:0], c.db, 0)
	if ifAbsent {
		b[1] = 1
	}
	b = wire.AppendUvarint(b, uint64(len(args)/2))
	for _, a := range args[1:] {
		b = wire.AppendBytes(b, a)
	}
	c.body = b
	c.submit(wire.OpKVMSet, b, slot{shape: sh})
}
