package systest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/clients/go"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// queueRun is one run of clients on one queue that they share.
type queueRun struct {
	*queueHistory
	ctx    context.Context // ends when the clients are to go
	queue  string
	client *flin.Client
	fail   func(format string, args ...any)
	names  atomic.Int64
	ops    *atomic.Int64 // of all runs
}

// Clients push with priorities and groups, lease, acknowledge, give back and take, on the same few queues, while the
// server is killed and started again: every message comes in the order of its priority and group, to one at a time, and
// none comes again that was acknowledged.
func TestQueueHistoriesKeepTheirOrder(t *testing.T) {
	seed := seeded(t)
	rng := rand.New(rand.NewPCG(seed, 13))
	perClient := int(setting(t, "FLIN_LINEAR_OPS", 400))
	kills := int(setting(t, "FLIN_LINEAR_KILLS", 3))
	const clients = 5
	var s *server
	if chosen(t) == allInOne {
		s = startProgram(t, "queued") // the daemon of the queues alone; the kill loop is about the platform in one process
	} else {
		s = start(t)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var ops atomic.Int64
	var runs []*queueRun
	var running sync.WaitGroup
	defer func() { cancel(); running.Wait() }()
	for q := range 3 {
		r := &queueRun{
			queueHistory: newQueueHistory(), ctx: ctx, queue: fmt.Sprintf("history.%d", q), client: newClient(t, s.addrs()), fail: t.Errorf, ops: &ops,
		}
		if err := r.client.Queue.Configure(r.queue, flin.MaxDeliveries(0), flin.LeaseTime(2*time.Second)); err != nil {
			t.Fatal(err)
		}
		runs = append(runs, r)
		for i := range clients {
			rng := rand.New(rand.NewPCG(seed, uint64(300+10*q+i)))
			running.Go(func() { r.live(rng, perClient) })
		}
	}
	finished := make(chan struct{})
	go func() { running.Wait(); close(finished) }()
	all := int64(perClient * clients * len(runs))
	for i := range kills {
		at := all*int64(i+1)/int64(kills+2) + rng.Int64N(all/int64(kills+2))
		for busy := true; busy && ops.Load() < at; {
			stillRuns(t, s)
			select {
			case <-finished:
				busy = false
			case <-time.After(time.Millisecond): // a counter gives no sign
			}
		}
		s.strike(t, rng, wire.EngineQueue)
		s.launch()
	}
	for busy := true; busy; {
		stillRuns(t, s)
		select {
		case <-finished:
			busy = false
		case <-time.After(10 * time.Millisecond):
		}
	}
	for _, r := range runs {
		r.drain(t)
		wrong := r.check()
		for _, why := range wrong[:min(len(wrong), 5)] {
			t.Errorf("%s: %s", r.queue, why)
		}
		if len(wrong) > 0 {
			t.Errorf("%s: %d things cannot be", r.queue, len(wrong))
		}
		t.Logf("%s: %d messages, %d deliveries without an answer", r.queue, len(r.goods), r.lost)
	}
}

// possessed is a leased message with what the history knows of it.
type possessed struct {
	*flin.Message
	p *possession
}

// live does n operations.
func (r *queueRun) live(rng *rand.Rand, n int) {
	var held []possessed
	for range n {
		if r.ctx.Err() != nil {
			return
		}
		r.ops.Add(1)
		switch d := rng.IntN(100); {
		case d < 40:
			r.push(rng)
		case d < 65 && len(held) < 8:
			held = append(held, r.lease(1+rng.IntN(4), 0)...)
		case d < 70:
			r.take()
		case len(held) > 0:
			i := rng.IntN(len(held))
			r.settle(rng, held[i])
			held = append(held[:i], held[i+1:]...)
		}
	}
	for _, m := range held {
		r.settle(rng, m)
	}
}

func (r *queueRun) push(rng *rand.Rand) {
	var opts []flin.PushOption
	group := ""
	if p := rng.IntN(4); p > 0 {
		opts = append(opts, flin.Priority(uint8(p)))
	}
	if g := rng.IntN(6); g < 3 {
		group = fmt.Sprintf("group%d", g)
		opts = append(opts, flin.GroupKey(group))
	}
	n := 1
	if rng.IntN(4) == 0 {
		n = 1 + rng.IntN(5)
	}
	var goods []*shipment
	var bodies [][]byte
	for range n {
		seq := r.names.Add(1)
		goods = append(goods, r.ship(fmt.Sprintf("%s#%d", r.queue, seq), group))
		bodies = append(bodies, payload(r.queue, seq, smallValue))
	}
	ids, err := r.client.Queue.PushBatch(r.queue, bodies, opts...)
	if err != nil && !expected(err) {
		r.fail("push: %v", err)
	}
	now := r.now()
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, s := range goods {
		switch fate(err) {
		case done:
			id, err := wire.ParseMessageID(ids[i])
			if err != nil {
				r.fail("push answered the id %q: %v", ids[i], err)
			}
			s.id, s.pushed = id, now
		case notDone:
			s.refused = true
		case unknown:
		}
	}
}

// lease leases up to n messages, and checks the order of those that came together.
func (r *queueRun) lease(n int, wait time.Duration) (held []possessed) {
	asked := r.now()
	list, err := r.client.Queue.LeaseBatch(r.queue, n, flin.Wait(wait))
	if err != nil {
		r.failed("lease", err)
		return nil
	}
	got := r.now()
	var last *flin.Message
	groups := map[string]bool{}
	for _, m := range list {
		p := &possession{asked: asked, got: got, attempt: m.Attempt, until: r.wall(m.LeasedUntil)}
		name, whole := parcelName(m.Body)
		if !whole {
			r.fail("a message holds %s", brief(m.Body))
		}
		r.deliver(name, m.ID, p)
		held = append(held, possessed{m, p})
		if m.GroupKey != "" && groups[m.GroupKey] {
			r.fail("one lease gave two messages of group %s", m.GroupKey)
		}
		groups[m.GroupKey] = true
		if last != nil && (last.Priority < m.Priority || last.Priority == m.Priority && last.GroupKey == "" && m.GroupKey == "" && idOf(last) > idOf(m)) {
			r.fail("one lease gave %s (group %q) before %s (group %q)", last.ID, last.GroupKey, m.ID, m.GroupKey)
		}
		last = m
	}
	return held
}

// idOf returns a message's id as a number, 0 where it cannot be read.
func idOf(m *flin.Message) wire.MessageID {
	id, _ := wire.ParseMessageID(m.ID)
	return id
}

// failed notes a delivery that did not come.
func (r *queueRun) failed(what string, err error) {
	switch {
	case errors.Is(err, flin.ErrEmpty):
	case errors.Is(err, flin.ErrOutcomeUnknown):
		r.mu.Lock()
		r.lost++
		r.mu.Unlock()
	case !expected(err):
		r.fail("%s: %v", what, err)
	}
}

func (r *queueRun) take() {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	asked := r.now()
	body, err := r.client.With(ctx).Queue.Pop(r.queue)
	if err != nil {
		r.failed("pop", err)
		return
	}
	name, whole := parcelName(body)
	if !whole {
		r.fail("a message holds %s", brief(body))
	}
	r.deliver(name, "", &possession{asked: asked, got: r.now(), taken: true})
}

// settle acknowledges a message or gives it back, or lets its lease run out.
func (r *queueRun) settle(rng *rand.Rand, m possessed) {
	d := rng.IntN(20)
	if d == 0 {
		return
	}
	if d == 1 {
		if err := m.Extend(2 * time.Second); err == nil {
			r.mu.Lock()
			m.p.until = max(m.p.until, r.wall(m.LeasedUntil))
			r.mu.Unlock()
		}
	}
	r.mu.Lock()
	m.p.settle, m.p.back = r.now(), d < 8
	r.mu.Unlock()
	var err error
	if d < 8 {
		err = m.Nack()
	} else {
		err = m.Ack()
	}
	r.mu.Lock()
	if err == nil {
		m.p.settled = r.now()
	}
	left := m.p.until - int64(clockSlack*time.Millisecond) - r.now()
	r.mu.Unlock()
	switch {
	case errors.Is(err, flin.ErrFenced) && left > 0:
		r.fail("message %s: its receipt was refused %v before its lease was over: %v", m.ID, time.Duration(left), err)
	case err != nil && !errors.Is(err, flin.ErrFenced) && !expected(err):
		r.fail("settle: %v", err)
	}
}

// drain works off what is left.
func (r *queueRun) drain(t *testing.T) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); ; {
		for _, m := range r.lease(100, 50*time.Millisecond) {
			r.mu.Lock()
			m.p.settle = r.now()
			r.mu.Unlock()
			if err := m.Ack(); err != nil {
				t.Fatalf("%s: ack: %v", r.queue, err)
			}
			r.mu.Lock()
			m.p.settled = r.now()
			r.mu.Unlock()
		}
		info, err := r.client.Queue.Info(r.queue)
		if err != nil {
			t.Fatal(err)
		}
		if info.Ready+info.Delayed+info.Leased == 0 {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s is not worked off: %+v", r.queue, info)
		}
	}
}
