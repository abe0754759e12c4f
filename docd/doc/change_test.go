package doc

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestConcurrentUpdatesByFilterAreAllCounted(t *testing.T) {
	w := worlds.New(t, nil)
	w.numbered("c", 100)
	w.index("c", spec(0, "a"))
	const writers, rounds = 8, 20
	var matched atomic.Int64
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for range rounds {
				m := w.update("c", `{"a": {"$gte": 50}}`, `{"$inc": {"n": 1, "a": 1}}`, wire.DocMulti)
				if m.Matched != m.Modified {
					t.Errorf("%+v", m)
				}
				matched.Add(int64(m.Modified))
			}
		})
	}
	wg.Wait()
	resp := w.Must(wire.OpDocAggregate, &wire.DocAggregate{Name: name("c"), Pipeline: js(t, `[{"$group": {"_id": null, "n": {"$sum": "$n"}}}]`)})
	if got, want := texts(t, resp.Body)[0], fmt.Sprintf(`{"_id":null,"n":%d}`, matched.Load()); got != want || matched.Load() != writers*rounds*51 {
		t.Errorf("got %s, want %s", got, want)
	}
	w.verify()
}

func TestAJobIsTakenByOne(t *testing.T) {
	w := worlds.New(t, nil)
	const jobs, workers = 300, 16
	w.numbered("c", jobs)
	w.update("c", `{}`, `{"$set": {"state": "new"}}`, wire.DocMulti)
	w.index("c", spec(0, "state", "a"))
	var mu sync.Mutex
	taken := map[string]int{}
	var wg sync.WaitGroup
	for i := range workers {
		wg.Go(func() {
			for {
				if i%2 == 0 {
					resp := w.Must(wire.OpDocModify, &wire.DocUpdate{
						Name: name("c"), Flags: wire.DocReturnNew, Filter: js(t, `{"state": "new"}`), Update: js(t, `{"$set": {"state": "taken"}, "$inc": {"times": 1}}`),
						Sort: js(t, `{"a": 1}`), Project: js(t, `{"_id": 1, "times": 1}`),
					})
					var m wire.DocModified
					if err := m.Decode(resp.Body); err != nil {
						t.Error(err)
					}
					if len(m.Doc) == 0 {
						return
					}
					mu.Lock()
					taken[text(t, m.Doc)]++
					mu.Unlock()
				} else if m := w.update("c", `{"state": "new"}`, `{"$set": {"state": "taken"}, "$inc": {"times": 1}}`, 0); m.Modified == 0 {
					return
				}
			}
		})
	}
	wg.Wait()
	for d, n := range taken {
		if n != 1 || !strings.Contains(d, `"times":1`) {
			t.Errorf("%s was taken %d times", d, n)
		}
	}
	if got := w.find("c", `{"times": {"$ne": 1}}`); len(got) != 0 {
		t.Errorf("not taken once: %v", got)
	}
	w.verify()
}

func TestAUniqueIndexHoldsUnderConcurrency(t *testing.T) {
	w := worlds.New(t, nil)
	w.index("c", spec(wire.DocIndexUnique, "u"))
	var inserted atomic.Int64
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			for k := range 50 {
				switch i % 3 {
				case 0:
					inserted.Add(int64(w.insert("c", fmt.Sprintf(`{"u": %d}`, k)).Inserted))
				case 1: // one that finds it in the end updates it
					m := w.update("c", fmt.Sprintf(`{"u": %d}`, k), `{"$inc": {"n": 1}}`, wire.DocUpsert)
					inserted.Add(int64(len(m.IDs)))
				case 2:
					resp := w.Do(wire.OpDocWrite, &wire.DocWrite{Writes: []wire.DocWriteOp{
						{Op: wire.OpDocInsert, DocUpdate: wire.DocUpdate{Name: name("c"), Update: js(t, fmt.Sprintf(`{"u": %d}`, k))}},
						{Op: wire.OpDocInsert, DocUpdate: wire.DocUpdate{Name: name("other"), Update: js(t, `{"x": 1}`)}},
					}}, 0)
					if resp.Code == wire.OK {
						inserted.Add(1)
					} else if resp.Code != wire.Exists || resp.Sub != 11000 {
						t.Errorf("%v %s", resp.Code, resp.Body)
					}
				}
			}
		})
	}
	wg.Wait()
	if n := w.Must(wire.OpDocCount, &wire.DocFind{Name: name("c")}).Num; n != 50 || inserted.Load() != 50 {
		t.Errorf("%d documents, %d inserted", n, inserted.Load())
	}
	same(t, "by the index", w.all(&wire.DocFind{Name: name("c"), Filter: js(t, `{"u": 7}`), Project: js(t, `{"_id": 0, "u": 1}`)}), `{"u":7}`)
	w.verify()
}

