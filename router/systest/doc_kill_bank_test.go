package systest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"

	"github.com/skshohagmiah/flin/clients/go"
)

// What many writers of the kill loop share: accounts, between which money goes by batches and transactions that each leave an entry in the journal;
// counters; seats, of which a unique index gives each to one sitter.
const (
	accountsColl = "accounts"
	journalColl  = "journal"
	countersColl = "counters"

	accounts = 12
	deposit  = 1000
	seats    = 20
)

// bank is what is known of the transfers.
type bank struct {
	mu        sync.Mutex
	fates     map[string]outcome // by the _id of the journal's entry
	conflicts int                // batches that were given up because others were always before them
}

// open makes the accounts.
func (k *bank) open(db *flin.DB) error {
	var docs []flin.Document
	for i := range accounts {
		docs = append(docs, flin.Document{"_id": int32(i), "balance": int32(deposit), "moves": int32(0)})
	}
	_, err := db.InsertMany(accountsColl, docs)
	return err
}

// transfer moves money, again and again.
func (k *bank) transfer(ctx context.Context, b *bureau, client *flin.Client, name string, seed uint64) {
	rng := rand.New(rand.NewPCG(seed, 400))
	for seq := 1; ctx.Err() == nil; seq++ {
		b.gate.RLock()
		id := fmt.Sprintf("%s/%d", name, seq)
		from := int32(rng.IntN(accounts))
		to := (from + 1 + int32(rng.IntN(accounts-1))) % accounts
		amount := int32(1 + rng.IntN(9))
		call, cancel := context.WithTimeout(context.Background(), callTimeout)
		db := client.With(call).DB
		t := transfer{id, from, to, amount}
		var err error
		if rng.IntN(2) == 0 {
			err = t.byBatch(db)
		} else {
			err = t.byTransaction(db)
		}
		cancel()
		switch {
		case errors.Is(err, errMiscounted):
			b.fail("%s: %v", name, err)
		case err != nil && !expected(err) && !errors.Is(err, flin.ErrConflict):
			b.fail("%s: transfer: %v", name, err)
		}
		k.mu.Lock()
		k.fates[id] = fate(err)
		if errors.Is(err, flin.ErrConflict) {
			k.conflicts++
		}
		k.mu.Unlock()
		b.gate.RUnlock()
	}
}

// transfer is one of money.
type transfer struct {
	id               string
	from, to, amount int32
}

var errMiscounted = errors.New("a transfer has not changed what it is to change")

func (t *transfer) entry() flin.Document {
	return flin.Document{"_id": t.id, "from": t.from, "to": t.to, "amount": t.amount}
}

func (t *transfer) byBatch(db *flin.DB) error {
	r, err := db.Batch().
		Update(db.Update(accountsColl).Where("_id", flin.Eq, t.from).Inc("balance", -t.amount).Inc("moves", 1)).
		Insert(journalColl, t.entry()).
		Update(db.Update(accountsColl).Where("_id", flin.Eq, t.to).Inc("balance", t.amount).Inc("moves", 1)).
		Exec()
	if err == nil && (r.Matched != 2 || r.Modified != 2 || r.Inserted != 1) {
		err = fmt.Errorf("%w: %+v", errMiscounted, r)
	}
	return err
}

// byTransaction reads the balances and writes what they are to be: an update that got lost would be seen.
func (t *transfer) byTransaction(db *flin.DB) error {
	return db.Transaction(func(tx *flin.DB) error {
		for id, by := range map[int32]int32{t.from: -t.amount, t.to: t.amount} {
			account, err := tx.Get(accountsColl, id)
			if err != nil {
				return err
			}
			balance, moves := account["balance"].(int32)+by, account["moves"].(int32)+1
			r, err := tx.Update(accountsColl).Where("_id", flin.Eq, id).Set("balance", balance).Set("moves", moves).Exec()
			if err != nil {
				return err
			}
			if r.Modified != 1 {
				return fmt.Errorf("%w: %+v", errMiscounted, r)
			}
		}
		_, err := tx.Insert(journalColl, t.entry())
		return err
	})
}

// watch adds up the accounts while money goes to and fro.
func (k *bank) watch(ctx context.Context, b *bureau, client *flin.Client) {
	pipeline := []flin.Document{{"$group": flin.Document{"_id": nil, "sum": flin.Document{"$sum": "$balance"}}}}
	for ctx.Err() == nil {
		call, cancel := context.WithTimeout(context.Background(), callTimeout)
		for sum, err := range client.With(call).DB.Aggregate(accountsColl, pipeline) {
			if err == nil && sum["sum"] != int32(accounts*deposit) {
				b.fail("somebody saw accounts with %v in all, not %d", sum["sum"], accounts*deposit)
			} else if err != nil && !expected(err) {
				b.fail("add the accounts up: %v", err)
			}
		}
		cancel()
	}
}

