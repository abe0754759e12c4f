package flin

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestABatchThatIsRefusedFailsAloneAndTheOthersGoOnUnderAnotherID(t *testing.T) {
	s := newFakeTopic(t, 1)
	o := newOutcomes(t)
	s.hook = func(c *fakeConn, req *wire.Request) bool {
		if req.Op == wire.OpStreamAppend && bytes.Contains(req.Body, []byte("bad")) {
			c.answer(req.Tag, wire.Failf(wire.TooLarge, "too large for now"))
			return true
		}
		return false
	}
	p := producer(t, s, MaxBatch(1<<10))
	pad := bytes.Repeat([]byte{'.'}, 800)
	var want []string
	for i := range 12 {
		v := fmt.Sprintf("%02d%s", i, pad)
		if i == 5 {
			v = "bad" + v
		} else {
			want = append(want, v)
		}
		must(t, p.Send(0, Record{Value: []byte(v)}, o.of(v)))
	}
	if err := p.Flush(t.Context()); !errors.Is(err, ErrTooLarge) {
		t.Errorf("flush: %v", err)
	}
	if got := s.values(0); !slices.Equal(got, want) {
		t.Errorf("%d records are stored", len(got))
	}
	for v, err := range o.errs {
		if errors.Is(err, ErrTooLarge) != (v[:3] == "bad") {
			t.Errorf("%.5s: %v", v, err)
		}
	}
	must(t, p.Send(0, Record{Value: []byte("more")}, nil))
	must(t, p.Flush(t.Context()))
	if n := len(s.parts[0].producers); n != 2 {
		t.Errorf("%d producer ids were used", n)
	}
}

func TestRecordsAreGivenUpAfterTheDeliveryTimeout(t *testing.T) {
	for name, c := range map[string]struct {
		code wire.Code
		want *Error
	}{"refused": {wire.Unavailable, ErrTimeout}, "unknown": {wire.OutcomeUnknown, ErrOutcomeUnknown}} {
		s := newFakeTopic(t, 1)
		o := newOutcomes(t)
		s.hook = func(conn *fakeConn, req *wire.Request) bool {
			if req.Op == wire.OpStreamAppend {
				conn.answer(req.Tag, wire.Failf(c.code, "never"))
			}
			return req.Op == wire.OpStreamAppend
		}
		p := producer(t, s, DeliveryTimeout(50*time.Millisecond))
		must(t, p.Send(0, Record{Value: []byte("v")}, o.of("v")))
		if err := p.Flush(t.Context()); !errors.Is(err, c.want) || !errors.Is(o.errs["v"], c.want) || !errors.Is(err, &Error{Code: c.code}) {
			t.Errorf("%s: %v, told %v", name, err, o.errs["v"])
		}
		s.mu.Lock()
		s.hook = nil
		s.mu.Unlock()
		must(t, p.Send(0, Record{Value: []byte("w")}, o.of("w")))
		must(t, p.Close())
		if got := s.values(0); !slices.Equal(got, []string{"w"}) {
			t.Errorf("%s: %q is stored", name, got)
		}
	}
}

func TestAClosedClientEndsItsProducers(t *testing.T) {
	s := newFakeTopic(t, 2)
	s.after = func(*fakeConn, *wire.Request, int64) bool { return true } // never answered
	c := connect(t, s.f.addr())
	p, err := c.Stream.Producer("events")
	must(t, err)
	o := newOutcomes(t)
	must(t, p.Send(0, Record{Value: []byte("a")}, o.of("a")))
	must(t, p.Send(1, Record{Value: []byte("b")}, o.of("b")))
	for s.f.count(wire.OpStreamAppend) < 2 {
		time.Sleep(time.Millisecond) // nothing tells of it
	}
	must(t, c.Close())
	if err := p.Close(); !errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("what was on its way: %v", err)
	}
	for _, v := range []string{"a", "b"} {
		if !errors.Is(o.errs[v], ErrOutcomeUnknown) {
			t.Errorf("%s: %v", v, o.errs[v])
		}
	}
	if _, err := c.Stream.Producer("events"); !errors.Is(err, ErrClosed) {
		t.Errorf("another one: %v", err)
	}
}

// With the server gone for long everything is given up when its time is over, one batch as much as many.
func TestAllThatIsOverdueIsGivenUpTogether(t *testing.T) {
	s := newFakeTopic(t, 1)
	o := newOutcomes(t)
	p := producer(t, s, MaxBatch(1<<10), DeliveryTimeout(100*time.Millisecond))
	s.f.stop()
	const records = 30
	for i := range records {
		must(t, p.Send(0, Record{Value: make([]byte, 900)}, o.of(fmt.Sprint(i))))
	}
	closed := make(chan error, 1)
	go func() { closed <- p.Close() }()
	select {
	case err := <-closed:
		if !errors.Is(err, ErrTimeout) && !errors.Is(err, ErrOutcomeUnknown) {
			t.Errorf("close: %v", err)
		}
	case <-time.After(20 * time.Second): // of which each batch would take five
		t.Fatal("a producer without a server is not closed")
	}
	if len(o.errs) != records {
		t.Errorf("%d of %d records are told of", len(o.errs), records)
	}
	for v, err := range o.errs {
		if err == nil {
			t.Errorf("%s is stored", v)
		}
	}
}

// A batch that was never executed is not stored, whatever the server knows of its number.
func TestABatchWhoseNumberIsTakenIsStoredUnderAnother(t *testing.T) {
	s := newFakeTopic(t, 1)
	o := newOutcomes(t)
	first := true
	s.hook = func(c *fakeConn, req *wire.Request) bool {
		if req.Op != wire.OpStreamAppend || !first {
			return false
		}
		first = false
		c.answer(req.Tag, wire.Failf(wire.Exists, "long ago"))
		return true
	}
	p := producer(t, s)
	must(t, p.Send(0, Record{Value: []byte("v")}, o.of("v")))
	must(t, p.Flush(t.Context()))
	if got := s.values(0); !slices.Equal(got, []string{"v"}) || o.at["v"] != (Position{}) || o.errs["v"] != nil {
		t.Errorf("%q is stored; it is told %v, %v", got, o.at["v"], o.errs["v"])
	}
}

// The sender does not wait for room in a connection for longer than the records have.
func TestAConnectionWithoutRoomDoesNotHoldAProducerForEver(t *testing.T) {
	s := newFakeTopic(t, 1)
	c := connect(t, s.f.addr(), func(o *Options) { o.Connections = 1 })
	p, err := c.Stream.Producer("events", DeliveryTimeout(50*time.Millisecond))
	must(t, err)
	cn := c.pool.conns[0].Load()
	cn.mu.Lock()
	cn.busy += maxPlaces
	cn.mu.Unlock()
	must(t, p.Send(0, Record{Value: []byte("v")}, nil))
	if err := p.Close(); !errors.Is(err, ErrTimeout) {
		t.Errorf("close: %v", err)
	}
}
