package stream

import (
	"github.com/skshohagmiah/flin/pkg/wire"
	"github.com/skshohagmiah/flin/streamd/stream/internal/fsm"
)

// consumeBytes is what a consume that does not say gets at most, in bytes.
const consumeBytes = 4 << 20

// consume looks after an OpStreamConsume, on a worker.
func (e *Engine) consume(c *call) {
	m := &c.consume
	for {
		ms, owned, err := e.machine.Member(m.Topic, m.Group, m.Consumer, c.owned[:0])
		c.owned = owned
		if err != nil {
			c.answer(wire.Fail(err))
			return
		}
		v, stray := e.coord.enter(c, e.term(), &ms)
		if stray != nil {
			stray.ready(nil)
		}
		switch v {
		case behind:
			return
		case outdated:
			c.answer(wire.Response{Body: wire.AppendUvarint(nil, ms.Generation)})
			return
		case foreign:
			c.answer(wire.Failf(wire.Fenced, "consumer %q of group %q has consumed topic %q elsewhere since: subscribe again, and let one client alone consume in its name", c.consume.Consumer, c.consume.Group, c.consume.Topic))
			return
		case proceed:
		}
		if e.serve(c, &ms) || e.awaitShare(c, &ms) {
			return
		}
	}
}

// term is the term of the newest entry: where this node leads, of its leadership.
func (e *Engine) term() uint64 { return e.st.Applied().Term }

// awaitShare parks a consume, or makes it listen first where its member's records come. It is false if the consume is to look
// again.
func (e *Engine) awaitShare(c *call, ms *fsm.Membership) bool {
	if c.listening && c.generation == ms.Generation {
		return e.calls.park(c)
	}
	c.generation = ms.Generation
	e.calls.listen(c, c.consume.Topic, c.consume.Group, func(yield func(int32) bool) {
		for i := range c.owned {
			if !yield(c.owned[i].Partition) {
				return
			}
		}
	})
	return false
}

// serve answers a consume that may look, unless there is nothing and it waits.
func (e *Engine) serve(c *call, ms *fsm.Membership) bool {
	buf := e.buffers.Get().(*[]byte)
	defer e.buffers.Put(buf)
	body := wire.AppendUvarint((*buf)[:0], ms.Generation)
	body, n, err := e.collect(c, body)
	if err == nil && n == 0 && c.waits() && !c.again {
		e.follow(c)
		return false
	}
	resp := wire.Response{Num: n, Body: body}
	if err != nil {
		resp = wire.Fail(err)
	}
	e.keep(buf, body)
	if e.calls.finish(c) {
		resp = canceled() // and the member stands where it stood
	} else if err == nil {
		e.coord.move(c)
	}
	e.follow(c)
	c.deliver(resp)
	return true
}

// follow lets the next consume of the member have its turn.
func (e *Engine) follow(c *call) {
	if next := e.coord.pass(c); next != nil {
		next.ready(nil)
	}
}

// collect appends the sections that a consume hands out, and notes in its plan how far each goes. It returns how many records
// they are.
func (e *Engine) collect(c *call, b []byte) ([]byte, int64, error) {
	m := &c.consume
	room := int(min(m.MaxBytes, wire.MaxFetchBytes))
	if room == 0 {
		room = consumeBytes
	}
	count, plain := int64(0), newPlainly(m.Plain)
	for i := range c.plan {
		left := int64(m.Count) - count
		if left <= 0 || room <= 0 || plain != nil && plain.left <= 0 {
			break
		}
		x, at := &c.plan[i], len(b)
		var s wire.StreamSection
		var err error
		if b, s, err = e.stretch(b, m.Topic, x, left, room, plain); err != nil {
			return b, 0, err
		}
		size := len(b) - at
		if size == 0 {
			continue
		}
		if size > room+sectionHead && count > 0 {
			b = b[:at] // a batch that has no room any more: the member's next consume begins with it
			break
		}
		x.to = s.To
		count += s.To - s.From
		room -= size
	}
	return b, count, nil
}

// stretch appends the section of at most left records that a partition has for a member; nothing if it has none.
func (e *Engine) stretch(b, topic []byte, x *stretch, left int64, room int, plain *plainly) ([]byte, wire.StreamSection, error) {
	at := len(b)
	for range fetchTries {
		start, last, err := e.machine.Span(topic, int(x.partition))
		if err != nil {
			return b, wire.StreamSection{}, err
		}
		from, end := max(x.from, start), min(last, x.end)
		if from >= end {
			return b, wire.StreamSection{}, nil
		}
		s := wire.StreamSection{Partition: x.partition, From: from, To: min(end, from+left), Start: start, End: last}
		b, err = e.appendSection(b, topic, &s, int64(room), room, plain)
		if err == nil && s.To == s.From {
			return b[:at], wire.StreamSection{}, nil // there is no room for a record
		}
		if err == nil || !lost(err) {
			return b, s, err
		}
	}
	return b, wire.StreamSection{}, nil
}
