package native_test

import (
	"bufio"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/skshohagmiah/flin/pkg/front/link"
	"github.com/skshohagmiah/flin/pkg/front/native"
	"github.com/skshohagmiah/flin/pkg/internal/memkv"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// client speaks frames.
type client struct {
	net.Conn
	r *bufio.Reader
	t testing.TB
}

func dial(t testing.TB, addr string) *client {
	t.Helper()
	nc, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = nc.Close() })
	_ = nc.SetDeadline(time.Now().Add(30 * time.Second)) // a hang fails instead
	return &client{nc, bufio.NewReader(nc), t}
}

// greeted returns a client that has been welcomed.
func greeted(t testing.TB, addr string) *client {
	t.Helper()
	c := dial(t, addr)
	c.hello(&wire.Hello{Version: 1})
	if _, resp := c.answer(); resp.Code != wire.OK {
		t.Fatal(resp.Err())
	}
	return c
}

func (c *client) hello(m *wire.Hello) {
	c.t.Helper()
	c.write([]byte(wire.Magic))
	c.send(wire.OpHello, 1, m.Append(nil))
}

func (c *client) write(b []byte) {
	c.t.Helper()
	if _, err := c.Write(b); err != nil {
		c.t.Fatal(err)
	}
}

func (c *client) send(op wire.Op, tag uint64, body []byte) {
	c.t.Helper()
	c.write(wire.AppendRequest(nil, &wire.Request{Op: op, Tag: tag, Body: body}, 0))
}

func (c *client) answer() (uint64, wire.Response) {
	c.t.Helper()
	var head [wire.LenSize]byte
	if _, err := io.ReadFull(c.r, head[:]); err != nil {
		c.t.Fatal(err)
	}
	n, _ := wire.FrameLen(head[:])
	p := make([]byte, n)
	if _, err := io.ReadFull(c.r, p); err != nil {
		c.t.Fatal(err)
	}
	var resp wire.Response
	tag, err := wire.DecodeResponse(p, &resp)
	if err != nil {
		c.t.Fatal(err)
	}
	return tag, resp
}

// expect reads the next answer and compares it.
func (c *client) expect(tag uint64, code wire.Code, says string) {
	c.t.Helper()
	gotTag, resp := c.answer()
	if gotTag != tag || resp.Code != code || !strings.Contains(string(resp.Body), says) {
		c.t.Errorf("tag %d %v %q, want tag %d %v %q", gotTag, resp.Code, resp.Body, tag, code, says)
	}
}

// over sees to it that the server has closed the connection in an orderly way.
func (c *client) over() {
	c.t.Helper()
	if b, err := io.ReadAll(c.r); err != nil || len(b) != 0 {
		c.t.Errorf("the connection goes on: %q %v", b, err)
	}
}

func key(s string) []byte { return (&wire.KVKey{Key: []byte(s)}).Append(nil) }

func set(k, v string) []byte { return (&wire.KVSet{Key: []byte(k), Value: []byte(v)}).Append(nil) }

func TestAHelloIsWelcomed(t *testing.T) {
	addr := serve(t, memkv.New(), func(c *native.Config, _ *link.Limits) { c.Node, c.Version = "n1", "flin-server 0.1" })
	for _, version := range []uint64{1, 7} { // a later client is told which version both speak
		c := dial(t, addr)
		c.hello(&wire.Hello{Version: version})
		_, resp := c.answer()
		var m wire.Welcome
		if err := m.Decode(resp.Body); err != nil {
			t.Fatal(err)
		}
		if m != (wire.Welcome{Version: 1, MaxRequest: 32 << 20, MaxInFlight: 1024, Node: "n1", Server: "flin-server 0.1"}) {
			t.Errorf("%+v", m)
		}
	}
}

