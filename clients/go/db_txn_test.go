package flin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// txnServer stands in for a server that has transactions. What it answers to their operations is up to the test.
type txnServer struct {
	mu     sync.Mutex
	opened uint64
	said   []string // begin, commit and abort with the number of the transaction, and the operations in between

	in     func(m *wire.DocIn) wire.Response
	commit func(id uint64) wire.Response
}

// serveTxns answers for a fake. Without in and commit all is well.
func serveTxns(t *testing.T, f *fake) *txnServer {
	s := &txnServer{}
	f.onRequest(func(c *fakeConn, req *wire.Request) bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		resp := wire.Response{}
		switch req.Op {
		case wire.OpDocBegin:
			s.opened++
			s.said = append(s.said, fmt.Sprint("begin ", s.opened))
			resp.Num = int64(s.opened)
		case wire.OpDocIn:
			var m wire.DocIn
			must(t, m.Decode(req.Body))
			s.said = append(s.said, fmt.Sprint(m.Op, " ", m.Txn))
			resp = wire.Response{Body: (&wire.DocResult{Inserted: 1, Matched: 1, Modified: 1}).Append(nil)}
			if s.in != nil {
				resp = s.in(&m)
			}
		case wire.OpDocCommit, wire.OpDocAbort:
			var m wire.DocTxn
			must(t, m.Decode(req.Body))
			s.said = append(s.said, fmt.Sprint(req.Op, " ", m.Txn))
			if req.Op == wire.OpDocCommit && s.commit != nil {
				resp = s.commit(m.Txn)
			}
		default:
			return false
		}
		c.answer(req.Tag, resp)
		return true
	})
	return s
}

// all returns what was asked for since the last call.
func (s *txnServer) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	said := strings.ReplaceAll(strings.Join(s.said, ", "), "doc-", "")
	s.said = nil
	return said
}

func failure(code wire.Code, sub uint32, text string) wire.Response {
	return wire.Fail(&Error{Code: code, Sub: sub, Msg: text})
}

var (
	conflict   = failure(wire.Conflict, wire.DocWriteConflict, "somebody else was first")
	goneTxn    = failure(wire.NotFound, wire.DocNoSuchTransaction, "the transaction is not open")
	goneCursor = failure(wire.NotFound, wire.DocCursorNotFound, "the cursor is gone")
	busyTxn    = failure(wire.Conflict, inUse, "the transaction is in use")
	noAnswer   = wire.Response{More: true} // the last one, which ends the call, does not come
)

func touch(tx *DB) error {
	_, err := tx.Update("c").Where("_id", Eq, 1).Set("a", 1).Exec()
	return err
}

func TestEveryCallTravelsInItsTransaction(t *testing.T) {
	f := newFake(t)
	client := connect(t, f.addr())
	type sent struct {
		op   wire.Op
		body []byte
	}
	var mu sync.Mutex
	var got []sent
	f.onRequest(func(c *fakeConn, req *wire.Request) bool {
		mu.Lock()
		defer mu.Unlock()
		resp, op, body := wire.Response{Num: 7}, req.Op, req.Body
		if op == wire.OpDocIn {
			var m wire.DocIn
			must(t, m.Decode(req.Body))
			if m.Txn != 7 {
				t.Errorf("%v in transaction %d", m.Op, m.Txn)
			}
			op, body = m.Op, m.Body
		}
		switch op {
		case wire.OpDocFind, wire.OpDocAggregate:
			resp = wire.Response{Body: raw(t, d("_id", 1))}
		case wire.OpDocDistinct:
			resp = wire.Response{Body: array(t, []int{1})}
		case wire.OpDocModify:
			resp = wire.Response{Body: (&wire.DocModified{Doc: raw(t, d("_id", 1))}).Append(nil)}
		case wire.OpDocInsert, wire.OpDocUpdate, wire.OpDocDelete:
			resp = result(wire.DocResult{Inserted: 1, Matched: 1})
		}
		if op < wire.OpDocBegin {
			got = append(got, sent{op, bytes.Clone(body)})
		}
		c.answer(req.Tag, resp)
		return true
	})
	work := func(db *DB) error {
		people := CollectionOf[Document](db, "people")
		other := db.Database("other")
		for i, call := range []func() error{
			func() error { _, err := db.Insert("c", d("_id", 1)); return err },
			func() error { _, err := db.InsertMany("c", []D{d("_id", 2)}); return err },
			func() error { _, err := db.Get("c", 1); return err },
			func() error { _, err := db.Query("c").Where("a", Gt, 1).OrderBy("a", Desc).Exec(); return err },
			func() error { _, err := db.Query("c").Count(); return err },
			func() error { _, err := db.Query("c").Distinct("a"); return err },
			func() error { return touch(db) },
			func() error { _, err := db.Update("c").All().Inc("a", 1).FindAndModify(); return err },
			func() error { _, err := db.Delete("c").All().Exec(); return err },
			func() error { _, err := db.Delete("c").Where("a", Eq, 1).FindAndDelete(); return err },
			func() error {
				for _, err := range db.Aggregate("c", []D{d("$match", d("a", 1))}) {
					if err != nil {
						return err
					}
				}
				return nil
			},
			func() error { _, err := people.Insert(Document{"_id": 1}); return err },
			func() error { _, err := people.Query().First(); return err },
			func() error { return people.Replace(1, Document{"a": 1}) },
			func() error { _, err := other.Insert("c", d("_id", 1)); return err },
		} {
			if err := call(); err != nil {
				return fmt.Errorf("call %d: %w", i, err)
			}
		}
		return nil
	}
	must(t, work(client.DB))
	outside := got
	got = nil
	begun := f.count(wire.OpDocIn)
	must(t, client.DB.Transaction(work))
	if !slices.EqualFunc(got, outside, func(a, b sent) bool { return a.op == b.op && bytes.Equal(a.body, b.body) }) {
		t.Errorf("in a transaction:\n%v\noutside:\n%v", got, outside)
	}
	if n := f.count(wire.OpDocIn) - begun; n != len(outside) || f.count(wire.OpDocCommit) != 1 || f.count(wire.OpDocAbort) != 0 {
		t.Errorf("%d of %d calls were in the transaction, %d commits, %d aborts", n, len(outside), f.count(wire.OpDocCommit), f.count(wire.OpDocAbort))
	}
}

