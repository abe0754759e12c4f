package resp

import (
	"math"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func cmdSPublish(c *conn, args [][]byte) {
	var one [1]wire.StreamRecord
	m := &one[0]
	m.Value = args[2]
	partition := wire.AnyPartition
	o := c.pairs(args[3:])
	for o.next() {
		switch {
		case o.is("key"):
			m.Flags |= wire.RecordKey
			m.Key = o.value()
		case o.is("partition"):
			partition = o.partition()
		case o.is("ts"):
			m.Flags |= wire.RecordTime
			m.Time = int64(o.number(0, math.MaxInt64))
		case o.is("header"):
			m.Flags |= wire.RecordHeaders
			m.Headers = o.header(m.Headers)
		default:
			o.unknown()
		}
	}
	if o.failed {
		return
	}
	c.body = (&wire.StreamPublish{Topic: args[1], Partition: partition, Records: one[:]}).Append(c.body[:0])
	c.submit(wire.OpStreamPublish, c.body, slot{shape: shapePlace})
}

// partition reads a partition's number. It replies itself, and is not ok, if it is none.
func (c *conn) partition(p []byte) (int32, bool) {
	n, ok := c.number("the partition", p, 0, math.MaxInt32)
	return int32(n), ok
}

// place reads a place in a partition: earliest, latest, @ and a time in ms, or an offset. It replies itself, and is not ok, if it is none.
func (c *conn) place(p []byte) (offset int64, byTime, ok bool) {
	switch {
	case fold(p, "earliest"):
		return wire.OffsetEarliest, false, true
	case fold(p, "latest"):
		return wire.OffsetLatest, false, true
	}
	digits := p
	if byTime = len(p) > 0 && p[0] == '@'; byTime {
		digits = p[1:]
	}
	n, ok := parseUint(digits)
	if !ok || n > math.MaxInt64 {
		c.fail("ERR '" + cText(p, 64) + "' is no place in a partition: earliest, latest, @ and a time in milliseconds, or an offset")
		return 0, false, false
	}
	return int64(n), byTime, true
}

// portion reads an option that says how many records are to come, and when.
func (o *options) portion(count, bytes, wait *uint64) {
	switch {
	case o.is("count"):
		*count = o.number(1, wire.MaxBatch)
	case o.is("bytes"):
		*bytes = o.number(1, wire.MaxFetchBytes)
	case o.is("wait"):
		*wait = o.number(0, wire.MaxFetchWait)
	default:
		o.unknown()
	}
}

func cmdSFetch(c *conn, args [][]byte) {
	m := wire.StreamFetch{Topic: args[1], Plain: respRecords}
	var ok bool
	if m.Partition, ok = c.partition(args[2]); !ok {
		return
	}
	if m.Offset, m.ByTime, ok = c.place(args[3]); !ok {
		return
	}
	o := c.pairs(args[4:])
	for o.next() {
		o.portion(&m.Count, &m.MaxBytes, &m.Wait)
	}
	if o.failed {
		return
	}
	c.body = m.Append(c.body[:0])
	c.submitAndBlock(wire.OpStreamFetch, m.Wait, c.body, slot{shape: shapeFetched})
}

func cmdSOffsets(c *conn, args [][]byte) {
	m := wire.StreamOffsets{Topic: args[1], Partition: wire.AnyPartition, Time: wire.OffsetLatest}
	if len(args) > 3 {
		c.fail("ERR syntax error: S.OFFSETS topic [earliest|latest|@ms]")
		return
	}
	if len(args) == 3 {
		var byTime, ok bool
		if m.Time, byTime, ok = c.place(args[2]); !ok {
			return
		}
		if m.Time >= 0 && !byTime {
			c.fail("ERR S.OFFSETS looks up earliest, latest or @ and a time in milliseconds, not an offset")
			return
		}
	}
	c.body = m.Append(c.body[:0])
	c.submit(wire.OpStreamOffsets, c.body, slot{shape: shapeOffsets})
}
