package native

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/front/link"
	"github.com/skshohagmiah/flin/pkg/front/slow"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// conn is one native connection. Its reader goroutine runs serve; it is the Replier of every request that it submits,
// under tags of its own, so that whatever tags a client chooses the engine sees each once.
type conn struct {
	server  *Server
	link    *link.Conn
	engine  engine.Engine
	pending pending
	since   slow.Moment // when the requests under way arrived; the reader's
	refuses atomic.Bool // the server stops: what is withdrawn is answered Unavailable, so that it is sent elsewhere
}

// closing is an error that is told to the client before the connection is closed.
type closing struct {
	tag    uint64
	reason string // for the metric
	err    *wire.Error
}

func (c *closing) Error() string { return c.err.Error() }
func (c *closing) Unwrap() error { return c.err }

// hello reads the magic and the first frame and answers it.
func (c *conn) hello() error {
	c.link.ReadBy(time.Now().Add(c.server.cfg.HelloTimeout))
	for len(c.link.Buffered()) < len(wire.Magic) {
		if err := c.link.Fill(); err != nil {
			return err
		}
	}
	if string(c.link.Buffered()[:len(wire.Magic)]) != wire.Magic {
		return &closing{wire.ConnTag, "magic", wire.Errorf(wire.Invalid, "the connection does not begin with the protocol's magic")}
	}
	c.link.Discard(len(wire.Magic))
	frame, err := c.frame()
	for frame == nil && err == nil {
		if err = c.link.Fill(); err == nil {
			frame, err = c.frame()
		}
	}
	if err != nil {
		return err
	}
	c.link.ReadBy(time.Time{})
	return c.welcome(frame)
}

func (c *conn) welcome(frame []byte) error {
	var req wire.Request
	if err := wire.DecodeRequest(frame, &req, wire.Clock()); err != nil {
		return &closing{wire.ConnTag, "garbage", asError(err)}
	}
	if req.Op != wire.OpHello {
		return &closing{req.Tag, "no-hello", wire.Errorf(wire.Invalid, "the first request is %v, must be hello", req.Op)}
	}
	var hello wire.Hello
	if err := hello.Decode(req.Body); err != nil {
		return &closing{req.Tag, "garbage", asError(err)}
	}
	if hello.Version < wire.Version {
		return &closing{req.Tag, "version", wire.Errorf(wire.Unsupported,
			"the client speaks version %d of the protocol and no later one, this server speaks version %d", hello.Version, wire.Version)}
	}
	if c.server.cfg.Password != nil && !c.server.cfg.Password(hello.User, hello.Password) {
		return &closing{req.Tag, "credentials", wire.Errorf(wire.Unauthenticated, "wrong user or password, or none given")}
	}
	c.link.Discard(wire.LenSize + len(frame))
	limits := c.link.Limits()
	welcome := wire.Welcome{
		Version: wire.Version, MaxRequest: uint64(limits.MaxInput), MaxInFlight: uint64(limits.MaxInFlight),
		Node: c.server.cfg.Node, Server: c.server.cfg.Version,
	}
	c.answer(req.Tag, &wire.Response{Body: welcome.Append(nil)})
	return nil
}

// frame returns the next frame without its length, or nil if it has not arrived in full. The caller discards it.
func (c *conn) frame() ([]byte, error) {
	in := c.link.Buffered()
	n, ok := wire.FrameLen(in)
	if !ok {
		return nil, nil
	}
	if limit := c.link.Limits().MaxInput; n > limit || n < wire.MinRequest {
		return nil, c.badLength(in[wire.LenSize:], n, limit)
	}
	if len(in)-wire.LenSize < n {
		return nil, nil
	}
	return in[wire.LenSize : wire.LenSize+n : wire.LenSize+n], nil
}

// badLength says what is wrong with a frame of n bytes whose beginning is p. The connection ends, since where the next
// frame begins is not known, or too far away.
func (c *conn) badLength(p []byte, n, limit int) error {
	if n < wire.MinRequest {
		return &closing{wire.ConnTag, "garbage", wire.Errorf(wire.Invalid, "a frame of %d bytes is shorter than the head of a request (%d)", n, wire.MinRequest)}
	}
	tag, _ := wire.PeekTag(p) // without one the answer speaks of the connection
	return &closing{tag, "too-large", wire.Errorf(wire.TooLarge, "request of %d bytes is over the limit of %d (-max-request)", n, limit)}
}