func TestABatchOfWritesIsAllOrNothing(t *testing.T) {
	w := worlds.New(t, nil)
	w.insert("c", `{"_id": 1, "n": 1}`, `{"_id": 2, "n": 2}`)
	op := func(op wire.Op, flags wire.DocWriteFlags, filter, update string) wire.DocWriteOp {
		return wire.DocWriteOp{Op: op, DocUpdate: wire.DocUpdate{Name: name("c"), Flags: flags, Filter: js(t, filter), Update: js(t, update)}}
	}
	resp := w.Must(wire.OpDocWrite, &wire.DocWrite{Writes: []wire.DocWriteOp{
		op(wire.OpDocInsert, 0, ``, `{"_id": 3, "n": 3}`),
		op(wire.OpDocUpdate, wire.DocMulti, `{"n": {"$gte": 2}}`, `{"$inc": {"n": 10}}`), // finds what was inserted
		op(wire.OpDocUpdate, 0, `{"n": 12}`, `{"$set": {"x": 1}}`),                       // and what was updated
		op(wire.OpDocDelete, 0, `{"_id": 1}`, ``),
		op(wire.OpDocUpdate, wire.DocUpsert, `{"_id": 9}`, `{"$set": {"y": 1}}`),
		op(wire.OpDocInsert, 0, ``, `{"_id": 1, "again": true}`),
	}})
	if m := result(t, &resp); m.Inserted != 2 || m.Matched != 3 || m.Modified != 3 || m.Deleted != 1 || len(m.IDs) != 1 {
		t.Errorf("%+v", m)
	}
	want := []string{`{"_id":1,"again":true}`, `{"_id":2,"n":12,"x":1}`, `{"_id":3,"n":13}`, `{"_id":9,"y":1}`}
	same(t, "after it", w.find("c", `{}`), want...)
	for _, bad := range []wire.DocWriteOp{op(wire.OpDocInsert, 0, ``, `{"_id": 2}`), op(wire.OpDocUpdate, 0, `{"_id": 3}`, `{"$set": {"_id": 4}}`), op(wire.OpDocUpdate, 0, `{"_id": 3}`, `{"$bad": {"_id": 4}}`)} {
		resp := w.Do(wire.OpDocWrite, &wire.DocWrite{Writes: []wire.DocWriteOp{op(wire.OpDocDelete, 0, `{"_id": 9}`, ``), bad}}, 0)
		if resp.Code == wire.OK || !strings.Contains(string(resp.Body), "write 1") {
			t.Errorf("%v %s", resp.Code, resp.Body)
		}
	}
	same(t, "after failures", w.find("c", `{}`), want...)
	var wg sync.WaitGroup
	for range 32 { // far more than would ever get through by trying again
		wg.Go(func() {
			for range 10 {
				w.Must(wire.OpDocWrite, &wire.DocWrite{Writes: []wire.DocWriteOp{
					op(wire.OpDocUpdate, 0, `{"_id": 2}`, `{"$inc": {"n": -1}}`), op(wire.OpDocUpdate, 0, `{"_id": 3}`, `{"$inc": {"n": 1}}`),
				}})
			}
		})
	}
	wg.Wait()
	same(t, "after transfers", w.find("c", `{"_id": {"$in": [2, 3]}}`), `{"_id":2,"n":-308,"x":1}`, `{"_id":3,"n":333}`)
	w.verify()
}

