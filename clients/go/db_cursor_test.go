package flin

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// serveDocs answers finds with n documents by cursor, batch by batch, and returns the cursors that are open.
func serveDocs(t *testing.T, f *fake, n int) func() []uint64 {
	var mu sync.Mutex
	at := map[uint64]int{}
	next := uint64(0)
	page := func(from, batch int) (body []byte, to int) {
		for to = from; to < min(n, from+batch); to++ {
			body = append(body, raw(t, d("_id", to))...)
		}
		return body, to
	}
	f.onRequest(func(c *fakeConn, req *wire.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		switch req.Op {
		case wire.OpDocFind, wire.OpDocAggregate:
			batch := wire.DefaultDocBatch
			if req.Op == wire.OpDocFind {
				var m wire.DocFind
				must(t, m.Decode(req.Body))
				if m.Batch != 0 {
					batch = int(m.Batch)
				}
			}
			body, to := page(0, batch)
			resp := wire.Response{Body: body}
			if to < n {
				next++
				at[next] = to
				resp.Num = int64(next)
			}
			c.answer(req.Tag, resp)
		case wire.OpDocMore:
			var m wire.DocMore
			must(t, m.Decode(req.Body))
			from, ok := at[m.Cursor]
			if !ok {
				c.answer(req.Tag, wire.Failf(wire.NotFound, "cursor %d is not there", m.Cursor))
				return true
			}
			body, to := page(from, int(m.Batch))
			resp := wire.Response{Body: body, Num: int64(m.Cursor)}
			if at[m.Cursor] = to; to == n {
				delete(at, m.Cursor)
				resp.Num = 0
			}
			c.answer(req.Tag, resp)
		case wire.OpDocKill:
			var m wire.DocKill
			must(t, m.Decode(req.Body))
			for _, cursor := range m.Cursors {
				delete(at, cursor)
			}
			c.answer(req.Tag, wire.Response{Num: 1})
		default:
			return false
		}
		return true
	})
	return func() (open []uint64) {
		mu.Lock()
		defer mu.Unlock()
		for cursor := range at {
			open = append(open, cursor)
		}
		return open
	}
}

func TestAResultLargerThanABatchComesWhole(t *testing.T) {
	f := newFake(t)
	open := serveDocs(t, f, 2500)
	db := connect(t, f.addr()).DB
	docs, err := db.Query("c").Exec()
	if err != nil || len(docs) != 2500 || docs[2499]["_id"] != int32(2499) {
		t.Errorf("%d documents, %v", len(docs), err)
	}
	for name, docs := range map[string]func(func(Document, error) bool){
		"iterate": db.Query("c").Iter(), "in small batches": db.Query("c").Batch(100).Iter(), "aggregate": db.Aggregate("c", []D{}),
	} {
		n := int32(0)
		for doc, err := range docs {
			if err != nil || doc["_id"] != n {
				t.Fatalf("%s: %v, %v; want %d", name, doc, err, n)
			}
			n++
		}
		if n != 2500 {
			t.Errorf("%s: %d documents", name, n)
		}
	}
	n := 0
	for doc, err := range db.Query("c").Raw() {
		must(t, err)
		if id, ok := doc.Lookup("_id").Int32OK(); !ok || int(id) != n {
			t.Fatal(doc)
		}
		n++
	}
	if list := open(); n != 2500 || len(list) != 0 {
		t.Errorf("%d documents; cursors are open: %v", n, list)
	}
}

func TestALoopThatIsLeftGivesItsCursorUp(t *testing.T) {
	f := newFake(t)
	open := serveDocs(t, f, 2500)
	client := connect(t, f.addr())
	for range client.DB.Query("c").Iter() {
		break
	}
	if list := open(); len(list) != 0 {
		t.Errorf("cursors are open: %v", list)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	n := 0
	var last error
	for _, err := range client.With(ctx).DB.Query("c").Iter() {
		if last = err; err != nil {
			break
		}
		if n++; n == wire.DefaultDocBatch {
			cancel()
		}
	}
	if list := open(); !errors.Is(last, context.Canceled) || n != wire.DefaultDocBatch || len(list) != 0 {
		t.Errorf("after %d documents: %v; cursors are open: %v", n, last, list)
	}
}

func TestACursorThatIsGoneEndsTheLoop(t *testing.T) {
	f := newFake(t)
	serveDocs(t, f, 2500)
	db := connect(t, f.addr()).DB
	n := 0
	var last error
	for _, err := range db.Query("c").Iter() {
		if last = err; err != nil {
			continue
		}
		if n++; n == 1 {
			serveDocs(t, f, 2500) // a server that knows nothing of it
		}
	}
	if !errors.Is(last, ErrNotFound) || n != wire.DefaultDocBatch {
		t.Errorf("after %d documents: %v", n, last)
	}
}
