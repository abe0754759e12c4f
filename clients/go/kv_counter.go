package flin

import "github.com/skshohagmiah/flin/pkg/wire"

// Incr adds 1 to the number under key, 0 if the key is not there, and returns the new number. A value that is no number,
// or a result beyond 64 bits, is ErrInvalid.
func (kv *KV) Incr(key string) (int64, error) { return kv.add(wire.OpKVIncr, key, 1) }

// Decr takes 1 away, otherwise it is Incr.
func (kv *KV) Decr(key string) (int64, error) { return kv.add(wire.OpKVDecr, key, 1) }

// IncrBy adds n, otherwise it is Incr.
func (kv *KV) IncrBy(key string, n int64) (int64, error) { return kv.add(wire.OpKVIncr, key, n) }

// DecrBy takes n away, otherwise it is Incr.
func (kv *KV) DecrBy(key string, n int64) (int64, error) { return kv.add(wire.OpKVDecr, key, n) }

func (kv *KV) add(op wire.Op, key string, n int64) (int64, error) {
	k := newCall(op, false)
	k.inc = wire.KVIncr{DB: kv.db, By: n, Key: k.bytes(key)}
	k.payload = &k.inc
	err := kv.client.do(k)
	now := k.resp.Num
	k.release()
	if err != nil {
		return 0, err
	}
	return now, nil
}
