package stream

import (
	"github.com/skshohagmiah/flin/pkg/wire"
)

// reset looks after an OpStreamReset, on a worker: it finds out which offsets are meant, and proposes them.
func (e *Engine) reset(c *call) {
	m := &c.reset
	if err := e.resolve(m); err != nil {
		c.answer(wire.Fail(err))
		return
	}
	body := m.Append(nil)
	if e.calls.finish(c) {
		c.deliver(canceled())
		return
	}
	o := c.origin
	req := wire.Request{Op: c.op, Tag: o.Tag, Deadline: c.deadline, Body: body}
	e.calls.release(c)
	e.group.Load().Propose(&req, false, o.Replier)
}

// resolve fills in the offsets that a reset means.
func (e *Engine) resolve(m *wire.StreamReset) error {
	m.Resolved = m.Resolved[:0]
	first, last := m.Partition, m.Partition
	if m.Partition == wire.AnyPartition {
		t, _ := e.machine.Topic(m.Topic)
		first, last = 0, max(int32(t.Partitions), 1)-1
	}
	for p := first; p <= last; p++ {
		o, err := e.resolveIn(m, p)
		if err != nil {
			return err
		}
		m.Resolved = append(m.Resolved, o)
	}
	return nil
}

// resolveIn finds out which offset of a partition a reset means.
func (e *Engine) resolveIn(m *wire.StreamReset, partition int32) (o wire.StreamOffset, err error) {
	o = wire.StreamOffset{Partition: partition, Time: -1}
	start, end, err := e.machine.Span(m.Topic, int(partition))
	switch {
	case err != nil:
	case m.ByTime:
		o.Offset, o.Time, err = e.machine.OffsetAt(m.Topic, int(partition), m.Offset)
	case m.Offset == wire.OffsetEarliest:
		o.Offset = start
	case m.Offset == wire.OffsetLatest:
		o.Offset = end
	default:
		o.Offset = m.Offset
		_, err = e.machine.Available(m.Topic, int(partition), m.Offset)
	}
	return o, err
}
