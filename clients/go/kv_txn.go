package flin

import (
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Txn collects comparisons and operations that Commit hands in as one: if every comparison holds, the operations are
// executed in their order, at one moment, with nothing in between. It is for one goroutine.
//
//	results, err := kv.Txn().IfVersion("from", from.Version).IfVersion("to", to.Version).
//		Set("from", less).Set("to", more).Commit()
type Txn struct {
	kv *KV
	m  wire.KVTxn
}

// Txn begins a transaction. Nothing is sent before Commit.
func (kv *KV) Txn() *Txn { return &Txn{kv: kv} }

// IfVersion makes the transaction depend on the version that key has; 0 means that it is not there.
func (t *Txn) IfVersion(key string, version uint64) *Txn {
	t.m.Compares = append(t.m.Compares, wire.KVCompare{DB: t.kv.db, Version: version, Key: []byte(key)})
	return t
}

// Set writes value under key.
func (t *Txn) Set(key string, value []byte, opts ...SetOption) *Txn {
	m := wire.KVSet{DB: t.kv.db, Key: []byte(key), Value: value}
	for _, o := range opts {
		o.set(&m)
	}
	return t.add(wire.OpKVSet, &m)
}

// Get reads key: the result's Value and Version.
func (t *Txn) Get(key string) *Txn {
	return t.add(wire.OpKVGet, &wire.KVKey{DB: t.kv.db, Key: []byte(key)})
}

// Delete removes key: the result's Num is 1 if it was there.
func (t *Txn) Delete(key string, opts ...DeleteOption) *Txn {
	m := wire.KVDel{DB: t.kv.db, Key: []byte(key)}
	for _, o := range opts {
		o.delete(&m)
	}
	return t.add(wire.OpKVDel, &m)
}

// IncrBy adds n to the number under key: the result's Num is the new number.
func (t *Txn) IncrBy(key string, n int64) *Txn {
	return t.add(wire.OpKVIncr, &wire.KVIncr{DB: t.kv.db, By: n, Key: []byte(key)})
}

// Append adds suffix to the value under key: the result's Num is the new length.
func (t *Txn) Append(key string, suffix []byte) *Txn {
	return t.add(wire.OpKVAppend, &wire.KVPair{DB: t.kv.db, Key: []byte(key), Value: suffix})
}

func (t *Txn) add(op wire.Op, m payload) *Txn {
	t.m.Ops = append(t.m.Ops, wire.KVOp{Op: op, Body: m.Append(nil)})
	return t
}

// TxnResult is what one operation of a transaction answered.
type TxnResult struct {
	Err     error // the operation failed and changed nothing; the others are not undone
	Value   []byte
	Num     int64
	Version uint64
}

// Commit hands the transaction in and returns a result for each operation. If a comparison does not hold nothing is
// done, and the error matches ErrConflict. A transaction may be committed once.
func (t *Txn) Commit() ([]TxnResult, error) {
	resp, err := t.kv.ask(wire.OpKVTxn, false, &t.m)
	if err != nil {
		return nil, err
	}
	r := wire.NewReader(resp.Body)
	results := make([]TxnResult, len(t.m.Ops))
	for i := range results {
		one := wire.TakeKVResult(&r)
		results[i] = TxnResult{Err: one.Err(), Num: one.Num, Version: one.Rev}
		if one.Code == wire.OK {
			results[i].Value = one.Body
		}
	}
	if err := r.Close(); err != nil {
		return nil, badAnswer(wire.OpKVTxn, err)
	}
	return results, nil
}
