package stream

import (
	"github.com/skshohagmiah/flin/pkg/wire"
)

// fetchBytes is what a fetch that does not say gets at most, in bytes.
const fetchBytes = 1 << 20

// fetchTries bounds how often a fetch looks for its first record again because retention has taken that meanwhile.
const fetchTries = 100

// view is what a fetch finds.
type view struct {
	from, start, end int64
	bytes            int64 // of the batches from there on
}

// fetch looks after an OpStreamFetch, on a worker.
func (e *Engine) fetch(c *call) {
	m := &c.fetch
	for tries := 0; tries < fetchTries; {
		v, err := e.view(m)
		if err == nil && c.waits() && v.bytes < int64(min(max(m.MinBytes, 1), limitOf(m))) {
			if e.awaitRecords(c) {
				return
			}
			continue
		}
		if err == nil {
			err = e.handOut(c, &v)
		}
		if err == nil {
			return
		}
		if !e.overtaken(m, err) {
			c.answer(wire.Fail(err))
			return
		}
		tries++
	}
	c.answer(wire.Failf(wire.Busy, "what the fetch begins at is removed again and again: try again"))
}

// overtaken reports whether a fetch has failed only because retention has taken what it was to begin at, and is to look for that
// again: it has not said which record that is.
func (e *Engine) overtaken(m *wire.StreamFetch, err error) bool {
	if !lost(err) || !m.ByTime && m.Offset != wire.OffsetEarliest {
		return false
	}
	_, _, err = e.machine.Span(m.Topic, int(m.Partition))
	return err == nil // else it is the partition that is not there
}

// awaitRecords parks a fetch, or makes it listen first. It is false if the fetch is to look again.
func (e *Engine) awaitRecords(c *call) bool {
	if c.listening {
		return e.calls.park(c)
	}
	m := &c.fetch
	e.calls.listen(c, m.Topic, nil, func(yield func(int32) bool) { yield(m.Partition) })
	return false
}

// view finds out where a fetch reads. The end is where it is when it is first asked for.
func (e *Engine) view(m *wire.StreamFetch) (v view, err error) {
	if v.start, v.end, err = e.machine.Span(m.Topic, int(m.Partition)); err != nil {
		return v, err
	}
	switch {
	case m.ByTime:
		if v.from, _, err = e.machine.OffsetAt(m.Topic, int(m.Partition), m.Offset); err != nil {
			return v, err
		}
		v.end = max(v.end, v.from)
	case m.Offset == wire.OffsetLatest:
		m.Offset = v.end
		v.from = v.end
	case m.Offset == wire.OffsetEarliest:
		v.from = v.start
	default:
		v.from = m.Offset
	}
	if v.bytes, err = e.machine.Available(m.Topic, int(m.Partition), v.from); err == nil && v.bytes > 0 {
		v.start, v.end, err = e.machine.Span(m.Topic, int(m.Partition)) // with what has come since
	}
	return v, err
}

// handOut answers a fetch with what there is. An error says that it has not.
func (e *Engine) handOut(c *call, v *view) error {
	m := &c.fetch
	s := wire.StreamSection{Partition: m.Partition, From: v.from, To: v.end, Start: v.start, End: v.end}
	if m.Count > 0 && m.Count < uint64(max(v.end-v.from, 0)) {
		s.To = v.from + int64(m.Count)
	}
	buf := e.buffers.Get().(*[]byte)
	body, err := e.appendSection((*buf)[:0], m.Topic, &s, v.bytes, int(limitOf(m)), newPlainly(m.Plain))
	if err == nil {
		e.keep(buf, body)
		c.answer(wire.Response{Num: s.To - s.From, Body: body})
	}
	e.buffers.Put(buf)
	return err
}

// limitOf returns how many bytes a fetch may bring.
func limitOf(m *wire.StreamFetch) uint64 {
	if m.MaxBytes == 0 {
		return fetchBytes
	}
	return min(m.MaxBytes, wire.MaxFetchBytes)
}
