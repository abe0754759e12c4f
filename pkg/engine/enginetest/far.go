package enginetest

import (
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Far is an engine that is reached through frames: what Submit is given is encoded, decoded on the other side and
// submitted there, and answers come back the same way. Memory on loan is scribbled over when its time is up, so that
// whoever keeps it is found out.
type Far struct {
	inner engine.Engine
	up    *stream // requests
	down  *stream // answers
	wg    sync.WaitGroup

	mu    sync.Mutex
	next  uint64
	calls map[uint64]*call  // by the tag of their frame
	tags  map[origin]uint64 // back
	turns map[engine.Replier]*turn
}

// origin names a request as its caller does.
type origin struct {
	r   engine.Replier
	tag uint64
}

// call is a request that has not had its last answer.
type call struct {
	origin origin
	turn   *turn
}

// turn holds the requests of one Replier in order. FlagOrdered does not travel, so a request that carries it waits here
// until those before it have been answered.
type turn struct {
	open    int
	waiting []held
}

type held struct {
	frame   []byte
	id      uint64
	ordered bool
}

// NewFar returns inner behind frames.
func NewFar(inner engine.Engine) *Far {
	f := &Far{
		inner: inner, up: newStream(), down: newStream(),
		calls: make(map[uint64]*call), tags: make(map[origin]uint64), turns: make(map[engine.Replier]*turn),
	}
	f.wg.Go(func() { f.up.read(f.request) })
	f.wg.Go(func() { f.down.read(f.response) })
	return f
}

// Close ends the two directions. Every request must have had its last answer.
func (f *Far) Close() {
	f.up.close()
	f.down.close()
	f.wg.Wait()
}

// Submit sends the request as a frame.
func (f *Far) Submit(req wire.Request, r engine.Replier) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.next++
	id, from := f.next, origin{r, req.Tag}
	t := f.turns[r]
	if t == nil {
		t = &turn{}
		f.turns[r] = t
	}
	f.calls[id], f.tags[from] = &call{origin: from, turn: t}, id
	ordered := req.Flags&wire.FlagOrdered != 0
	req.Tag = id
	frame := wire.AppendRequest(nil, &req, wire.Clock())
	if len(t.waiting) > 0 || ordered && t.open > 0 {
		t.waiting = append(t.waiting, held{frame, id, ordered})
		return
	}
	t.open++
	f.up.write(frame)
}

// Cancel sends the wish to withdraw a request.
func (f *Far) Cancel(r engine.Replier, tag uint64) { f.control(wire.OpCancel, r, tag, 0) }

// Credit sends a grant of further answers.
func (f *Far) Credit(r engine.Replier, tag uint64, n int) { f.control(wire.OpCredit, r, tag, n) }

func (f *Far) control(op wire.Op, r engine.Replier, tag uint64, n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	id, ok := f.tags[origin{r, tag}]
	if !ok {
		return
	}
	c := wire.Credit{Tag: id, N: uint64(n)}
	f.up.write(wire.AppendRequest(nil, &wire.Request{Op: op, Body: c.Append(nil)}, wire.Clock()))
}

// request is the far side: it takes one frame.
func (f *Far) request(frame []byte) {
	var req wire.Request
	if err := wire.DecodeRequest(frame, &req, wire.Clock()); err != nil {
		panic(fmt.Sprintf("enginetest: a request frame of our own cannot be read: %v", err))
	}
	switch req.Op {
	case wire.OpCancel, wire.OpCredit:
		var c wire.Credit
		if err := c.Decode(req.Body); err != nil {
			panic(fmt.Sprintf("enginetest: a control frame of our own cannot be read: %v", err))
		}
		if req.Op == wire.OpCancel {
			f.inner.Cancel(f, c.Tag)
		} else {
			f.inner.Credit(f, c.Tag, int(c.N))
		}
	default:
		f.inner.Submit(req, f)
	}
	scribble(frame) // the loan of Body is over
}

// Reply is the far side: the engine answers, and the answer is sent as a frame.
func (f *Far) Reply(id uint64, resp wire.Response) { f.down.write(wire.AppendResponse(nil, id, &resp)) }

// response is the near side: it takes the frame of one answer.
func (f *Far) response(frame []byte) {
	var resp wire.Response
	id, err := wire.DecodeResponse(frame, &resp)
	if err != nil {
		panic(fmt.Sprintf("enginetest: an answer's frame cannot be read: %v", err))
	}
	f.mu.Lock()
	c := f.calls[id]
	if c != nil && !resp.More {
		delete(f.calls, id)
		if f.tags[c.origin] == id {
			delete(f.tags, c.origin)
		}
	}
	f.mu.Unlock()
	if c == nil {
		panic(fmt.Sprintf("enginetest: request %d was answered again after its last answer: %+v", id, resp))
	}
	c.origin.r.Reply(c.origin.tag, resp)
	scribble(frame)
	if !resp.More {
		f.release(c)
	}
}

// release lets those go on who waited for a call to end.
func (f *Far) release(c *call) {
	f.mu.Lock()
	defer f.mu.Unlock()
	t := c.turn
	t.open--
	for len(t.waiting) > 0 && (t.open == 0 || !t.waiting[0].ordered) {
		h := t.waiting[0]
		t.waiting = t.waiting[1:]
		t.open++
		f.up.write(h.frame)
	}
	if t.open == 0 && len(t.waiting) == 0 && f.turns[c.origin.r] == t {
		delete(f.turns, c.origin.r)
	}
}

func scribble(p []byte) {
	for i := range p {
		p[i] = 0xAA
	}
}

// stream is one direction of a connection: bytes in, frames out.
type stream struct {
	mu     sync.Mutex
	more   *sync.Cond
	buf    []byte
	closed bool
}

func newStream() *stream {
	s := &stream{}
	s.more = sync.NewCond(&s.mu)
	return s
}

func (s *stream) write(p []byte) {
	s.mu.Lock()
	s.buf = append(s.buf, p...)
	s.mu.Unlock()
	s.more.Signal()
}

func (s *stream) close() {
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	s.more.Signal()
}

// read hands every frame to fn, without its length, until the stream is closed and empty.
func (s *stream) read(fn func(frame []byte)) {
	for {
		s.mu.Lock()
		for len(s.buf) == 0 && !s.closed {
			s.more.Wait()
		}
		got := s.buf
		s.buf = nil
		s.mu.Unlock()
		if len(got) == 0 {
			return
		}
		for len(got) > 0 {
			n := wire.LenSize + int(binary.BigEndian.Uint32(got))
			fn(got[wire.LenSize:n:n])
			got = got[n:]
		}
	}
}
