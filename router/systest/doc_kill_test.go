package systest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/clients/go"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Writers of every kind write documents without pause while the server is killed and started again, FLIN_KILL_ROUNDS times. Whatever was
// acknowledged must be there, a batch is there whole or not at all, nobody has what a unique index gave to another, and
// documents and indexes agree.
func TestDocumentsSurviveKills(t *testing.T) {
	seed := seeded(t)
	rng := rand.New(rand.NewPCG(seed, 16))
	rounds := int(setting(t, "FLIN_KILL_ROUNDS", 5))
	s := start(t)
	clients := newClients(t, s)
	client := clients[0]
	b := &bureau{storm: newStorm(t, s)}
	k := &bank{fates: map[string]outcome{}}
	if err := errors.Join(createDocIndexes(client.DB), k.open(client.DB)); err != nil {
		t.Fatal(err)
	}
	var counters []*tally
	for i := range 3 {
		counters = append(counters, &tally{key: fmt.Sprint("counter", i)})
	}
	var clerks []*clerk
	var sitters []*sitter

	var running sync.WaitGroup
	ctx, stop := context.WithCancel(context.Background())
	defer func() { stop(); running.Wait() }()
	for i := range uint64(6) {
		c := newClerk(fmt.Sprint("native", i), i, seed, b)
		clerks = append(clerks, c)
		running.Go(func() { c.natively(ctx, clients[i%uint64(len(clients))]) })
	}
	for i := range uint64(3) {
		c := newClerk(fmt.Sprint("pipe", i), 10+i, seed, b)
		clerks = append(clerks, c)
		running.Go(func() { c.onPipe(ctx, clients[i%uint64(len(clients))], s.portOf(int(i))) })
	}
	for i := range uint64(4) {
		sitting := &sitter{clerk: newClerk(fmt.Sprint("sitter", i), 20+i, seed, b)}
		sitters = append(sitters, sitting)
		running.Go(func() { sitting.natively(ctx, clients[i%uint64(len(clients))]) })
		running.Go(func() { k.transfer(ctx, b, client, fmt.Sprint("teller", i), seed+i) })
	}
	for i := range uint64(2) {
		running.Go(func() { countInDocuments(ctx, b, client, seed+i, counters) })
	}
	running.Go(func() { k.watch(ctx, b, client) })
	running.Go(func() { b.passing(ctx, client) })

	for round := range rounds {
		time.Sleep(time.Duration(200+rng.IntN(1800)) * time.Millisecond) // the moment of the kill is the dice's
		s.strike(t, rng, wire.EngineDoc)
		for rng.IntN(3) == 0 { // a kill of a server that has hardly begun
			s.spawn()
			time.Sleep(time.Duration(rng.IntN(400)) * time.Millisecond)
			s.kill()
		}
		if rng.IntN(2) == 0 && !s.stands(wire.EngineDoc) {
			verifyStopped(t, s)
		}
		s.launch()
		b.alone(func() { verifyDocuments(t, client, k, clerks, sitters, counters) })
		if t.Failed() {
			t.Fatalf("in round %d", round+1)
		}
	}
	s.kill()
	stop()
	s.launch() // whoever waits for the server comes to his end
	running.Wait()
	verifyDocuments(t, client, k, clerks, sitters, counters)
	verifySeats(t, client.DB)
	if err := s.stop(); err != nil {
		t.Errorf("the server ended with %v", err)
	}
	verifyStopped(t, s)
	reportDocuments(t, k, clerks, sitters, counters)
}

// alone calls do while nobody writes.
func (b *bureau) alone(do func()) {
	b.gate.Lock()
	defer b.gate.Unlock() // whatever becomes of the test: writers have to come to their end
	do()
}

// passing makes an index and drops it, again and again.
func (b *bureau) passing(ctx context.Context, client *flin.Client) {
	for ctx.Err() == nil {
		b.gate.RLock()
		call, cancel := context.WithTimeout(context.Background(), callTimeout)
		db := client.With(call).DB
		_, made := db.CreateIndex(papersColl, []string{"seq", "-num"}, flin.IndexName(passingIndex))
		dropped := db.DropIndex(papersColl, passingIndex)
		cancel()
		if made != nil && !expected(made) {
			b.fail("make an index: %v", made)
		}
		if dropped != nil && !expected(dropped) && !errors.Is(dropped, flin.ErrNotFound) {
			b.fail("drop an index: %v", dropped)
		}
		b.gate.RUnlock()
	}
}