func TestAnIndexIsBuiltWhileOthersWrite(t *testing.T) {
	w := worlds.New(t, nil)
	w.numbered("c", 5000)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for k := 0; ; k++ {
				select {
				case <-stop:
					return
				default:
				}
				w.update("c", fmt.Sprintf(`{"_id": %d}`, (k*7+i*1000)%5000), `{"$inc": {"a": 10000}}`, 0)
				w.remove("c", fmt.Sprintf(`{"_id": %d}`, (k*13+i*900)%5000), 0)
				w.insert("c", fmt.Sprintf(`{"a": %d}`, -k))
			}
		})
	}
	w.index("c", spec(0, "a"))
	w.index("c", spec(0, "l", "-a"))
	close(stop)
	wg.Wait()
	resp := w.Do(wire.OpDocIndex, &wire.DocIndex{Name: name("c"), Spec: spec(wire.DocIndexUnique, "nowhere")}, 0)
	if resp.Code != wire.Exists || resp.Sub != 11000 {
		t.Errorf("a unique index over duplicates: %v %d %s", resp.Code, resp.Sub, resp.Body)
	}
	w.verify()
}

func TestDocumentsGoWhenTheirTimeHasCome(t *testing.T) {
	w := worlds.New(t, nil)
	s := spec(wire.DocIndexTTL, "at")
	s.TTL = 1
	w.index("c", s)
	w.insert("c", `{"_id": 1, "at": {"$date": "2020-01-01T00:00:00Z"}}`, `{"_id": 2, "at": {"$date": "2999-01-01T00:00:00Z"}}`, `{"_id": 3, "at": "never"}`)
	for deadline := time.Now().Add(20 * time.Second); len(w.find("c", `{}`)) != 2; {
		if time.Now().After(deadline) {
			t.Fatal("it is still there")
		}
		time.Sleep(20 * time.Millisecond)
	}
	w.verify()
}

func TestOrderedRequestsKeepTheirOrder(t *testing.T) {
	w := worlds.New(t, nil)
	r := newRecorder()
	send := func(op wire.Op, m payload) {
		r.wg.Add(1)
		w.Submit(wire.Request{Op: op, Flags: wire.FlagOrdered, Tag: uint64(r.sent), Body: m.Append(nil)}, r)
		r.sent++
	}
	const rounds = 50
	for i := range rounds {
		send(wire.OpDocInsert, &wire.DocInsert{Name: name("c"), Docs: [][]byte{js(t, fmt.Sprintf(`{"_id": %d, "n": 0}`, i))}})
		send(wire.OpDocUpdate, &wire.DocUpdate{Name: name("c"), Flags: wire.DocMulti, Filter: js(t, `{"n": {"$gte": 0}}`), Update: js(t, `{"$inc": {"n": 1}}`)})
		send(wire.OpDocCount, &wire.DocFind{Name: name("c"), Filter: js(t, `{"n": 1}`)})
		send(wire.OpDocFind, &wire.DocFind{Name: name("c"), Filter: js(t, fmt.Sprintf(`{"_id": %d}`, i))})
		send(wire.OpDocDelete, &wire.DocUpdate{Name: name("c"), Filter: js(t, `{"n": 2}`)})
	}
	r.wg.Wait()
	for i := range rounds {
		if n := r.all[uint64(5*i+2)].Num; n != 1 {
			t.Errorf("round %d: %d counted", i, n)
		}
		if got := texts(t, r.all[uint64(5*i+3)].Body); len(got) != 1 || got[0] != fmt.Sprintf(`{"_id":%d,"n":1}`, i) {
			t.Errorf("round %d: found %v", i, got)
		}
	}
	same(t, "at last", w.find("c", `{}`), fmt.Sprintf(`{"_id":%d,"n":1}`, rounds-1))
}

// recorder is a Replier that keeps its answers by tag.
type recorder struct {
	sent int
	wg   sync.WaitGroup
	mu   sync.Mutex
	all  map[uint64]wire.Response
}

func newRecorder() *recorder { return &recorder{all: map[uint64]wire.Response{}} }

func (r *recorder) Reply(tag uint64, resp wire.Response) {
	resp.Body = append([]byte(nil), resp.Body...)
	r.mu.Lock()
	r.all[tag] = resp
	r.mu.Unlock()
	r.wg.Done()
}
