package bus_test

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/bus"
	"github.com/skshohagmiah/flin/pkg/bus/bustest"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/enginetest"
	"github.com/skshohagmiah/flin/pkg/internal/memkv"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// office is a Leadership that a test changes.
type office struct {
	mu      sync.Mutex
	now     bus.Standing
	changed chan struct{}
}

func newOffice(s bus.Standing) *office { return &office{now: s, changed: make(chan struct{}, 1)} }

func (o *office) Now() bus.Standing {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now
}

func (o *office) Changed() <-chan struct{} { return o.changed }

func (o *office) set(s bus.Standing) {
	o.mu.Lock()
	o.now = s
	o.mu.Unlock()
	select {
	case o.changed <- struct{}{}:
	default:
	}
}

func TestWithoutADaemonRequestsAreUnavailableAtTheirDeadline(t *testing.T) {
	ns := bustest.NATS(t, nil)
	far := bustest.Engine(t, bustest.Dial(t, ns.URL()), wire.EngineKV, nil)
	began := time.Now()
	req := set("k", "v")
	req.Deadline = wire.DeadlineAfter(300 * time.Millisecond)
	resp := do(t, far, req)
	if resp.Code != wire.Unavailable {
		t.Errorf("answered %v: %s", resp.Code, resp.Body)
	}
	if d := time.Since(began); d < 200*time.Millisecond || d > 2*time.Second {
		t.Errorf("answered after %v", d)
	}
}

func TestARequestWaitsForItsDaemon(t *testing.T) {
	ns := bustest.NATS(t, nil)
	far := bustest.Engine(t, bustest.Dial(t, ns.URL()), wire.EngineKV, nil)
	c := enginetest.NewClient(t)
	far.Submit(set("k", "v"), c)
	time.Sleep(100 * time.Millisecond)
	bustest.Serve(t, bustest.Dial(t, ns.URL()), wire.EngineKV, memkv.New(), nil)
	if resp := c.Answers(1)[0]; resp.Code != wire.OK {
		t.Errorf("answered %v: %s", resp.Code, resp.Body)
	}
}

// pair is two nodes of a group, of which the first leads, with one engine behind both.
type pair struct {
	mem    *memkv.Engine
	office [2]*office
	server [2]*bus.Server
	far    *bus.Engine
}

func newPair(t *testing.T) *pair {
	t.Helper()
	ns := bustest.NATS(t, nil)
	p := &pair{mem: memkv.New()}
	for i := range p.office {
		p.office[i] = newOffice(bus.Standing{Leads: i == 0, Term: 1, Leader: "node 1"})
		p.server[i] = bustest.Serve(t, bustest.Dial(t, ns.URL()), wire.EngineKV, p.mem, func(c *bus.ServeConfig) {
			c.Node, c.Leadership, c.Grace = fmt.Sprintf("node %d", i+1), p.office[i], time.Second
		})
	}
	p.far = bustest.Engine(t, bustest.Dial(t, ns.URL()), wire.EngineKV, nil)
	return p
}

func (p *pair) move(to int, term uint64) {
	s := bus.Standing{Term: term, Leader: fmt.Sprintf("node %d", to+1)}
	p.office[1-to].set(s)
	s.Leads = true
	p.office[to].set(s)
}

func TestTheLeaderMovesUnderLoad(t *testing.T) {
	p := newPair(t)
	var wg sync.WaitGroup
	stop := make(chan struct{})
	counts := make([]int, 8)
	for i := range counts {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				resp := do(t, p.far, wire.Request{Op: wire.OpKVIncr, Body: (&wire.KVIncr{Key: []byte{byte('a' + i)}, By: 1}).Append(nil)})
				if resp.Code != wire.OK {
					t.Errorf("while the leader moved: %v %s", resp.Code, resp.Body)
					return
				}
				if counts[i]++; resp.Num != int64(counts[i]) {
					t.Errorf("increment %d came to %d", counts[i], resp.Num)
					return
				}
			}
		})
	}
	for term := range 6 {
		time.Sleep(100 * time.Millisecond)
		p.move((term+1)%2, uint64(term+2))
	}
	time.Sleep(100 * time.Millisecond)
	close(stop)
	wg.Wait()
	for i, n := range counts {
		if n == 0 {
			t.Errorf("client %d has done nothing", i)
		}
	}
}

