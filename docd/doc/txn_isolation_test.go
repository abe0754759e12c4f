package doc

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// n returns a number of a document that a transaction sees.
func (x *tx) n(t *testing.T, coll string, id int) int64 {
	resp := x.must(wire.OpDocFind, &wire.DocFind{Name: name(coll), Filter: js(t, fmt.Sprintf(`{"_id": %d}`, id))})
	return bsoncore.Document(resp.Body).Lookup("n").AsInt64()
}

// lost reports whether an answer says that somebody else was first. Any other failure is the test's.
func lost(t *testing.T, resp *wire.Response) bool {
	if resp.Code == wire.OK || resp.Code == wire.Conflict && resp.Sub == wire.DocWriteConflict {
		return resp.Code != wire.OK
	}
	t.Errorf("%v %d %s", resp.Code, resp.Sub, resp.Body)
	return true
}

func TestTransfersNeverChangeTheSum(t *testing.T) {
	w := worlds.New(t, nil)
	const accounts, each, tellers, transfers, readers = 10, 100, 6, 80, 3
	w.index("accounts", spec(0, "n"))
	for i := range accounts {
		w.insert("accounts", fmt.Sprintf(`{"_id": %d, "n": %d}`, i, each))
	}
	var done atomic.Bool
	var committed, conflicts, sums atomic.Int64
	transfer := func() {
		from, to, amount := rand.IntN(accounts), rand.IntN(accounts), 1+rand.Int64N(20)
		if from == to {
			return
		}
		x := w.begin()
		have := x.n(t, "accounts", from)
		if have < amount {
			x.abort()
			return
		}
		there := x.n(t, "accounts", to)
		for id, n := range map[int]int64{from: have - amount, to: there + amount} {
			resp := x.do(wire.OpDocUpdate, x.updating("accounts", fmt.Sprintf(`{"_id": %d}`, id), fmt.Sprintf(`{"$set": {"n": %d}}`, n), 0))
			if lost(t, &resp) {
				conflicts.Add(1)
				return
			}
		}
		x.insert("log", fmt.Sprintf(`{"amount": %d}`, amount))
		if resp := x.commit(); lost(t, &resp) {
			conflicts.Add(1)
		} else {
			committed.Add(1)
		}
	}
	sum := func() {
		x := w.begin()
		defer x.abort()
		var total int64
		for i := range accounts {
			total += x.n(t, "accounts", i)
		}
		// The same by another way, later: nothing may have come in between.
		got := x.aggregate("accounts", `[{"$match": {"n": {"$gte": 0}}}, {"$group": {"_id": null, "n": {"$sum": "$n"}}}]`)
		if want := fmt.Sprintf(`{"_id":null,"n":%d}`, accounts*each); total != accounts*each || len(got) != 1 || got[0] != want {
			t.Errorf("a sum of %d, and %v by an index", total, got)
		}
		sums.Add(1)
	}
	var wg, reading sync.WaitGroup
	for range tellers {
		wg.Go(func() {
			for range transfers {
				transfer()
			}
		})
	}
	for range readers {
		reading.Go(func() {
			for !done.Load() {
				sum()
			}
		})
	}
	wg.Wait()
	done.Store(true)
	reading.Wait()
	sum()
	if n := len(w.find("log", `{}`)); int64(n) != committed.Load() || n == 0 || sums.Load() < 2 {
		t.Errorf("%d transfers were committed, %d are there; %d sums", committed.Load(), n, sums.Load())
	}
	if n, held := w.txns.load(); n != 0 || held != 0 {
		t.Errorf("%d transactions hold %d bytes", n, held)
	}
	w.verify()
	t.Logf("%d transfers, %d conflicts, %d sums", committed.Load(), conflicts.Load(), sums.Load())
}

func TestNoUpdateIsLost(t *testing.T) {
	w := worlds.New(t, nil)
	const counters, workers, rounds = 3, 8, 60
	for i := range counters {
		w.insert("c", fmt.Sprintf(`{"_id": %d, "n": 0}`, i))
	}
	var committed [counters]atomic.Int64
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for range rounds {
				id := rand.IntN(counters)
				x := w.begin()
				next := x.n(t, "c", id) + 1
				resp := x.do(wire.OpDocUpdate, x.updating("c", fmt.Sprintf(`{"_id": %d}`, id), fmt.Sprintf(`{"$set": {"n": %d}}`, next), 0))
				if lost(t, &resp) {
					continue
				}
				if resp := x.commit(); !lost(t, &resp) {
					committed[id].Add(1)
				}
			}
		})
	}
	wg.Wait()
	x := w.begin()
	for i := range counters {
		if n := x.n(t, "c", i); n != committed[i].Load() || n == 0 {
			t.Errorf("counter %d is %d after %d commits", i, n, committed[i].Load())
		}
	}
	x.abort()
}
