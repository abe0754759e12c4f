package fsm

import (
	"errors"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// txn serves OpKVTxn: comparisons, then operations, each of which sees what those before it have written. One that
// fails changes nothing and does not undo the others; only a bound that the whole command breaks does.
func txn(tx *Tx, body []byte, ans *wire.Response) error {
	m := &tx.txn
	if err := m.Decode(body); err != nil {
		return err
	}
	for i := range m.Compares {
		c := &m.Compares[i]
		p, err := tx.at(0, c.DB, c.Key)
		if err != nil {
			return err
		}
		h, _, _, err := tx.stat(p)
		if err != nil {
			return err
		}
		if h.version != c.Version && !tx.rehearsal {
			*ans = wire.Fail(errVersion)
			ans.Num = int64(i)
			return nil
		}
	}
	tx.res = tx.res[:0]
	for i := range m.Ops {
		var one wire.Response
		if err := tx.step(&m.Ops[i], &one); err != nil {
			return err
		}
		if len(tx.res)+len(one.Body) > maxTouched {
			return tx.exceed("the transaction's answers are over the limit of %d bytes: split it", maxTouched)
		}
		tx.res = wire.AppendKVResult(tx.res, &one)
	}
	if tx.w != nil {
		ans.Rev = tx.rev
	}
	ans.Body = tx.res
	return nil
}

// step runs one operation of a transaction. Its error is what fails the whole.
func (tx *Tx) step(o *wire.KVOp, ans *wire.Response) error {
	row := tx.m.ops.Row(o.Op)
	if !row.Txn {
		*ans = wire.Failf(wire.Unsupported, "%v cannot stand in a transaction", o.Op)
		return nil
	}
	err := row.Run(tx, o.Body, ans)
	switch {
	case err == nil:
		return nil
	case tx.over != nil:
		return tx.over
	}
	e, ok := business(err)
	if !ok {
		return err
	}
	*ans = wire.Fail(e)
	return nil
}

// pureTxn reports that a transaction writes nothing whatever happens.
func pureTxn(t *Table, body []byte) bool {
	var m wire.KVTxn
	if m.Decode(body) != nil {
		return false
	}
	for i := range m.Ops {
		row := t.Row(m.Ops[i].Op)
		if row.Txn && row.Kind != Read && (row.Pure == nil || !row.Pure(t, m.Ops[i].Body)) {
			return false
		}
	}
	return true
}

// business returns the error as an answer, unless it is a fault of the disk or of this program.
func business(err error) (*wire.Error, bool) {
	var e *wire.Error
	if errors.As(err, &e) && e.Code != wire.Internal && e != errLate {
		return e, true
	}
	return nil, false
}
