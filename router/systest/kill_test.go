package systest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/clients/go"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// setting returns an environment variable's number, or fallback.
func setting(t testing.TB, name string, fallback int64) int64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return fallback
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		t.Fatalf("%s=%q is not a number", name, text)
	}
	return n
}

// seeded returns the seed of a test that throws dice, and says how to throw them again.
func seeded(t testing.TB) uint64 {
	t.Helper()
	seed := uint64(setting(t, "FLIN_SEED", time.Now().UnixNano()&0xFFFFFFFF))
	t.Logf("FLIN_SEED=%d throws the same dice", seed)
	return seed
}

// Writers of every kind write without pause while the server is killed and started again, FLIN_KILL_ROUNDS times.
// Nothing that was acknowledged may be missing or undone, and nothing may be there by half.
func TestWhatWasAcknowledgedSurvivesKills(t *testing.T) {
	stormTest(t, int(setting(t, "FLIN_KILL_ROUNDS", 5)), func(*testing.T, *server) {})
}

// The same, on a store full of what was deleted, which is being rebuilt to shed it whenever it runs for a while: none of
// that may come back.
func TestWhatWasAcknowledgedSurvivesKillsDuringRebuilds(t *testing.T) {
	inOneProcess(t)
	const batches, batch = 30, 10_000
	mown := ""
	stormTest(t, int(setting(t, "FLIN_KILL_ROUNDS", 5)+3)/4, func(t *testing.T, s *server) {
		p, err := dialPipe(s.port)
		if err != nil {
			t.Fatal(err)
		}
		defer p.close()
		if v, err := p.do("SELECT", "15"); v != "OK" {
			t.Fatal(err)
		}
		if mown != "" {
			if v, err := p.do("DBSIZE"); v != int64(0) {
				t.Errorf("%v deleted keys are back: %v", v, err)
			}
			if v, err := p.do("EXISTS", mown); v != int64(0) {
				t.Errorf("the deleted key %s is back: %v, %v", mown, v, err)
			}
			return
		}
		names := func(b int) (keys []string) {
			for i := range batch {
				mown = fmt.Sprintf("mown/%d/%d", b, i)
				keys = append(keys, mown)
			}
			return keys
		}
		for b := range batches {
			set := []string{"MSET"}
			for _, key := range names(b) {
				set = append(set, key, "grass")
			}
			if v, err := p.do(set...); v != "OK" {
				t.Fatal(v, err)
			}
		}
		// By now the first of them have been flushed: what goes leaves a tombstone.
		for b := range batches {
			if v, err := p.do(append([]string{"DEL"}, names(b)...)...); v != int64(batch) {
				t.Fatal(v, err)
			}
		}
	})
}

// A server that is killed while it makes its data directory finds its way at the next start, wherever it was.
func TestKillsDuringTheFirstStart(t *testing.T) {
	inOneProcess(t)
	rng := rand.New(rand.NewPCG(seeded(t), 11))
	for range 2 * setting(t, "FLIN_KILL_ROUNDS", 5) {
		s := newServer(t, "flin-server", filepath.Join(t.TempDir(), "data"))
		for range 1 + rng.IntN(3) {
			s.spawn()
			time.Sleep(time.Duration(rng.IntN(120)) * time.Millisecond) // the dice's moment
			s.kill()
		}
		s.launch()
		stillServes(t, s)
		s.kill()
	}
}

// stormTest is one run of the kill loop. tend is called before it and whenever a server serves that has been killed.
func stormTest(t *testing.T, rounds int, tend func(t *testing.T, s *server)) {
	seed := seeded(t)
	rng := rand.New(rand.NewPCG(seed, 0))
	s := start(t)
	st := newStorm(t, s)
	clients := newClients(t, s)
	client := clients[0]
	tend(t, s)

	var (
		writers  []*writer
		counters []*tally
		chains   []*chain
		running  sync.WaitGroup
	)
	for i := range 3 {
		counters = append(counters, &tally{key: fmt.Sprintf("counter/%d", i)})
		chains = append(chains, newChain(fmt.Sprintf("chain/%d", i)))
	}
	ctx, stop := context.WithCancel(context.Background())
	defer func() { stop(); running.Wait() }()
	for i := range 6 {
		w := &pipeWriter{writer: newWriter(fmt.Sprintf("pipe%d", i), 1+i, seed), storm: st, depth: 1 + 8*i}
		if st.far {
			w.far()
		}
		writers = append(writers, w.writer)
		running.Go(func() { w.run(ctx) })
	}
	for i := range 8 {
		w := &nativeWriter{writer: newWriter(fmt.Sprintf("native%d", i), 7+i, seed), storm: st, client: clients[i%len(clients)]}
		writers = append(writers, w.writer)
		running.Go(func() { w.run(ctx) })
	}
	for i := range 2 {
		n := uint64(i)
		running.Go(func() { st.countOnPipe(ctx, fmt.Sprintf("pipe-count%d", i), seed+n, counters) })
		running.Go(func() { st.chainOnPipe(ctx, fmt.Sprintf("pipe-chain%d", i), seed+n, chains) })
		running.Go(func() { st.countNatively(ctx, client, fmt.Sprintf("native-count%d", i), seed+n, counters) })
		running.Go(func() { st.chainNatively(ctx, client, fmt.Sprintf("native-chain%d", i), seed+n, chains) })
	}
	running.Go(func() { st.glance(ctx, seed, writers) })

	for round := range rounds {
		time.Sleep(time.Duration(200+rng.IntN(1800)) * time.Millisecond) // the moment of the kill is the dice's
		s.strike(t, rng, wire.EngineKV)
		for rng.IntN(3) == 0 { // a kill of a server that has hardly begun
			s.spawn()
			time.Sleep(time.Duration(rng.IntN(400)) * time.Millisecond)
			s.kill()
		}
		s.launch()
		verifyShared(t, s.port, counters, chains)
		tend(t, s)
		if t.Failed() {
			t.Fatalf("in round %d", round+1)
		}
	}
	s.kill()
	stop()
	s.launch() // whoever waits for the server comes to his end
	running.Wait()
	verifyShared(t, s.port, counters, chains)
	verifyWriters(t, s.port, writers)
	report(t, writers, counters, chains)
}