func TestATransactionIsRunAgainWhenSomebodyElseWasFirst(t *testing.T) {
	f := newFake(t)
	s := serveTxns(t, f)
	db := connect(t, f.addr()).DB
	s.in = func(m *wire.DocIn) wire.Response {
		switch m.Txn {
		case 1:
			return conflict
		case 2:
			return goneTxn
		case 3:
			return goneCursor
		}
		return result(wire.DocResult{Matched: 1, Modified: 1})
	}
	s.commit = func(id uint64) wire.Response {
		switch id {
		case 4:
			return conflict
		case 5:
			return goneTxn
		}
		return wire.Response{Num: 1}
	}
	runs := 0
	must(t, db.Transaction(func(tx *DB) error {
		runs++
		if err := touch(tx); err != nil {
			return fmt.Errorf("run %d: %w", runs, err)
		}
		return nil
	}))
	if got := s.all(); runs != 6 || got != "begin 1, update 1, abort 1, begin 2, update 2, abort 2, begin 3, update 3, abort 3, "+
		"begin 4, update 4, commit 4, abort 4, begin 5, update 5, commit 5, abort 5, begin 6, update 6, commit 6" {
		t.Errorf("%d runs: %s", runs, got)
	}
	s.commit = func(uint64) wire.Response { return conflict }
	if err := db.Transaction(touch, Attempts(3)); !errors.Is(err, ErrConflict) || strings.Count(s.all(), "commit") != 3 {
		t.Errorf("after three attempts: %v", err)
	}
	if err := db.Transaction(touch, Attempts(0)); !errors.Is(err, ErrInvalid) || s.all() != "" {
		t.Errorf("no attempts: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	runs = 0
	err := db.client.With(ctx).DB.Transaction(func(tx *DB) error {
		if runs++; runs == 2 {
			cancel()
		}
		return touch(tx)
	})
	if err == nil || errors.Is(err, ErrOutcomeUnknown) || runs != 2 {
		t.Errorf("%d runs and %v after the context's end", runs, err)
	}
}

func TestATransactionIsNotUsedWhereItCannotBe(t *testing.T) {
	f := newFake(t)
	s := serveTxns(t, f)
	db := connect(t, f.addr()).DB
	var kept *DB
	must(t, db.Transaction(func(tx *DB) error {
		kept = tx
		if err := tx.Transaction(touch); !errors.Is(err, ErrInvalid) {
			t.Errorf("one in another: %v", err)
		}
		if _, err := tx.Watch(t.Context(), "c"); !errors.Is(err, ErrInvalid) {
			t.Errorf("a watch in one: %v", err)
		}
		return nil
	}))
	if err := touch(kept); !errors.Is(err, ErrInvalid) {
		t.Errorf("behind the end: %v", err)
	}
	if got := s.all(); got != "begin 1, commit 1" {
		t.Error(got)
	}
}

func TestAWriteWithoutAnAnswerIsDoneAgainInANewTransaction(t *testing.T) {
	f := newFake(t)
	s := serveTxns(t, f)
	db := connect(t, f.addr()).DB
	s.in = func(m *wire.DocIn) wire.Response {
		if m.Txn <= 2 {
			f.drop()
		}
		return result(wire.DocResult{Matched: 1, Modified: 1})
	}
	runs := 0
	must(t, db.Transaction(func(tx *DB) error {
		err := touch(tx)
		if runs++; runs == 1 {
			if !errors.Is(err, ErrUnavailable) || errors.Is(err, ErrOutcomeUnknown) {
				t.Errorf("a write that is seen by nobody: %v", err)
			}
			return err
		}
		return nil // whatever the error was
	}))
	if got := s.all(); runs != 3 || !strings.HasSuffix(got, "begin 3, update 3, commit 3") {
		t.Errorf("%d runs: %s", runs, got)
	}
	s.commit = func(uint64) wire.Response { f.drop(); return wire.Response{} }
	runs = 0
	err := db.Transaction(func(tx *DB) error { runs++; return touch(tx) })
	if !errors.Is(err, ErrOutcomeUnknown) || runs != 1 {
		t.Errorf("a commit without an answer: %v after %d runs", err, runs)
	}
}
