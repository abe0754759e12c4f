package systest

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/skshohagmiah/flin/clients/go"
)

// purse is an account of those who pay each other.
type purse struct {
	ID    int   `bson:"_id"`
	Coins int64 `bson:"coins"`
}

// Many pay each other, each in a transaction of the client; whoever counts in a transaction always counts the same.
func TestTransactionsOfTheClientAreIsolated(t *testing.T) {
	s := start(t)
	db := newClient(t, s.addrs()).DB
	const owners, each, payers, payments = 10, 50, 8, 40
	purses := flin.CollectionOf[purse](db, "purses")
	for i := range owners {
		if _, err := purses.Insert(purse{ID: i, Coins: each}); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.CreateIndex("purses", []string{"coins"}); err != nil {
		t.Fatal(err)
	}
	errBroke := errors.New("not enough")
	pay := func(from, to int, coins int64) error {
		return db.Transaction(func(tx *flin.DB) error {
			mine := flin.CollectionOf[purse](tx, "purses")
			have, err := mine.Get(from)
			if err != nil {
				return err
			}
			if have.Coins < coins {
				return errBroke
			}
			have.Coins -= coins
			if err := mine.Replace(from, have); err != nil {
				return err
			}
			if _, err := mine.Update().Where("_id", flin.Eq, to).Inc("coins", coins).Exec(); err != nil {
				return err
			}
			_, err = tx.Database("audit").Insert("payments", flin.Document{"from": from, "to": to, "coins": coins})
			return err
		})
	}
	count := func() error {
		return db.Transaction(func(tx *flin.DB) error {
			var sum int64
			for p, err := range flin.CollectionOf[purse](tx, "purses").Query().OrderBy("coins", flin.Desc).Iter() {
				if err != nil {
					return err
				}
				sum += p.Coins
			}
			for total, err := range tx.Aggregate("purses", []flin.D{{{Key: "$group", Value: flin.D{{Key: "_id", Value: nil}, {Key: "coins", Value: flin.D{{Key: "$sum", Value: "$coins"}}}}}}}) {
				if err != nil {
					return err
				}
				if sum != owners*each || fmt.Sprint(total["coins"]) != fmt.Sprint(sum) {
					t.Errorf("%d coins by a query, %v by an aggregation", sum, total["coins"])
				}
			}
			return nil
		})
	}
	var paid atomic.Int64
	var done atomic.Bool
	var paying, counting sync.WaitGroup
	for range payers {
		paying.Go(func() {
			for range payments {
				from := rand.IntN(owners)
				switch err := pay(from, (from+1+rand.IntN(owners-1))%owners, 1+rand.Int64N(20)); {
				case err == nil:
					paid.Add(1)
				case !errors.Is(err, errBroke):
					t.Error(err)
				}
			}
		})
	}
	counting.Go(func() {
		for !done.Load() {
			if err := count(); err != nil {
				t.Error(err)
			}
		}
	})
	paying.Wait()
	done.Store(true)
	counting.Wait()
	if err := count(); err != nil {
		t.Error(err)
	}
	if n, err := newClient(t, s.addrs()).Database("audit").Query("payments").Count(); err != nil || n != paid.Load() || n == 0 {
		t.Errorf("%d payments were made, %d are there, %v", paid.Load(), n, err)
	}
}

// What a transaction has read and written stays its own, however much it is, until it has come to its end.
func TestATransactionOfTheClientReadsItsOwnCursors(t *testing.T) {
	s := start(t)
	db := newClient(t, s.addrs()).DB
	const n = 3000
	docs := make([]flin.Document, n)
	for i := range docs {
		docs[i] = flin.Document{"_id": i, "n": i % 7}
	}
	if _, err := db.InsertMany("c", docs); err != nil {
		t.Fatal(err)
	}
	err := db.Transaction(func(tx *flin.DB) error {
		seen := 0
		for doc, err := range tx.Query("c").Batch(100).Iter() {
			if err != nil {
				return err
			}
			if seen++; seen%500 == 0 { // others write, and so does it
				if _, err := db.Insert("c", flin.Document{"n": 8}); err != nil {
					return err
				}
				if _, err := tx.Update("c").Where("_id", flin.Eq, doc["_id"]).Set("seen", true).Exec(); err != nil {
					return err
				}
			}
		}
		marked, err := tx.Query("c").Where("seen", flin.Eq, true).Count()
		if err != nil || seen != n || marked != n/500 {
			t.Errorf("%d documents seen, %d marked, %v", seen, marked, err)
		}
		outside, err := db.Query("c").Where("seen", flin.Eq, true).Count()
		if err != nil || outside != 0 {
			t.Errorf("%d marked documents are seen by others, %v", outside, err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if marked, err := db.Query("c").Where("seen", flin.Eq, true).Count(); err != nil || marked != n/500 {
		t.Errorf("%d documents are marked, %v", marked, err)
	}
}
