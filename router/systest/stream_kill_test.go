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

// Authors of every kind publish, and members of a group of every kind read, while the server is killed and started again,
// FLIN_KILL_ROUNDS times. No record whose publish was acknowledged may be missing, none may be there twice or in the wrong place; each
// comes to the group, and none that was committed comes again.
func TestStreamsSurviveKills(t *testing.T) {
	seed := seeded(t)
	rng := rand.New(rand.NewPCG(seed, 15))
	rounds := int(setting(t, "FLIN_KILL_ROUNDS", 5))
	s := start(t)
	a := newAnnals(killPartitions, t.Errorf)
	st := newStorm(t, s)
	client := newClient(t, s.addrs())
	if err := createKillTopic(client); err != nil {
		t.Fatal(err)
	}

	var publishing, consuming sync.WaitGroup
	publish, stopPublishing := context.WithCancel(context.Background())
	consume, stopConsuming := context.WithCancel(context.Background())
	defer func() { stopPublishing(); stopConsuming(); publishing.Wait(); consuming.Wait() }()
	for i := range 4 {
		p := newPublisher(fmt.Sprintf("native%d", i), i, seed, a, st)
		publishing.Go(func() { p.natively(publish, client) })
	}
	for i := range 2 {
		piped := newPublisher(fmt.Sprintf("pipe%d", i), 10+i, seed, a, st)
		publishing.Go(func() { piped.onPipe(publish) })
	}
	for i, opts := range [][]flin.ProducerOption{nil, {flin.Linger(2 * time.Millisecond), flin.Compression(flin.LZ4)}, {flin.MaxBatch(4 << 10)}} {
		p := newPublisher(fmt.Sprintf("producer%d", i), 20+i, seed, a, st)
		publishing.Go(func() { p.produce(publish, client, opts...) })
	}
	for i := range 3 {
		// A client commits for whichever of its members has consumed a partition last: those that are to be told apart have
		// one each, as programs do.
		m, own := newReading(fmt.Sprintf("member%d", i), i, seed, a, st), newClient(t, s.addrs())
		consuming.Go(func() { m.natively(consume, own) })
	}
	for i := range 2 {
		m, own := newReading(fmt.Sprintf("reader%d", i), 10+i, seed, a, st), newClient(t, s.addrs())
		consuming.Go(func() { m.asReader(consume, own) })
	}
	piped := newReading("pipe-member", 20, seed, a, st)
	consuming.Go(func() { piped.onPipe(consume) })
	consuming.Go(func() { a.watch(consume, client) })

	for round := range rounds {
		time.Sleep(time.Duration(200+rng.IntN(1800)) * time.Millisecond) // the moment of the kill is the dice's
		s.strike(t, rng, wire.EngineStream)
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
	stopPublishing()
	publishing.Wait()
	awaitRead(t, s, client, a)
	stopConsuming()
	consuming.Wait()
	s.kill()
	s.launch() // what is told now is on the disk
	au := a.newAudit()
	readLog(t, client, au.visit)
	au.end()
	a.report(t)
}

// watch looks up what is committed, again and again: it never goes back.
func (a *annals) watch(ctx context.Context, client *flin.Client) {
	for ctx.Err() == nil {
		floors := a.asks()
		call, cancel := context.WithTimeout(ctx, callTimeout)
		info, err := client.With(call).Stream.Group(killGroup)
		cancel()
		switch {
		case err == nil:
			for _, p := range info.Partitions {
				a.lookedUp(p.Partition, max(p.Committed, 0), floors)
			}
		case !expected(err) && !errors.Is(err, flin.ErrNotFound) && ctx.Err() == nil:
			a.fail("look at the group: %v", err)
		}
		time.Sleep(5 * time.Millisecond) // offsets give no sign
	}
}

// awaitRead returns when everything has come to the group and is committed.
func awaitRead(t *testing.T, s *server, client *flin.Client, a *annals) {
	t.Helper()
	deadline := time.Now().Add(2 * time.Minute)
	for {
		stillRuns(t, s)
		lag, err := client.Stream.Lag(killTopic, killGroup)
		if err != nil && !expected(err) {
			t.Fatalf("lag: %v", err)
		}
		if err == nil && lag == 0 && a.allCame() {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the group does not come to its end: lag %d, %v, everything came: %v", lag, err, a.allCame())
		}
		time.Sleep(5 * time.Millisecond) // a group that has come to its end gives no sign
	}
}

// readLog reads all partitions of the topic from their start to their end.
func readLog(t *testing.T, client *flin.Client, visit func(partition int, r *flin.Record)) {
	t.Helper()
	info, err := client.Stream.Topic(killTopic)
	if err != nil {
		t.Fatal(err)
	}
	for p := range info.Partitions {
		for next, end := int64(0), info.Partitions[p].End; next < end; {
			list, err := client.Stream.Fetch(killTopic, p, next, flin.MaxBytes(8<<20))
			if err != nil || len(list) == 0 {
				t.Fatalf("fetch from offset %d of partition %d, which ends at %d: %d records, %v", next, p, end, len(list), err)
			}
			for i := range list {
				visit(p, &list[i])
			}
			next += int64(len(list))
		}
	}
}
