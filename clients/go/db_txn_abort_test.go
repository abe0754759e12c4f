package flin

import (
	"context"
	"errors"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestATransactionThatFailsIsAborted(t *testing.T) {
	f := newFake(t)
	s := serveTxns(t, f)
	client := connect(t, f.addr())
	db := client.DB
	own := errors.New("my own")
	if err := db.Transaction(func(tx *DB) error { must(t, touch(tx)); return own }); err != own { //nolint:errorlint // as it is
		t.Errorf("%v", err)
	}
	if got := s.all(); got != "begin 1, update 1, abort 1" {
		t.Error(got)
	}
	func() {
		defer func() {
			if r := recover(); r != own { //nolint:errorlint // as it is
				t.Errorf("recovered %v", r)
			}
		}()
		_ = db.Transaction(func(tx *DB) error { must(t, touch(tx)); panic(own) })
	}()
	if got := s.all(); got != "begin 2, update 2, abort 2" {
		t.Error(got)
	}
	// An error that nobody returns.
	duplicate := wire.DocError{Code: wire.Exists, Sub: 11000, Msg: []byte("E11000")}
	s.in = func(*wire.DocIn) wire.Response { return result(wire.DocResult{Errors: []wire.DocError{duplicate}}) }
	err := db.Transaction(func(tx *DB) error { _, _ = tx.Insert("c", d("_id", 1)); return nil })
	if got := s.all(); !errors.Is(err, ErrExists) || got != "begin 3, insert 3, abort 3" {
		t.Errorf("%v: %s", err, got)
	}
	// One of a read does no harm.
	s.in = func(*wire.DocIn) wire.Response { return failure(wire.Invalid, 2, "no such operator") }
	must(t, db.Transaction(func(tx *DB) error { _, _ = tx.Query("c").Count(); return nil }))
	if got := s.all(); got != "begin 4, count 4, commit 4" {
		t.Error(got)
	}
	s.commit = func(uint64) wire.Response { return failure(wire.Exists, 11000, "E11000") }
	if err := db.Transaction(func(*DB) error { return nil }); !errors.Is(err, ErrExists) || s.all() != "begin 5, commit 5, abort 5" {
		t.Errorf("%v", err)
	}
	s.commit = func(uint64) wire.Response { return failure(wire.Timeout, 0, "not executed") }
	if err := db.Transaction(func(*DB) error { return nil }); !errors.Is(err, ErrTimeout) || s.all() != "begin 6, commit 6, abort 6" {
		t.Errorf("%v", err)
	}
}

func TestWhatFollowsFromAFailedWriteIsNotTakenForItsCause(t *testing.T) {
	duplicate := result(wire.DocResult{Errors: []wire.DocError{{Code: wire.Exists, Sub: 11000, Msg: []byte("E11000")}}})
	for _, c := range []struct {
		name  string
		first wire.Response // to the insert of the first run
		want  *Error
		said  string
	}{
		{"a final error", duplicate, ErrExists, "begin 1, insert 1, update 1, abort 1"},
		{"an error that may not come again", conflict, nil, "begin 1, insert 1, update 1, abort 1, begin 2, insert 2, update 2, commit 2"},
	} {
		f := newFake(t)
		s := serveTxns(t, f)
		db := connect(t, f.addr()).DB
		s.in = func(m *wire.DocIn) wire.Response {
			switch {
			case m.Txn > 1:
				return result(wire.DocResult{Inserted: 1, Matched: 1, Modified: 1})
			case m.Op == wire.OpDocInsert:
				return c.first
			}
			return goneTxn
		}
		err := db.Transaction(func(tx *DB) error { _, _ = tx.Insert("c", d("_id", 1)); return touch(tx) }, Attempts(3))
		if got := s.all(); got != c.said || c.want == nil && err != nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v: %s", c.name, err, got)
		}
	}
}

func TestATransactionWhoseReadIsStillExecutedIsRunAgain(t *testing.T) {
	f := newFake(t)
	s := serveTxns(t, f)
	db := connect(t, f.addr()).DB
	asked := 0
	s.in = func(*wire.DocIn) wire.Response {
		switch asked++; asked {
		case 1:
			f.drop()
		case 2:
			return busyTxn
		}
		return wire.Response{}
	}
	err := db.Transaction(func(tx *DB) error { _, err := tx.Query("c").Count(); return err })
	if got := s.all(); err != nil || got != "begin 1, count 1, count 1, abort 1, begin 2, count 2, commit 2" {
		t.Errorf("%v: %s", err, got)
	}
}

func TestATransactionIsAbortedUnlessItIsSurelyCommitted(t *testing.T) {
	for _, c := range []struct {
		name   string
		commit wire.Response                    // the answer to the first one
		fn     func(outside *DB, run int) error // nil: all is well
		cancel bool                             // the context ends with the first commit
		want   *Error
		said   string
	}{
		{name: "its context ends during the commit", commit: noAnswer, cancel: true, want: ErrOutcomeUnknown, said: "begin 1, commit 1, abort 1"},
		{name: "it is in use", commit: busyTxn, said: "begin 1, commit 1, abort 1, begin 2, commit 2"},
		{name: "a cursor outside of it is gone", fn: func(_ *DB, run int) error {
			if run == 1 {
				return goneCursor.Err()
			}
			return nil
		}, said: "begin 1, abort 1, begin 2, commit 2"},
		{name: "another one has failed", commit: conflict, fn: func(outside *DB, run int) error {
			if run == 1 {
				return outside.Transaction(func(*DB) error { return nil }, Attempts(1))
			}
			return nil
		}, said: "begin 1, begin 2, commit 2, abort 2, abort 1, begin 3, commit 3"},
	} {
		f := newFake(t)
		s := serveTxns(t, f)
		ctx, cancel := context.WithCancel(t.Context())
		db := connect(t, f.addr()).With(ctx).DB
		commits := 0
		s.commit = func(uint64) wire.Response {
			if commits++; commits > 1 {
				return wire.Response{Num: 1}
			}
			if c.cancel {
				cancel()
			}
			return c.commit
		}
		runs := 0
		err := db.Transaction(func(*DB) error {
			if runs++; c.fn == nil {
				return nil
			}
			return c.fn(db, runs)
		})
		cancel()
		if got := s.all(); got != c.said || c.want == nil && err != nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v: %s", c.name, err, got)
		}
	}
}
