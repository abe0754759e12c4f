package native

import "github.com/skshohagmiah/flin/pkg/wire"

// admin answers what concerns the connection itself.
func (c *conn) admin(req *wire.Request) {
	switch req.Op {
	case wire.OpPing:
		c.answer(req.Tag, &wire.Response{Body: req.Body})
	case wire.OpHello:
		c.fail(req.Tag, wire.Errorf(wire.Invalid, "hello may only be the first request"))
	case wire.OpCancel, wire.OpCredit:
		var m wire.Credit
		if err := m.Decode(req.Body); err != nil {
			c.fail(req.Tag, asError(err))
			return
		}
		tag, ok := c.pending.find(m.Tag)
		if !ok {
			return // it has been answered meanwhile
		}
		if req.Op == wire.OpCancel {
			c.engine.Cancel(c, tag)
		} else {
			c.engine.Credit(c, tag, int(min(m.N, maxCredit)))
		}
	default:
		c.fail(req.Tag, wire.Errorf(wire.Unsupported, "operation %v is not known to this server", req.Op))
	}
}

// maxCredit is the most answers that one credit grants: so a sum of credits does not overflow an engine's count.
const maxCredit = 1 << 20