// verifyDocuments compares everything that is there with what everybody knows. Nobody may be writing.
func verifyDocuments(t *testing.T, client *flin.Client, k *bank, clerks []*clerk, sitters []*sitter, counters []*tally) {
	t.Helper()
	found := map[string]map[string]flin.Document{} // by owner, then by place
	scan := func(coll string) []flin.Document {
		docs, err := client.DB.Query(coll).Exec()
		if err != nil {
			t.Fatalf("read %s: %v", coll, err)
		}
		for _, d := range docs {
			if id, _ := d["_id"].(string); strings.Contains(id, "/") {
				owner, _, _ := strings.Cut(id, "/")
				if found[owner] == nil {
					found[owner] = map[string]flin.Document{}
				}
				found[owner][place(coll, id)] = d
			}
		}
		verifyIndexes(t, client.DB, coll, docs)
		if info, err := client.DB.Stats(coll); err != nil || info.Documents != int64(len(docs)) {
			t.Errorf("%s has %d documents; of it is said %+v, %v", coll, len(docs), info, err)
		}
		return docs
	}
	scan(papersColl)
	scan(annexColl)
	taken := map[any]any{}
	for _, d := range scan(seatsColl) {
		if other, is := taken[d["seat"]]; is {
			t.Errorf("%v is the seat of %v and of %v", d["seat"], other, d["_id"])
		}
		taken[d["seat"]] = d["_id"]
	}
	k.audit(t.Errorf, scan(accountsColl), scan(journalColl))
	for _, c := range clerks {
		if err := c.folder.settle(found[c.name]); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, c := range sitters {
		if err := c.folder.settle(found[c.name]); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	for _, c := range counters {
		err := c.verify(func(key string) (int64, error) {
			doc, err := client.DB.Get(countersColl, key)
			if errors.Is(err, flin.ErrNotFound) {
				return 0, nil
			}
			n, _ := doc["n"].(int32)
			return int64(n), err
		})
		if err != nil {
			t.Error(err)
		}
	}
}

// verifySeats takes every seat: those that are somebody's are refused, and no others.
func verifySeats(t *testing.T, db *flin.DB) {
	t.Helper()
	for i := range seats {
		seat := fmt.Sprint("seat", i)
		n, err := db.Query(seatsColl).Where("seat", flin.Eq, seat).Count()
		if err != nil {
			t.Fatal(err)
		}
		_, err = db.Insert(seatsColl, flin.Document{"seat": seat})
		if taken := errors.Is(err, flin.ErrExists); taken != (n == 1) || err != nil && !taken {
			t.Errorf("%d documents have %s; to insert another one is answered %v", n, seat, err)
		}
	}
}

// reportDocuments says what a run has seen, and fails one that has seen nothing.
func reportDocuments(t *testing.T, k *bank, clerks []*clerk, sitters []*sitter, counters []*tally) {
	t.Helper()
	acked, lost, taken, transfers := 0, 0, 0, 0
	for _, c := range clerks {
		if acked, lost = acked+c.folder.writes, lost+c.folder.unknown; c.folder.writes == 0 {
			t.Errorf("%s had no write acknowledged", c.name)
		}
	}
	for _, c := range sitters {
		acked, lost, taken = acked+c.folder.writes, lost+c.folder.unknown, taken+c.taken
	}
	for _, o := range k.fates {
		if o == done {
			transfers++
		}
	}
	var counted int64
	for _, c := range counters {
		n, _ := c.bounds()
		counted += n
	}
	t.Logf("%d writes acknowledged, %d without an answer; %d seats refused; %d transfers, %d given up; %d counted", acked, lost, taken, transfers, k.conflicts, counted)
	if taken == 0 || transfers == 0 || counted == 0 {
		t.Error("some kind of thing never happened")
	}
}