func TestOrderedRequestsStayInOrderWhileTheLeaderMoves(t *testing.T) {
	p := newPair(t)
	c := enginetest.NewClient(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		for term := range 4 {
			time.Sleep(30 * time.Millisecond)
			p.move((term+1)%2, uint64(term+2))
		}
	}()
	const n = 4000
	for i := range n {
		req := set("k", strconv.Itoa(i))
		req.Tag, req.Flags = uint64(i+1), wire.FlagOrdered
		p.far.Submit(req, c)
		if i%40 == 39 {
			c.Answers(i - 200)
			time.Sleep(time.Millisecond)
		}
	}
	<-done
	c.Answers(n)
	var last uint64
	for i := range n {
		resp := c.Answer(uint64(i + 1))
		switch {
		case resp.Code == wire.Unavailable:
		case resp.Code != wire.OK:
			t.Fatalf("write %d: %v %s", i, resp.Code, resp.Body)
		case resp.Rev <= last:
			t.Fatalf("write %d has revision %d behind one with %d", i, resp.Rev, last)
		default:
			last = resp.Rev
		}
	}
}

func TestStaleReadsAreServedByWhoFollows(t *testing.T) {
	p := newPair(t)
	do(t, p.far, set("k", "v"))
	p.office[0].set(bus.Standing{Term: 2})
	req := get("k")
	req.Flags = wire.FlagStale
	if resp := do(t, p.far, req); string(resp.Body) != "v" {
		t.Errorf("a stale read without a leader was answered %v %q", resp.Code, resp.Body)
	}
	for p.far.Ready() { // until the news has come
		time.Sleep(time.Millisecond)
	}
	req = get("k")
	req.Deadline = wire.DeadlineAfter(200 * time.Millisecond)
	if resp := do(t, p.far, req); resp.Code != wire.Unavailable {
		t.Errorf("a read without a leader was answered %v %q", resp.Code, resp.Body)
	}
}

func TestADaemonThatStopsLetsRequestsGoElsewhere(t *testing.T) {
	p := newPair(t)
	c := enginetest.NewClient(t)
	p.far.Submit(wire.Request{Op: memkv.Hold, Tag: 1}, c)
	p.mem.Until(func(held, _, _ int) bool { return held == 1 })
	go func() {
		time.Sleep(50 * time.Millisecond)
		p.mem.LetGo()
		p.office[1].set(bus.Standing{Leads: true, Term: 2, Leader: "node 2"})
	}()
	if err := p.server[0].Close(); err != nil {
		t.Fatal(err)
	}
	if resp := c.Answer(1); resp.Code != wire.OK {
		t.Errorf("what was under way was answered %v: %s", resp.Code, resp.Body)
	}
	if resp := do(t, p.far, set("k", "v")); resp.Code != wire.OK {
		t.Errorf("afterwards: %v %s", resp.Code, resp.Body)
	}
}

func TestADaemonThatVanishesIsNoticedLongBeforeTheDeadline(t *testing.T) {
	for _, how := range []string{"its connection ends", "it says nothing any more"} {
		t.Run(how, func(t *testing.T) {
			ns := bustest.NATS(t, nil)
			relay := newRelay(t, ns.Addr())
			mem := memkv.New()
			bustest.Serve(t, bustest.Dial(t, relay.url()), wire.EngineKV, &script{
				submit: func(req wire.Request, r engine.Replier) {
					if req.Op == wire.OpKVIncr || req.Op == wire.OpKVCount {
						req.Op = memkv.Hold
					}
					mem.Submit(req, r)
				}, cancel: mem.Cancel,
			}, func(c *bus.ServeConfig) { c.Grace = 100 * time.Millisecond })
			far := bustest.Engine(t, bustest.Dial(t, ns.URL()), wire.EngineKV, nil)
			c := enginetest.NewClient(t)
			far.Submit(wire.Request{Op: wire.OpKVIncr, Tag: 1, Deadline: wire.DeadlineAfter(time.Minute)}, c)
			far.Submit(wire.Request{Op: wire.OpKVWatch, Tag: 2}, c)
			far.Submit(wire.Request{Op: wire.OpKVCount, Tag: 3, Deadline: wire.DeadlineAfter(time.Minute)}, c)
			mem.Until(func(held, watches, _ int) bool { return held == 2 && watches == 1 })
			c.Answers(1)
			began := time.Now()
			if relay.silence(true); strings.HasPrefix(how, "its") {
				relay.cut()
			}
			c.Answers(3)
			if d := time.Since(began); d > 5*time.Second {
				t.Errorf("it took %v", d)
			}
			if resp := c.Answer(1); resp.Code != wire.OutcomeUnknown {
				t.Errorf("a write that was under way is answered %v: %s", resp.Code, resp.Body)
			}
			if resp := c.Answer(2); resp.Code != wire.Unavailable {
				t.Errorf("a watch is answered %v: %s", resp.Code, resp.Body)
			}
			// It comes back, with a connection of its own, and what may be sent again is.
			relay.silence(false)
			relay.cut()
			mem.Until(func(held, _, _ int) bool { return held == 1 })
			mem.LetGo()
			if resp := c.Answer(3); resp.Code != wire.OK {
				t.Errorf("a read that was under way is answered %v: %s", resp.Code, resp.Body)
			}
		})
	}
}