// serve reads requests until the connection ends.
func (c *conn) serve() error {
	for {
		n, err := c.batch()
		if n > 0 {
			c.server.requests.Add(uint64(n))
		}
		if err != nil {
			return err
		}
		if err := c.link.Fill(); err != nil {
			return err
		}
	}
}

// batch hands on every request that has arrived in full and returns how many there were.
func (c *conn) batch() (n int, err error) {
	now := wire.Clock()
	c.since = slow.At(now)
	for {
		frame, err := c.frame()
		if frame == nil || err != nil {
			return n, err
		}
		var req wire.Request
		if err := wire.DecodeRequest(frame, &req, now); err != nil {
			c.fail(req.Tag, asError(err))
		} else {
			c.submit(&req)
		}
		c.link.Discard(wire.LenSize + len(frame))
		n++
		if err := c.drain(); err != nil {
			return n, err
		}
	}
}

// drain lets answers go out, and waits while there are too many requests without one.
func (c *conn) drain() error {
	written, busy := c.link.Written(), c.link.InFlight() >= c.link.Limits().MaxInFlight
	err := c.link.Drain()
	if busy || written != c.link.Written() { // this may have taken long, and it was not the next requests that did
		c.since = slow.At(wire.Clock())
	}
	return err
}

// submit hands a request to the engine, or answers what concerns the connection itself.
func (c *conn) submit(req *wire.Request) {
	switch {
	case req.Op.Engine() == wire.EngineAdmin:
		c.admin(req)
		return
	case req.Op.Internal():
		c.fail(req.Tag, wire.Errorf(wire.Unsupported, "operation %v is not for clients", req.Op))
		return
	}
	stream := req.Op.Streams()
	if !stream {
		c.link.Started()
	} else if c.pending.streams() >= c.server.cfg.MaxStreams {
		c.fail(req.Tag, wire.Errorf(wire.Busy, "the connection has %d open streams, the most it may have", c.server.cfg.MaxStreams))
		return
	} else {
		c.server.streams.Add(1)
	}
	req.Tag = c.pending.add(req.Tag, stream, slow.MarkOf(req.Op, c.since, len(req.Body)))
	if req.Op.Waits() {
		c.pending.mayWait(req.Tag)
	}
	c.engine.Submit(*req, c)
}

// withdrawWaits ends what may wait for long because the server stops.
func (c *conn) withdrawWaits() {
	c.refuses.Store(true)
	for _, tag := range c.pending.waiting() {
		c.engine.Cancel(c, tag)
	}
}

// Reply implements engine.Replier.
func (c *conn) Reply(tag uint64, resp wire.Response) {
	at, ok := c.pending.answer(tag, !resp.More)
	if !ok {
		return
	}
	if resp.Code == wire.Canceled && c.refuses.Load() {
		resp = wire.Fail(link.ErrStopping)
	}
	c.answer(at.client, &resp)
	switch {
	case resp.More:
	case at.stream:
		c.server.streams.Add(-1)
	default:
		c.server.cfg.Slow.Done(at.mark, c.link.NetConn())
		c.link.Finished()
	}
}

func (c *conn) answer(tag uint64, resp *wire.Response) {
	c.link.End(wire.AppendResponse(c.link.Begin(), tag, resp))
}

func (c *conn) fail(tag uint64, err *wire.Error) {
	resp := wire.Fail(err)
	c.answer(tag, &resp)
}

// end closes the connection and withdraws what is still waiting for an answer that nobody will read.
func (c *conn) end(err error) {
	var last *closing
	switch {
	case errors.As(err, &last):
		c.server.reject(c.link, last.reason)
		c.fail(last.tag, last.err)
		c.link.CloseAfterFlush(err)
	case errors.Is(err, link.ErrStopping):
		c.fail(wire.ConnTag, link.ErrStopping)
		c.link.CloseAfterFlush(err)
	case errors.Is(err, link.ErrNoMemory):
		c.server.reject(c.link, "memory")
		c.fail(wire.ConnTag, link.ErrNoMemory)
		c.link.CloseAfterFlush(err)
	default:
		c.link.Close(err)
	}
	for _, tag := range c.pending.all() {
		c.engine.Cancel(c, tag)
	}
}

func asError(err error) *wire.Error {
	if e, ok := errors.AsType[*wire.Error](err); ok {
		return e
	}
	return wire.Errorf(wire.Internal, "%v", err)
}
