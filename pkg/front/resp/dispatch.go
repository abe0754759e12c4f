package resp

import (
	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/front/slow"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// dispatch runs one command: it judges what Redis judges before it looks at a command's own arguments, in Redis's
// order.
func (c *conn) dispatch(args [][]byte) {
	c.mute.now = c.mute.off || c.mute.skip
	c.mute.skip = false
	cmd := c.s.commands.lookup(args[0])
	if cmd == nil {
		c.unknownCommand(args)
		return
	}
	if cmd.subs != nil && len(args) > 1 {
		family := cmd
		if cmd = family.sub(args[1]); cmd == nil {
			c.reject("ERR unknown subcommand '" + cText(args[1], 128) + "'. Try " + upper(family.name) + " HELP.")
			return
		}
	}
	if !cmd.takes(len(args)) {
		c.reject("ERR wrong number of arguments for '" + cmd.full + "' command")
		return
	}
	if !c.authed && cmd.flags&noAuth == 0 {
		c.reject("NOAUTH Authentication required.")
		return
	}
	c.count(cmd)
	if c.txn != nil && !endsTxn(cmd) {
		c.enqueue(cmd, args)
		return
	}
	c.run(cmd, args)
	c.endCaching(cmd)
}

// run hands a command to the function that serves it.
func (c *conn) run(cmd *command, args [][]byte) {
	c.cmd = cmd
	if cmd.flags&alone != 0 && !c.wait() {
		return
	}
	if t := c.tracking.Load(); t != nil {
		c.beginReading(t, cmd, args)
	}
	cmd.run(c, args)
}

// submit asks the engine for op with the payload body; answer says how its answer becomes the reply. It is the last
// thing that a command does.
func (c *conn) submit(op wire.Op, body []byte, answer slot) {
	answer.cmd = c.cmd
	if c.resp3 {
		answer.bits |= slotRESP3
	}
	if c.exec != nil {
		c.exec.add(op, body, answer)
		c.exec.reading = c.exec.reading.join(c.reading)
		c.reading = nil
		return
	}
	if c.mute.now {
		answer.bits |= slotMuted
	}
	if !c.idle() && (!c.sameEngine(op) || !c.reserve(&answer)) {
		return
	}
	c.engine = op.Engine()
	if c.reading != nil {
		answer.reading, c.reading = c.reading, nil
		c.s.tracker.register(answer.reading)
	}
	req := wire.Request{Op: op, Deadline: c.deadline, Body: body}
	if !c.idle() {
		req.Flags = wire.FlagOrdered
	}
	answer.mark = slow.MarkOf(op, c.since(), len(body))
	req.Tag = c.open(&answer)
	c.s.cfg.Engine.Submit(req, c)
}

// sameEngine waits for every earlier command where op is for another engine than they are: two engines may be two groups,
// and nothing else would keep the commands in order. It is false when the connection is over meanwhile.
func (c *conn) sameEngine(op wire.Op) bool { return op.Engine() == c.engine || c.wait() }

// call asks the engine for op and waits for the answer, whose body it owns. It is for commands that need more than one
// answer, or need it before they can say anything. False: the connection is over.
func (c *conn) call(op wire.Op, body []byte) (wire.Response, bool) {
	if c.exec != nil {
		return wire.Failf(wire.Unsupported, "%s cannot be part of a transaction", upper(c.cmd.name)), true
	}
	if !c.wait() {
		return wire.Response{}, false
	}
	c.newBatch()
	req := wire.Request{Op: op, Deadline: c.deadline, Body: body}
	c.engine = op.Engine()
	answer := slot{shape: shapeCapture, cmd: c.cmd, mark: slow.MarkOf(op, c.since(), len(body))}
	req.Tag = c.open(&answer)
	c.s.cfg.Engine.Submit(req, c)
	if !c.wait() {
		return wire.Response{}, false
	}
	return c.captured, true
}

// unknownCommand answers a command that is not in the table.
func (c *conn) unknownCommand(args [][]byte) {
	if fold(args[0], "post") || fold(args[0], "host:") {
		// Somebody makes a browser send commands: nothing more of it may be run.
		c.s.log.Warn("closing a connection that sends HTTP where Redis's protocol is spoken",
			zap.Stringer("peer", c.link.NetConn().RemoteAddr()))
		c.over = protocolError("an HTTP request")
		return
	}
	var list []byte
	for _, a := range args[1:] {
		if len(list) >= 128 {
			break
		}
		list = append(list, '\'')
		list = append(list, cText(a, 128-len(list)+1)...)
		list = append(list, '\'', ' ')
	}
	c.reject("ERR unknown command '" + cText(args[0], 128) + "', with args beginning with: " + string(list))
}

// cText is at most limit bytes of p, as C prints them: up to the first zero.
func cText(p []byte, limit int) string {
	if len(p) > limit {
		p = p[:limit]
	}
	for i, b := range p {
		if b == 0 {
			p = p[:i]
			break
		}
	}
	return string(p)
}

func upper(s string) string {
	b := []byte(s)
	for i, ch := range b {
		if ch >= 'a' && ch <= 'z' {
			b[i] = ch - ('a' - 'A')
		}
	}
	return string(b)
}