func TestTheNATSServerGoesAndComesBack(t *testing.T) {
	ns := bustest.NATS(t, nil)
	port := ns.Addr().(*net.TCPAddr).Port
	mem := memkv.New()
	bustest.Serve(t, bustest.Dial(t, ns.URL()), wire.EngineKV, mem, nil)
	router := bustest.Dial(t, ns.URL())
	far := bustest.Engine(t, router, wire.EngineKV, nil)
	if resp := do(t, far, set("k", "v")); resp.Code != wire.OK {
		t.Fatalf("%v %s", resp.Code, resp.Body)
	}
	c := enginetest.NewClient(t)
	far.Submit(wire.Request{Op: memkv.Hold, Tag: 1}, c) // a random key: it is a read
	mem.Until(func(held, _, _ int) bool { return held == 1 })
	if err := ns.Close(); err != nil {
		t.Fatal(err)
	}
	for router.Connected() {
		time.Sleep(time.Millisecond) // what is sent before may have been executed
	}
	req := set("k", "w")
	req.Deadline = wire.DeadlineAfter(300 * time.Millisecond)
	if resp := do(t, far, req); resp.Code != wire.Unavailable {
		t.Errorf("without a NATS server: %v %s", resp.Code, resp.Body)
	}
	bustest.NATS(t, func(c *bus.EmbedConfig) { c.Port = port })
	if resp := do(t, far, get("k")); string(resp.Body) != "v" {
		t.Errorf("afterwards: %v %q", resp.Code, resp.Body)
	}
	mem.Until(func(held, _, _ int) bool { return held == 1 })
	mem.LetGo()
	if resp := c.Answer(1); resp.Code != wire.OK {
		t.Errorf("a read that was under way is answered %v: %s", resp.Code, resp.Body)
	}
}

func TestARouterThatGoesLeavesNothingBehind(t *testing.T) {
	ns := bustest.NATS(t, nil)
	relay := newRelay(t, ns.Addr())
	mem := memkv.New()
	bustest.Serve(t, bustest.Dial(t, ns.URL()), wire.EngineKV, mem, func(c *bus.ServeConfig) { c.Silence = time.Second })
	far := bustest.Engine(t, bustest.Dial(t, relay.url()), wire.EngineKV, nil)
	c := enginetest.NewClient(t)
	far.Submit(wire.Request{Op: wire.OpKVWatch, Tag: 1}, c)
	far.Submit(wire.Request{Op: memkv.Hold, Tag: 2, Deadline: wire.DeadlineAfter(200 * time.Millisecond)}, c)
	mem.Until(func(held, watches, _ int) bool { return held == 1 && watches == 1 })
	relay.silence(true)
	mem.Until(func(held, watches, _ int) bool { return held == 0 && watches == 0 })
}

func TestTheNextFreePortIsTaken(t *testing.T) {
	first := bustest.NATS(t, nil)
	port := first.Addr().(*net.TCPAddr).Port
	second := bustest.NATS(t, func(c *bus.EmbedConfig) { c.Port = port })
	if got := second.Addr().(*net.TCPAddr).Port; got <= port {
		t.Errorf("with port %d taken the server listens on %d", port, got)
	}
}