func TestABadOpeningIsRefusedWithAReason(t *testing.T) {
	addr := serve(t, memkv.New(), func(c *native.Config, _ *link.Limits) {
		c.Password = func(user, password string) bool { return user == "default" && password == "secret" }
		c.HelloTimeout = 50 * time.Millisecond
	})
	c := dial(t, addr)
	c.hello(&wire.Hello{Version: 0, User: "default", Password: "secret"})
	c.expect(1, wire.Unsupported, "the client speaks version 0 of the protocol and no later one, this server speaks version 1")
	c.over()

	c = dial(t, addr)
	c.hello(&wire.Hello{Version: 1, User: "default", Password: "guess"})
	c.expect(1, wire.Unauthenticated, "password")
	c.over()

	c = dial(t, addr)
	c.write([]byte(wire.Magic))
	c.send(wire.OpKVGet, 5, key("k"))
	c.expect(5, wire.Invalid, "must be hello")
	c.over()

	c = dial(t, addr)
	c.write([]byte(wire.Magic))
	c.send(wire.OpHello, 5, []byte{1, 200})
	c.expect(5, wire.Invalid, "ends before")
	c.over()

	c = dial(t, addr)
	c.write([]byte("nope"))
	c.expect(wire.ConnTag, wire.Invalid, "magic")
	c.over()

	c = dial(t, addr) // a slow one
	c.write([]byte(wire.Magic))
	c.over()
}

func TestRequestsAreAnsweredInAnyOrder(t *testing.T) {
	e := memkv.New()
	c := greeted(t, serve(t, e))
	c.send(memkv.Hold, 10, nil)
	c.send(wire.OpKVSet, 11, set("k", "v"))
	c.expect(11, wire.OK, "")
	c.send(wire.OpKVGet, 12, key("k"))
	c.expect(12, wire.OK, "v")
	c.send(wire.OpKVGet, 12, key("other"))
	c.expect(12, wire.NotFound, "")
	e.LetGo()
	c.expect(10, wire.OK, "let go")
}

func TestWhatIsNotKnownIsUnsupportedAndTheConnectionGoesOn(t *testing.T) {
	c := greeted(t, serve(t, memkv.New()))
	for tag, op := range map[uint64]wire.Op{2: 0x01EE, 3: 0x7F77, 4: wire.OpKVSweep, 5: 0x0999} {
		c.send(op, tag, nil)
		c.expect(tag, wire.Unsupported, "operation")
	}
	b := wire.AppendRequest(nil, &wire.Request{Op: wire.OpPing, Tag: 6}, 0)
	b[wire.LenSize+2] = 0x80
	c.write(b)
	c.expect(6, wire.Unsupported, "flags")
	c.send(wire.OpHello, 7, (&wire.Hello{Version: 1}).Append(nil))
	c.expect(7, wire.Invalid, "first")
	c.send(wire.OpCancel, 8, []byte{1})
	c.expect(8, wire.Invalid, "ends")
	c.send(wire.OpCancel, 9, (&wire.Credit{Tag: 4711}).Append(nil)) // passed over
	c.send(wire.OpPing, 10, []byte("still here"))
	c.expect(10, wire.OK, "still here")
}

func TestAFrameThatIsNoFrameEndsTheConnection(t *testing.T) {
	addr := serve(t, memkv.New(), func(_ *native.Config, l *link.Limits) { l.MaxInput = 1000 })
	c := greeted(t, addr)
	c.write([]byte{0, 0, 0, 3, 1, 2, 3})
	c.expect(wire.ConnTag, wire.Invalid, "shorter")
	c.over()

	c = greeted(t, addr)
	c.write(wire.AppendRequest(nil, &wire.Request{Op: wire.OpKVSet, Tag: 5, Body: make([]byte, 1000)}, 0))
	c.expect(5, wire.TooLarge, "1011 bytes is over the limit of 1000 (-max-request)")
	c.over()

	c = greeted(t, addr)
	c.write(wire.AppendRequest(nil, &wire.Request{Op: wire.OpPing, Tag: 5, Body: make([]byte, 1000-wire.MinRequest)}, 0))
	c.expect(5, wire.OK, "")

	c.write(binary.BigEndian.AppendUint32(nil, 1<<31)) // a length alone
	c.expect(wire.ConnTag, wire.TooLarge, "")
	c.over()
}

