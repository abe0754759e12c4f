package resp

import (
	"math"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// number reads the value of an option, from least to most. It replies itself, and is not ok, if it is none.
func (c *conn) number(option string, p []byte, least, most uint64) (uint64, bool) {
	n, ok := parseUint(p)
	if ok && n >= least && n <= most {
		return n, true
	}
	c.fail("ERR " + option + " must be a whole number from " + itoa(least) + " to " + itoa(most) + ", not '" + cText(p, 64) + "'")
	return 0, false
}

// option finds the value behind an option. It replies itself, and is not ok, if there is none.
func (c *conn) option(args [][]byte, i int) ([]byte, bool) {
	if i+1 < len(args) {
		return args[i+1], true
	}
	c.fail("ERR syntax error: " + upper(cText(args[i], 64)) + " needs a value")
	return nil, false
}

// onlyCount reads the options of a command whose only one is COUNT, from 1 to most, behind the name of a queue. It replies
// itself, and is not ok, if there is anything else.
func (c *conn) onlyCount(args [][]byte, n *uint64, most uint64) bool {
	for i := 2; i < len(args); i += 2 {
		v, ok := c.option(args, i)
		switch {
		case !ok:
			return false
		case !fold(args[i], "count"):
			c.failOption(args[i])
			return false
		}
		if *n, ok = c.number("COUNT", v, 1, most); !ok {
			return false
		}
	}
	return true
}

// failOption replies to an option that the command does not have.
func (c *conn) failOption(p []byte) {
	c.fail("ERR syntax error: " + upper(c.cmd.name) + " has no option '" + cText(p, 64) + "'")
}

func cmdQPush(c *conn, args [][]byte) {
	var one [1]wire.QueueMessage
	m := &one[0]
	m.Body = args[2]
	for i := 3; i < len(args); i += 2 {
		v, ok := c.option(args, i)
		if !ok {
			return
		}
		if fold(args[i], "header") {
			if i+2 >= len(args) {
				c.fail("ERR syntax error: HEADER needs a name and a value")
				return
			}
			m.Flags |= wire.MessageHeaders
			m.Headers = append(m.Headers, wire.Header{Name: v, Value: args[i+2]})
			i++
			continue
		}
		if !c.pushOption(m, args[i], v) {
			return
		}
	}
	c.body = (&wire.QueuePush{Queue: args[1], Messages: one[:]}).Append(c.body[:0])
	c.submit(wire.OpQueuePush, c.body, slot{shape: shapePushed})
}

// pushOption reads an option of a push into m. It replies itself, and is false, if it makes no sense.
func (c *conn) pushOption(m *wire.QueueMessage, option, v []byte) bool {
	var n uint64
	ok := true
	switch {
	case fold(option, "delay"):
		n, ok = c.number("DELAY", v, 0, wire.MaxDelay)
		m.Flags |= wire.MessageDelayed
		m.NotBefore = int64(n)
	case fold(option, "at"):
		n, ok = c.number("AT", v, 0, math.MaxInt64)
		m.Flags |= wire.MessageAt
		m.NotBefore = int64(n)
	case fold(option, "priority"):
		n, ok = c.number("PRIORITY", v, 0, math.MaxUint8)
		m.Flags |= wire.MessagePriority
		m.Priority = uint8(n)
	case fold(option, "dedup"):
		m.Flags |= wire.MessageDedup
		m.Dedup = v
	case fold(option, "group"):
		m.Flags |= wire.MessageGroup
		m.Group = v
	case fold(option, "ttl"):
		n, ok = c.number("TTL", v, 1, wire.MaxDelay)
		m.Flags |= wire.MessageTTL
		m.TTL = int64(n)
	default:
		c.failOption(option)
		return false
	}
	const both = wire.MessageDelayed | wire.MessageAt
	if ok && m.Flags&both == both {
		c.fail("ERR DELAY and AT exclude each other")
		return false
	}
	return ok
}

func cmdQMpush(c *conn, args [][]byte) {
	b := wire.AppendBytes(c.body[:0], args[1])
	b = wire.AppendUvarint(b, uint64(len(args)-2))
	for _, a := range args[2:] {
		b = wire.AppendBytes(append(b, 0), a) // a message without options
	}
	c.body = b
	c.submit(wire.OpQueuePush, b, slot{shape: shapePushedAll, arg: int64(len(args) - 2)})
}
