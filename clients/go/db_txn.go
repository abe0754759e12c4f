package flin

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// transaction is what the databases of one transaction share.
type transaction struct {
	id uint64

	mu     sync.Mutex // held during a call, for the server executes one at a time; guards what follows
	over   bool       // nothing is asked of it any more
	failed error      // of a write: the transaction is not committed
}

// TransactionOption modifies Transaction.
type TransactionOption func(*attempts)

// attempts bounds how often a transaction is begun.
type attempts struct{ most int }

// Attempts bounds how often a transaction is begun, the first time included. Without it that is 50 times.
func Attempts(n int) TransactionOption { return func(a *attempts) { a.most = n } }

const (
	defaultAttempts = 50
	firstPause      = time.Millisecond
	longestPause    = 200 * time.Millisecond
)

// Transaction executes fn in a transaction: what it does with tx, which is this database, is done at one moment, all of it, when fn
// has returned nil; or none of it. fn sees documents as they were when it began, and what it has written itself. Other databases
// are reached by tx.Database.
//
//	err := client.DB.Transaction(func(tx *flin.DB) error {
//		from, err := tx.Get("accounts", "john")
//		if err != nil {
//			return err
//		}
//		if from["balance"].(int32) < 10 {
//			return errBroke
//		}
//		if _, err := tx.Update("accounts").Where("_id", flin.Eq, "john").Inc("balance", -10).Exec(); err != nil {
//			return err
//		}
//		_, err = tx.Update("accounts").Where("_id", flin.Eq, "jane").Inc("balance", 10).Exec()
//		return err
//	})
//
// If somebody else has meanwhile written a document that fn writes too, and where a transaction has ended for another reason that was
// nobody's wish, fn is run again from its beginning, after a pause: what it does besides must bear that. Any other error of fn
// aborts the transaction and is returned as it is; a panic aborts it as well. An error of a write that fn does not return does so all the
// same. With ErrOutcomeUnknown the commit was sent and its answer was lost.
//
// Two transactions of which each reads what the other writes may both be committed. Where that does harm, write what is relied upon.
//
// In a transaction documents are inserted, read and written; collections and indexes are left alone, and a Batch is not needed. It may
// take 60 s, its writes 17 MiB, 10,000 documents or 50,000 keys of indexes and documents. tx must not be used after fn has returned.
func (db *DB) Transaction(fn func(tx *DB) error, opts ...TransactionOption) error {
	if db.txn != nil {
		return invalid("a transaction cannot begin in another one")
	}
	a := attempts{most: defaultAttempts}
	for _, o := range opts {
		o(&a)
	}
	if a.most < 1 {
		return invalid("Attempts(%d): a transaction is begun at least once", a.most)
	}
	for n := 1; ; n++ {
		again, err := db.attempt(fn)
		if err == nil || !again || n == a.most || !db.pause(n) {
			return err
		}
	}
}

// attempt executes fn in one transaction, and tells whether after an error another one may do better.
func (db *DB) attempt(fn func(tx *DB) error) (again bool, err error) {
	resp, err := db.ask(wire.OpDocBegin, reads, none{})
	if err != nil {
		return false, err
	}
	t := &transaction{id: uint64(resp.Num)}
	committed := false
	defer func() { t.end(db.client, !committed) }() // also when fn panics
	err = fn(&DB{client: db.client, name: db.name, txn: t})
	t.mu.Lock()
	t.over = true
	failed := t.failed
	t.mu.Unlock()
	if err == nil {
		err = failed
	}
	if err != nil {
		if failed != nil && !transient(failed) && !unanswered(failed) && transient(err) {
			return false, failed // err only follows from it, and it would come again
		}
		return transient(err) || unanswered(failed) && errors.Is(err, failed), err
	}
	_, err = db.ask(wire.OpDocCommit, once, &wire.DocTxn{Txn: t.id})
	committed = err == nil
	return transient(err), err
}

// unanswered reports that it is not known whether a write of a transaction was executed. That does no harm, for nobody sees it.
func unanswered(err error) bool {
	_, ok := errors.AsType[*brokenError](err)
	return ok
}

// none is the payload of a request that has none.
type none struct{}

// Append appends nothing.
func (none) Append(b []byte) []byte { return b }

// inUse is MongoDB's code of a transaction that is executing another operation.
const inUse = 12051

// transient reports whether a transaction has failed because somebody else was first, because the server has it no more, or because the
// server is still at an operation whose answer was lost: of the others none is asked for before the last is answered.
func transient(err error) bool {
	said, ok := errors.AsType[*Error](err)
	if !ok {
		return false
	}
	switch said.Sub {
	case wire.DocWriteConflict, inUse:
		return said.Code == wire.Conflict
	case wire.DocNoSuchTransaction, wire.DocCursorNotFound: // its cursors end with it
		return said.Code == wire.NotFound
	}
	return false
}

// pause waits before the transaction is begun for the n+1st time: for a time by chance, so that those who are in each other's way
// come one by one. It is false if the client's context ends.
func (db *DB) pause(n int) bool {
	t := time.NewTimer(rand.N(min(firstPause<<min(n, 16), longestPause)) + 1)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-db.client.ctx.Done():
		return false
	case <-db.client.pool.ctx.Done():
		return false
	}
}

// end sees to it that nothing is asked of the transaction any more, and gives it up unless it was committed. The server may have ended it
// already: only its answer to a commit says so for sure, and to abort it once more does no harm.
func (t *transaction) end(c *Client, abort bool) {
	t.mu.Lock()
	t.over = true
	t.mu.Unlock()
	if !abort || c.closed.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), killTime)
	defer cancel()
	_, _ = c.With(ctx).DB.ask(wire.OpDocAbort, repeats, &wire.DocTxn{Txn: t.id}) // the server gives it up in the end
}

// do makes a call of the database's: in its transaction, if it has one.
func (db *DB) do(k *call) error {
	t := db.txn
	if t == nil {
		return db.client.do(k)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.over {
		return invalid("%v: the transaction is over: what belongs to it is done before the function that it was given returns", k.op)
	}
	if k.op == wire.OpDocMore {
		return db.client.do(k)
	}
	op := k.op
	k.op, k.payload = wire.OpDocIn, &wire.DocIn{Txn: t.id, Op: op, Body: k.payload.Append(nil)}
	err := db.client.do(k)
	// Of a write without an answer it is not known whether it was executed. But it is not committed, so it has surely no effect.
	if broken, ok := errors.AsType[*brokenError](err); ok {
		broken.unknown = false
	} else if errors.Is(err, ErrOutcomeUnknown) {
		cause := context.Cause(db.client.ctx)
		if cause == nil {
			cause = errLate
		}
		err = db.client.over(k, false, cause)
	}
	if t.failed == nil && !k.read {
		t.failed = writeError(op, err, k.resp.Body)
	}
	return err
}

// writeError returns the error of a write, which of an insert is in its answer.
func writeError(op wire.Op, err error, body []byte) error {
	var m wire.DocResult
	if err == nil && op == wire.OpDocInsert && m.Decode(body) == nil && len(m.Errors) > 0 {
		err = m.Errors[0].Err()
	}
	return err
}