func TestARequestMayBeWithdrawn(t *testing.T) {
	e := memkv.New()
	c := greeted(t, serve(t, e))
	c.send(memkv.Hold, 10, nil)
	c.send(memkv.Hold, 11, nil)
	c.send(wire.OpCancel, 12, (&wire.Credit{Tag: 10}).Append(nil))
	c.expect(10, wire.Canceled, "")
	e.Until(func(held, _, _ int) bool { return held == 1 })
	e.LetGo()
	c.expect(11, wire.OK, "let go")
}

func TestWhatIsInFlightIsWithdrawnWithItsConnection(t *testing.T) {
	e := memkv.New()
	c := greeted(t, serve(t, e))
	c.send(memkv.Hold, 10, nil)
	c.send(wire.OpKVWatch, 11, nil)
	c.expect(11, wire.OK, "")
	e.Until(func(held, watches, _ int) bool { return held == 1 && watches == 1 })
	_ = c.Close()
	e.Until(func(held, watches, _ int) bool { return held == 0 && watches == 0 })
}

func TestAStreamGetsItsCreditsAndIsBounded(t *testing.T) {
	e := memkv.New()
	c := greeted(t, serve(t, e, func(c *native.Config, l *link.Limits) { c.MaxStreams, l.MaxInFlight = 2, 1 }))
	for tag := uint64(10); tag < 12; tag++ { // more than MaxInFlight: streams do not count
		c.send(wire.OpKVWatch, tag, nil)
		if got, resp := c.answer(); got != tag || !resp.More {
			t.Errorf("%d %+v", got, resp)
		}
	}
	c.send(wire.OpKVWatch, 12, nil)
	c.expect(12, wire.Busy, "2 open streams")
	c.send(wire.OpCredit, 13, (&wire.Credit{Tag: 11, N: 64}).Append(nil))
	c.send(wire.OpCredit, 13, (&wire.Credit{Tag: 11, N: 1 << 60}).Append(nil))
	e.Until(func(_, _, credits int) bool { return credits > 64 && credits < 1<<40 })
	c.send(wire.OpCancel, 13, (&wire.Credit{Tag: 10}).Append(nil))
	c.expect(10, wire.Canceled, "")
	c.send(wire.OpKVWatch, 14, nil)
	if got, resp := c.answer(); got != 14 || !resp.More {
		t.Errorf("%d %+v", got, resp)
	}
}

func TestTheServerStopsReadingWhenTooMuchIsInFlight(t *testing.T) {
	const most = 8
	e := memkv.New()
	c := greeted(t, serve(t, e, func(_ *native.Config, l *link.Limits) { l.MaxInFlight = most }))
	for tag := range uint64(3 * most) {
		c.send(memkv.Hold, 10+tag, nil)
	}
	c.send(wire.OpPing, 5, nil) // it is not read before there is room
	answered := 0
	for answered < 3*most {
		e.Until(func(held, _, _ int) bool { return held == most })
		if n := e.LetGo(); n != most {
			t.Fatalf("%d were in flight", n)
		}
		for range most {
			if tag, resp := c.answer(); tag < 10 || resp.Num != 1 {
				t.Fatalf("%d %+v", tag, resp)
			}
		}
		answered += most
	}
	c.expect(5, wire.OK, "")
}

func TestTheSameTagTwiceDoesNoHarm(t *testing.T) {
	e := memkv.New()
	c := greeted(t, serve(t, e))
	c.send(memkv.Hold, 10, nil)
	c.send(memkv.Hold, 10, nil)
	e.Until(func(held, _, _ int) bool { return held == 2 })
	e.LetGo()
	c.expect(10, wire.OK, "let go")
	c.expect(10, wire.OK, "let go")
}
