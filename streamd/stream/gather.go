package stream

import (
	"sync"
	"sync/atomic"

	"github.com/skshohagmiah/flin/pkg/wire"
)

const (
	gatherBytes = 1 << 20  // of records, at which a batch that is gathered takes no more
	maxPressing = 64 << 20 // bytes that may be gathered in all
)

// gather holds what is published to a partition of a topic with a codec until it has been compressed. One batch is on its way at
// a time: so they keep their order, and the next grows meanwhile.
type gather struct {
	mu    sync.Mutex
	queue []*batch // the last may grow
	codec wire.Compression
	busy  atomic.Bool // a batch is on its way. Changed under mu; who has published before sees it without
}

// take gathers a part. deadline is by wire.Clock; 0 is none.
func (s *source) take(p *part, codec wire.Compression, deadline int64) {
	if n := s.e.pressing.Add(int64(p.bytes)); n > maxPressing {
		s.e.pressing.Add(-int64(p.bytes))
		resp := wire.Failf(wire.Busy, "%d bytes of records wait to be compressed already, the limit is %d: try again later", n, maxPressing)
		p.settle(&resp)
		return
	}
	q := &s.gather
	q.mu.Lock()
	n := len(q.queue)
	if n == 0 || q.queue[n-1].bytes+p.bytes > gatherBytes {
		q.queue = append(q.queue, s.begin())
		n++
	}
	b := q.queue[n-1]
	if b.bytes == 0 || b.deadline != 0 && (deadline == 0 || deadline > b.deadline) {
		b.deadline = deadline
	}
	b.add(p)
	b.bytes += p.bytes
	q.codec = codec
	begins := !q.busy.Swap(true)
	q.mu.Unlock()
	if begins && !s.e.presses.add(s) {
		s.refuse()
	}
}

// press compresses the first batch of a source and proposes it.
func (e *Engine) press(s *source) {
	q := &s.gather
	q.mu.Lock()
	b, codec := q.queue[0], q.codec
	q.queue[0] = nil
	q.queue = q.queue[1:]
	q.mu.Unlock()
	if b.deadline != 0 && wire.Clock() > b.deadline {
		b.Reply(0, errLate())
		return
	}
	s.closed()
	body, err := b.finish(nil, codec)
	if err != nil {
		b.Reply(0, wire.Fail(err))
		return
	}
	e.group.Load().Propose(&wire.Request{Op: wire.OpStreamAppend, Deadline: b.deadline, Body: body}, false, b)
}

// settled notes that the batch on its way, of so many bytes, has been answered: the next follows.
func (s *source) settled(bytes int) {
	s.e.pressing.Add(-int64(bytes))
	q := &s.gather
	q.mu.Lock()
	next := len(q.queue) > 0
	q.busy.Store(next)
	q.mu.Unlock()
	if next && !s.e.presses.add(s) {
		s.refuse()
	}
}

// refuse answers everything that is gathered, because the engine stops. Nothing is on its way: who comes later is refused as well.
func (s *source) refuse() {
	q := &s.gather
	q.mu.Lock()
	left := q.queue
	q.queue = nil
	q.busy.Store(false)
	q.mu.Unlock()
	for _, b := range left {
		s.e.pressing.Add(-int64(b.bytes))
		b.bytes = 0 // nothing follows
		b.Reply(0, wire.Fail(errStopping))
	}
}

// closePresses waits for what is being compressed and refuses the rest.
func (e *Engine) closePresses() {
	for _, s := range e.presses.close() {
		s.refuse()
	}
}
