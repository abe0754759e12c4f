package flin

import (
	"github.com/skshohagmiah/flin/pkg/wire"
)

// MSet writes several keys, all of them or none; of a key named twice the last value holds. keys and values must be of
// one length, at most 10,000.
func (kv *KV) MSet(keys []string, values [][]byte) error { return kv.mset(keys, values, false) }

// MSetNX is MSet, but writes nothing and reports ErrExists if one of the keys is there.
func (kv *KV) MSetNX(keys []string, values [][]byte) error { return kv.mset(keys, values, true) }

func (kv *KV) mset(keys []string, values [][]byte, ifAbsent bool) error {
	if len(keys) != len(values) {
		return wire.Errorf(wire.Invalid, "flin: mset of %d keys and %d values", len(keys), len(values))
	}
	if err := checkBatch(wire.OpKVMSet, len(keys)); err != nil {
		return err
	}
	m := &wire.KVMSet{DB: kv.db, IfAbsent: ifAbsent, Pairs: make([]wire.KVPair, len(keys))}
	for i := range keys {
		m.Pairs[i] = wire.KVPair{Key: []byte(keys[i]), Value: values[i]}
	}
	_, err := kv.ask(wire.OpKVMSet, false, m)
	return err
}

// MGet returns the values of keys in their order: nil for a key that is not there, empty but not nil for an empty value.
// All are read at one moment.
func (kv *KV) MGet(keys []string) ([][]byte, error) {
	entries, err := kv.Entries(keys)
	if err != nil {
		return nil, err
	}
	values := make([][]byte, len(entries))
	for i := range entries {
		values[i] = entries[i].Value
	}
	return values, nil
}

// Entries is MGet with versions and expiries. A key that is not there has version 0 and a nil Value.
func (kv *KV) Entries(keys []string) ([]Entry, error) {
	if err := checkBatch(wire.OpKVMGet, len(keys)); err != nil {
		return nil, err
	}
	k := kv.keysCall(wire.OpKVMGet, true, keys)
	err := kv.client.do(k)
	body := k.resp.Body
	k.release()
	if err != nil {
		return nil, err
	}
	r := wire.NewReader(body)
	entries := make([]Entry, len(keys))
	for i := range keys {
		e := wire.TakeKVEntry(&r)
		entries[i] = Entry{Key: keys[i], Version: e.Version, Expires: expires(e.Expires)}
		if e.Version != 0 {
			entries[i].Value = e.Value
		}
	}
	if err := r.Close(); err != nil {
		return nil, badAnswer(wire.OpKVMGet, err)
	}
	return entries, nil
}

// MDelete removes several keys, all at one moment, and returns how many were there.
func (kv *KV) MDelete(keys []string) (int, error) {
	if err := checkBatch(wire.OpKVMDel, len(keys)); err != nil {
		return 0, err
	}
	k := kv.keysCall(wire.OpKVMDel, false, keys)
	err := kv.client.do(k)
	n := k.resp.Num
	k.release()
	if err != nil {
		return 0, err
	}
	return int(n), nil
}

// keysCall returns a call of an operation on several keys.
func (kv *KV) keysCall(op wire.Op, read bool, keys []string) *call {
	k := newCall(op, read)
	size := 0
	for _, key := range keys {
		size += len(key)
	}
	if cap(k.buf) < size {
		k.buf = make([]byte, 0, size)
	}
	k.kvs.DB = kv.db
	for _, key := range keys {
		start := len(k.buf)
		k.buf = append(k.buf, key...)
		k.kvs.Keys = append(k.kvs.Keys, k.buf[start:])
	}
	k.payload = &k.kvs
	return k
}

func checkBatch(op wire.Op, n int) error {
	if n > wire.MaxBatch {
		return wire.Errorf(wire.TooLarge, "flin: %v of %d keys is over the limit of %d", op, n, wire.MaxBatch)
	}
	return nil
}

// ask makes a call with a payload that does not lie in the call, for operations that are not so frequent.
func (kv *KV) ask(op wire.Op, read bool, m payload) (wire.Response, error) {
	k := newCall(op, read)
	k.payload = m
	err := kv.client.do(k)
	resp := k.resp
	k.release()
	return resp, err
}
