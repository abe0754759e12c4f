package systest

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/skshohagmiah/flin/clients/go"
)

// Of many who ask for a key at the same time, by inserts, updates, upserts and batches, one gets it.
func TestAUniqueKeyIsGivenOnce(t *testing.T) {
	const askers, keys = 16, 60
	s := start(t)
	client := newClient(t, s.addrs())
	db := client.DB
	if _, err := db.CreateIndex("c", []string{"key"}, flin.Unique(), flin.Partial(flin.Where("key", flin.Exists, true))); err != nil {
		t.Fatal(err)
	}
	for i := range askers {
		for k := range keys {
			if _, err := db.Insert("c", flin.Document{"_id": fmt.Sprintf("spare/%d/%d", i, k)}); err != nil {
				t.Fatal(err)
			}
		}
	}
	won := make([]atomic.Int32, keys)
	var running sync.WaitGroup
	for i := range askers {
		running.Go(func() {
			for k := range keys {
				id, spare := fmt.Sprintf("%d/%d", i, k), fmt.Sprintf("spare/%d/%d", i, k)
				var err error
				switch i % 4 {
				case 0:
					_, err = db.Insert("c", flin.Document{"_id": id, "key": k})
				case 1:
					_, err = db.Update("c").Where("_id", flin.Eq, spare).Set("key", k).Exec()
				case 2:
					_, err = db.Update("c").Where("_id", flin.Eq, id).Upsert().Set("key", k).Exec()
				case 3:
					_, err = db.Batch().Insert("won", flin.Document{"_id": id}).Update(db.Update("c").Where("_id", flin.Eq, spare).Set("key", k)).Exec()
				}
				if err == nil {
					won[k].Add(1)
				} else if e, ok := errors.AsType[*flin.Error](err); !ok || e.Sub != 11000 {
					t.Errorf("key %d: %v", k, err)
				}
			}
		})
	}
	running.Wait()
	for k := range keys {
		n, err := db.Query("c").Where("key", flin.Eq, k).Count()
		if got := won[k].Load(); err != nil || got != 1 || n != 1 {
			t.Errorf("key %d was given to %d, and %d have it: %v", k, got, n, err)
		}
	}
	byBatch, err := db.Query("won").Exec()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range byBatch { // the other half of the batch is there as well
		if n, err := db.Query("c").Where("_id", flin.Eq, fmt.Sprint("spare/", d["_id"])).Where("key", flin.Exists, true).Count(); err != nil || n != 1 {
			t.Errorf("of the batch of %v half is there: %v", d["_id"], err)
		}
	}
	docs, err := db.Query("c").Exec()
	if err != nil {
		t.Fatal(err)
	}
	held := 0
	for _, d := range docs {
		if d["key"] != nil {
			held++
		}
	}
	if held != keys {
		t.Errorf("%d documents have keys, not %d", held, keys)
	}
}

// A unique index that is built while duplicates are written either refuses them or is not made; never does it exist beside them.
func TestAUniqueIndexIsNotBuiltOverDuplicates(t *testing.T) {
	s := start(t)
	client := newClient(t, s.addrs())
	made, refused := 0, 0
	for round := range 12 {
		db, coll := client.DB, fmt.Sprint("c", round)
		var docs []flin.Document
		for i := range 2000 {
			docs = append(docs, flin.Document{"_id": int32(i), "key": int32(i)})
		}
		if _, err := db.InsertMany(coll, docs); err != nil {
			t.Fatal(err)
		}
		var running sync.WaitGroup
		for w := range 2 {
			running.Go(func() {
				for i := range 10 {
					key := i * 190 // that of one who is there
					switch round % 3 {
					case 1:
						key += 2000 // the other writer's
					case 2:
						key += 2000 * (w + 1) // nobody's
					}
					_, err := db.Insert(coll, flin.Document{"_id": fmt.Sprintf("%d/%d", w, i), "key": int32(key)})
					if err != nil && (!errors.Is(err, flin.ErrExists) || round%3 == 2) {
						t.Errorf("insert: %v", err)
					}
				}
			})
		}
		_, err := db.CreateIndex(coll, []string{"key"}, flin.Unique())
		running.Wait()
		n := 0
		for doc, err := range db.Aggregate(coll, []flin.Document{
			{"$group": flin.Document{"_id": "$key", "n": flin.Document{"$sum": 1}}}, {"$match": flin.Document{"n": flin.Document{"$gt": 1}}}, {"$count": "n"},
		}) {
			if err != nil {
				t.Fatal(err)
			}
			n = int(doc["n"].(int32))
		}
		switch {
		case err == nil && n > 0:
			t.Errorf("round %d: the index is there, and so are %d keys that two documents have", round, n)
		case err == nil:
			made++
		case errors.Is(err, flin.ErrExists) && round%3 != 2:
			refused++
		default:
			t.Errorf("round %d: %v", round, err)
		}
	}
	t.Logf("%d indexes were made, %d refused", made, refused)
	if made == 0 || refused == 0 {
		t.Error("one of them never happened")
	}
	s.kill()
	verifyStopped(t, s)
}
