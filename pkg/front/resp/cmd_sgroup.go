package resp

import (
	"math"

	"github.com/skshohagmiah/flin/pkg/wire"
)

const (
	respSession = 5 * 60_000 // ms: nothing but its commands says that a member is alive
	respConsume = 100        // records that S.CONSUME hands out at most without COUNT
	respRecords = 16 << 20   // bytes of the records of a reply, but at least one record
)

func cmdSSubscribe(c *conn, args [][]byte) {
	m := wire.StreamSubscribe{Topic: args[1], Group: args[2], Consumer: args[3], Session: respSession}
	o := c.words(args[4:])
	for o.next() {
		switch {
		case o.is("latest"):
			m.Latest = true
		case o.is("range"):
			m.Assignor = wire.AssignRange
		case o.is("session"):
			m.Session = o.number(1, wire.MaxSession)
		case o.is("poll"):
			m.Poll = o.number(1, wire.MaxPoll)
		default:
			o.unknown()
		}
	}
	if o.failed {
		return
	}
	c.body = m.Append(c.body[:0])
	c.submit(wire.OpStreamSubscribe, c.body, slot{shape: shapeAssignment})
}

func cmdSHeartbeat(c *conn, args [][]byte) { c.asMember(wire.OpStreamHeartbeat, args, shapeAssignment) }

func cmdSLeave(c *conn, args [][]byte) { c.asMember(wire.OpStreamUnsubscribe, args, shapeCount) }

// asMember asks for an operation whose payload is the name of a member.
func (c *conn) asMember(op wire.Op, args [][]byte, sh shape) {
	c.body = (&wire.StreamMember{Topic: args[1], Group: args[2], Consumer: args[3]}).Append(c.body[:0])
	c.submit(op, c.body, slot{shape: sh})
}

func cmdSConsume(c *conn, args [][]byte) {
	m := wire.StreamConsume{Topic: args[1], Group: args[2], Consumer: args[3], Count: respConsume, Plain: respRecords}
	o := c.pairs(args[4:])
	for o.next() {
		switch {
		case o.is("turn"):
			m.Turn = o.number(1, math.MaxInt64)
		default:
			o.portion(&m.Count, &m.MaxBytes, &m.Wait)
		}
	}
	if o.failed {
		return
	}
	c.body = m.Append(c.body[:0])
	c.submitAndBlock(wire.OpStreamConsume, m.Wait, c.body, slot{shape: shapeConsumed})
}

func cmdSSeek(c *conn, args [][]byte) {
	m := wire.StreamSeek{Topic: args[1], Group: args[2], Consumer: args[3]}
	var byTime, ok bool
	if m.Partition, ok = c.partition(args[4]); !ok {
		return
	}
	if m.Offset, byTime, ok = c.place(args[5]); !ok {
		return
	}
	if byTime {
		c.fail("ERR S.SEEK takes earliest, latest or an offset, not a time: S.OFFSETS finds its offset")
		return
	}
	c.body = m.Append(c.body[:0])
	c.submit(wire.OpStreamSeek, c.body, slot{shape: shapeCount})
}

func cmdSCommit(c *conn, args [][]byte) {
	var one [1]wire.StreamCommitted
	m := wire.StreamCommit{Topic: args[1], Group: args[2], Offsets: one[:]}
	var ok bool
	if one[0].Partition, ok = c.partition(args[3]); !ok {
		return
	}
	n, ok := c.number("the offset", args[4], 0, math.MaxInt64)
	if !ok {
		return
	}
	one[0].Offset = int64(n)
	o := c.pairs(args[5:])
	for o.next() {
		switch {
		case o.is("generation"):
			m.Generation = o.number(1, math.MaxInt64)
		case o.is("consumer"):
			m.Consumer = o.value()
		default:
			o.unknown()
		}
	}
	if o.failed {
		return
	}
	c.body = m.Append(c.body[:0])
	c.submit(wire.OpStreamCommit, c.body, slot{shape: shapeOK})
}

func cmdSReset(c *conn, args [][]byte) {
	m := wire.StreamReset{Topic: args[1], Group: args[2], Partition: wire.AnyPartition}
	var ok bool
	if m.Offset, m.ByTime, ok = c.place(args[3]); !ok {
		return
	}
	o := c.pairs(args[4:])
	for o.next() {
		switch {
		case o.is("partition"):
			m.Partition = o.partition()
		default:
			o.unknown()
		}
	}
	if o.failed {
		return
	}
	c.body = m.Append(c.body[:0])
	c.submit(wire.OpStreamReset, c.body, slot{shape: shapeOffsets})
}

func cmdSLag(c *conn, args [][]byte) {
	c.body = (&wire.StreamGroupName{Group: args[2], Topic: args[1]}).Append(c.body[:0])
	c.submit(wire.OpStreamGroup, c.body, slot{shape: shapeLag})
}

func cmdSDelgroup(c *conn, args [][]byte) {
	c.body = (&wire.StreamGroupName{Group: args[1]}).Append(c.body[:0])
	c.submit(wire.OpStreamDeleteGroup, c.body, slot{shape: shapeOK})
}

func cmdSGroups(c *conn, args [][]byte) {
	m := wire.StreamList{Limit: 1000}
	rest := args[1:]
	if len(rest)%2 == 1 {
		m.Topic, rest = rest[0], rest[1:]
	}
	switch {
	case len(rest) == 0:
	case len(rest) == 2 && fold(rest[0], "match"):
		m.Match = rest[1]
	default:
		c.fail("ERR syntax error: S.GROUPS [topic] [MATCH pattern]")
		return
	}
	var g wire.GroupSummary
	c.gather(wire.OpStreamGroups, m.Append, "groups", "MATCH", func(list []byte, r *wire.Reader) (_ []byte, n int) {
		for r.Len() > 0 {
			if wire.TakeGroupSummary(r, &g); r.Err() == nil {
				list = appendGroupSummary(list, &g, c.resp3)
				n++
			}
		}
		m.After = g.Name // the answer is ours
		return list, n
	})
}
