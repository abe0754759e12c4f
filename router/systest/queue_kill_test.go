package systest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/clients/go"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Pushers, takers and workers go on without pause while the server is killed and started again, FLIN_KILL_ROUNDS times.
// Every message whose push was acknowledged must be delivered; whatever was acknowledged, rejected or taken must not be
// delivered again; nobody may get what another has leased.
func TestQueuesSurviveKills(t *testing.T) {
	const maxDeliver = 4
	seed := seeded(t)
	rng := rand.New(rand.NewPCG(seed, 12))
	rounds := int(setting(t, "FLIN_KILL_ROUNDS", 5))
	s := start(t)
	d := newDepot(maxDeliver, t.Errorf)
	st := newStorm(t, s)
	client := newClient(t, s.addrs())
	if err := createQueues(client, maxDeliver); err != nil {
		t.Fatal(err)
	}

	var pushing, working sync.WaitGroup
	push, stopPushing := context.WithCancel(context.Background())
	work, stopWorking := context.WithCancel(context.Background())
	defer func() { stopPushing(); stopWorking(); pushing.Wait(); working.Wait() }()
	for i := range 4 {
		p := newPusher(fmt.Sprintf("native%d", i), i, seed, d, st)
		pushing.Go(func() { p.natively(push, client) })
	}
	for i := range 2 {
		p := newPusher(fmt.Sprintf("pipe%d", i), 10+i, seed, d, st)
		pushing.Go(func() { p.onPipe(push) })
	}
	for i := range 6 {
		w := newWorker(fmt.Sprintf("native-worker%d", i), i, seed, d, st)
		working.Go(func() { w.natively(work, client) })
	}
	for i := range 3 {
		piped := newWorker(fmt.Sprintf("pipe-worker%d", i), 10+i, seed, d, st)
		taker := newWorker(fmt.Sprintf("native-taker%d", i), 20+i, seed, d, st)
		pipeTaker := newWorker(fmt.Sprintf("pipe-taker%d", i), 30+i, seed, d, st)
		working.Go(func() { piped.onPipe(work) })
		working.Go(func() { taker.takeNatively(work, client) })
		working.Go(func() { pipeTaker.takeOnPipe(work) })
	}

	for round := range rounds {
		time.Sleep(time.Duration(200+rng.IntN(1800)) * time.Millisecond) // the moment of the kill is the dice's
		s.strike(t, rng, wire.EngineQueue)
		for rng.IntN(3) == 0 { // a kill of a server that has hardly begun
			s.spawn()
			time.Sleep(time.Duration(rng.IntN(400)) * time.Millisecond)
			s.kill()
		}
		s.launch()
		if t.Failed() {
			t.Fatalf("in round %d", round+1)
		}
	}
	stopPushing()
	pushing.Wait()
	awaitEmpty(t, s, client, leasedQueue, takenQueue)
	stopWorking()
	working.Wait()
	s.kill()
	s.launch() // what is told now is on the disk
	countDead(t, client, d)
	d.audit(leasedQueue, takenQueue)
	d.report(t)
}

// awaitEmpty returns when the queues have no message in any state.
func awaitEmpty(t *testing.T, s *server, client *flin.Client, queues ...string) {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for _, q := range queues {
		for {
			stillRuns(t, s)
			info, err := client.Queue.Info(q)
			if err != nil && !expected(err) {
				t.Fatalf("info of %s: %v", q, err)
			}
			if err == nil && info.Ready+info.Delayed+info.Leased == 0 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("%s is not worked off: %+v, %v", q, info, err)
			}
			time.Sleep(5 * time.Millisecond) // a queue that becomes empty gives no sign
		}
	}
}

// countDead takes everything out of the dead-letter queue.
func countDead(t *testing.T, client *flin.Client, d *depot) {
	t.Helper()
	dead := leasedQueue + ".dead"
	for {
		list, err := client.Queue.LeaseBatch(dead, 1000, flin.For(time.Minute))
		if errors.Is(err, flin.ErrEmpty) {
			return
		}
		if err != nil {
			t.Fatalf("lease from %s: %v", dead, err)
		}
		for _, m := range list {
			d.died(leasedQueue, m.Body, m.Headers)
		}
		if n, err := client.Queue.AckBatch(list); err != nil || n != len(list) {
			t.Fatalf("%d of %d dead messages were acknowledged: %v", n, len(list), err)
		}
	}
}

// report says what a run has seen, and fails one that has seen nothing.
func (d *depot) report(t *testing.T) {
	t.Helper()
	d.mu.Lock()
	defer d.mu.Unlock()
	pushed, lost, leased, taken, acked, dead := 0, 0, 0, 0, 0, 0
	for _, p := range d.parcels {
		switch p.pushed {
		case done:
			pushed++
		case unknown:
			lost++
		case notDone:
		}
		dead += p.dead
		for _, h := range p.handovers {
			if h.taken {
				taken++
			} else {
				leased++
			}
			if h.verb == ack && h.fate == done {
				acked++
			}
		}
	}
	t.Logf("%d pushes acknowledged, %d without an answer; %d leases, %d of them acknowledged, %d receipts stale; %d taken, %d pops without an answer; %d dead",
		pushed, lost, leased, acked, d.stale, taken, d.lostTakes, dead)
	if pushed == 0 || acked == 0 || taken == 0 || dead == 0 {
		t.Error("some kind of thing never happened")
	}
}