// audit compares the accounts with the journal, and the journal with what was acknowledged. Nobody may be writing.
func (k *bank) audit(fail func(format string, args ...any), balances, journal []flin.Document) {
	k.mu.Lock()
	defer k.mu.Unlock()
	want, moves := map[int32]int32{}, map[int32]int32{}
	there := map[string]bool{}
	for _, entry := range journal {
		id, _ := entry["_id"].(string)
		there[id] = true
		if o, known := k.fates[id]; !known || o == notDone {
			fail("the journal has the transfer %s, which was refused or never made", id)
		}
		from, to, amount := entry["from"].(int32), entry["to"].(int32), entry["amount"].(int32)
		want[from], want[to] = want[from]-amount, want[to]+amount
		moves[from], moves[to] = moves[from]+1, moves[to]+1
	}
	for id, o := range k.fates {
		if o == done && !there[id] {
			fail("the transfer %s was acknowledged and is not in the journal", id)
		}
		if o == unknown { // it is known now
			if k.fates[id] = notDone; there[id] {
				k.fates[id] = done
			}
		}
	}
	if len(balances) != accounts {
		fail("there are %d accounts, not %d", len(balances), accounts)
	}
	for _, a := range balances {
		n := a["_id"].(int32)
		if a["balance"] != deposit+want[n] || a["moves"] != moves[n] {
			fail("account %d has %v after %v moves; the journal says %d after %d", n, a["balance"], a["moves"], deposit+want[n], moves[n])
		}
	}
}

// countInDocuments adds to counters, each a document that is changed and returned at one moment.
func countInDocuments(ctx context.Context, b *bureau, client *flin.Client, seed uint64, counters []*tally) {
	rng := rand.New(rand.NewPCG(seed, 401))
	for ctx.Err() == nil {
		b.gate.RLock()
		c := counters[rng.IntN(len(counters))]
		c.begin()
		call, cancel := context.WithTimeout(context.Background(), callTimeout)
		doc, err := client.With(call).DB.Update(countersColl).Where("_id", flin.Eq, c.key).Inc("n", 1).Upsert().ReturnNew().FindAndModify()
		cancel()
		n, _ := doc["n"].(int32)
		if err != nil && !expected(err) {
			b.fail("count %s: %v", c.key, err)
		}
		c.end(fate(err), int64(n))
		b.gate.RUnlock()
	}
}

// sitter takes seats, changes them and leaves them.
type sitter struct {
	*clerk
	taken int // times that a seat was somebody else's
}

func (s *sitter) natively(ctx context.Context, client *flin.Client) {
	for ctx.Err() == nil {
		s.gate.RLock()
		if len(s.folder.pending) == 0 || s.looksUp(ctx, client) {
			err := makes(client, s.folder, s.next())
			if errors.Is(err, flin.ErrExists) {
				s.folder.refused()
				s.taken++
			} else if err != nil && !expected(err) {
				s.fail("%s: %v", s.name, err)
			}
		}
		s.gate.RUnlock()
	}
}

// next makes up a request for a seat.
func (s *sitter) next() order {
	id := s.id(s.rng.IntN(4))
	at := place(seatsColl, id)
	seat := fmt.Sprint("seat", s.rng.IntN(seats))
	doc := s.folder.acked[at]
	switch {
	case doc == nil:
		fresh := flin.Document{"_id": id, "by": s.name, "seat": seat}
		return order{filing: filing{leaves: map[string]flin.Document{at: fresh}}, ask: func(db *flin.DB) error { _, err := db.Insert(seatsColl, fresh); return err }}
	case s.rng.IntN(2) == 0:
		return order{filing: filing{leaves: map[string]flin.Document{at: nil}}, ask: func(db *flin.DB) error {
			r, err := db.Delete(seatsColl).Where("seat", flin.Eq, doc["seat"]).Where("by", flin.Eq, s.name).Exec()
			return counts("leave a seat", err, r, flin.DeleteResult{Deleted: 1})
		}}
	}
	want := flin.UpdateResult{Matched: 1, Modified: 1}
	if doc["seat"] == seat {
		want.Modified = 0
	}
	moved := flin.Document{"_id": id, "by": s.name, "seat": seat}
	return order{filing: filing{leaves: map[string]flin.Document{at: moved}}, ask: func(db *flin.DB) error {
		r, err := db.Update(seatsColl).Where("seat", flin.Eq, doc["seat"]).Set("seat", seat).Exec()
		return counts("change a seat", err, r, want)
	}}
}

// looksUp looks at the seats of a sitter whose last request had no answer.
func (s *sitter) looksUp(ctx context.Context, client *flin.Client) bool {
	return again(ctx, func() error {
		docs, err := client.DB.Query(seatsColl).Where("by", flin.Eq, s.name).Exec()
		if err != nil {
			return err
		}
		found := map[string]flin.Document{}
		for _, doc := range docs {
			found[place(seatsColl, doc["_id"].(string))] = doc
		}
		if err := s.folder.settle(found); err != nil {
			s.fail("%s: %v", s.name, err)
		}
		return nil
	})
}