// verifyShared checks counters and chains, which may be in use.
func verifyShared(t *testing.T, addr string, counters []*tally, chains []*chain) {
	t.Helper()
	p, err := dialPipe(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	read := func(key string) (string, error) {
		v, err := p.do("GET", key)
		b, _ := v.([]byte)
		return string(b), err
	}
	for _, c := range counters {
		err := c.verify(func(key string) (int64, error) {
			text, err := read(key)
			if err != nil || text == "" {
				return 0, err
			}
			return strconv.ParseInt(text, 10, 64)
		})
		if err != nil {
			t.Error(err)
		}
	}
	for _, c := range chains {
		if err := c.verify(read); err != nil {
			t.Error(err)
		}
	}
}

// verifyWriters checks what the writers, who have all stopped, know of their keys: what was written by RESP is read
// natively and the other way round.
func verifyWriters(t *testing.T, addr string, writers []*writer) {
	t.Helper()
	client := newClient(t, addr)
	p, err := dialPipe(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	for _, w := range writers {
		var found map[string]observed
		if w.name[0] == 'p' {
			found, err = readNatively(client, w.db, w.ledger.keys())
		} else {
			found, err = readKeys(p, w.db, w.ledger.keys())
		}
		if err != nil {
			t.Fatalf("%s: %v", w.name, err)
		}
		if err := w.ledger.settle(found); err != nil {
			t.Errorf("%s: at the end: %v", w.name, err)
		}
		verifyScan(t, client, w)
	}
}

// verifyScan checks that a scan of a writer's database finds what is there, in order, and nothing else.
func verifyScan(t *testing.T, client *flin.Client, w *writer) {
	t.Helper()
	seen, last := map[string]bool{}, ""
	for e, err := range client.KV.Database(w.db).Scan("") {
		if err != nil {
			t.Fatalf("%s: scan: %v", w.name, err)
		}
		if e.Key <= last {
			t.Errorf("%s: a scan gives %s after %s", w.name, e.Key, last)
		}
		last = e.Key
		s, known := w.ledger.acked[e.Key]
		o := observed{value: e.Value, after: time.Now().UnixMilli()} // when the page was read is not known
		if !e.Expires.IsZero() {
			o.expires = e.Expires.UnixMilli()
		}
		if !known {
			t.Errorf("%s: a scan gives %s, which was never written", w.name, e.Key)
		} else if why := s.matches(e.Key, o); why != "" {
			t.Errorf("%s: a scan gives %s: %s", w.name, e.Key, why)
		}
		seen[e.Key] = true
	}
	for key, s := range w.ledger.acked {
		if s.seq != 0 && (s.ttl == 0 || s.ttl == 3_600_000) && !seen[key] {
			t.Errorf("%s: a scan passes over %s", w.name, key)
		}
	}
}

func report(t *testing.T, writers []*writer, counters []*tally, chains []*chain) {
	t.Helper()
	var acked, lost int
	for _, w := range writers {
		acked, lost = acked+w.ledger.writes, lost+w.ledger.unknown
		if w.ledger.writes == 0 {
			t.Errorf("%s had no write acknowledged", w.name)
		}
	}
	var increments int64
	for _, c := range counters {
		n, _ := c.bounds()
		increments += n
	}
	steps := 0
	for _, c := range chains {
		steps += c.acknowledged()
	}
	t.Logf("%d writes acknowledged, %d without an answer; %d increments, %d steps of chains", acked, lost, increments, steps)
	if increments == 0 || steps == 0 {
		t.Error("counters and chains did not move")
	}
}

// newClients returns a native client for each port of the server, each of which stays there (see storm.addr).
func newClients(t testing.TB, s *server) (all []*flin.Client) {
	t.Helper()
	for _, port := range s.ports() {
		all = append(all, newClient(t, port))
	}
	return all
}

// newClient returns a native client that is closed with the test.
func newClient(t testing.TB, addr string) *flin.Client {
	t.Helper()
	client, err := flin.NewClient(flin.DefaultOptions(addr))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("close the client: %v", err)
		}
	})
	return client
}
