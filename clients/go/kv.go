package flin

import (
	"fmt"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// KV is one of the 16 databases of the key-value store. Keys are any bytes up to 64,000, values up to the server's
// -max-value. Every call waits for its answer; a write is on disk, on a majority of the group, when it returns nil.
type KV struct {
	client *Client
	db     byte
}

// Database returns database n, 0 to 15, with the same connections and context. Calls on another number report ErrInvalid.
func (kv *KV) Database(n int) *KV {
	if n < 0 || n >= wire.KVDatabases {
		n = wire.AllDatabases - 1 // the server refuses it with its own words
	}
	return &KV{client: kv.client, db: byte(n)}
}

// Entry is a key with all that is known of it.
type Entry struct {
	Key     string
	Value   []byte
	Version uint64    // the revision that wrote it: give it to IfVersion
	Expires time.Time // zero: never
}

// Set writes value under key. Without options it also takes away an expiry that the key had.
func (kv *KV) Set(key string, value []byte, opts ...SetOption) error {
	k := kv.setCall(key, value, opts)
	err := kv.client.do(k)
	k.release()
	return err
}

// Put is Set, and returns what was written.
func (kv *KV) Put(key string, value []byte, opts ...SetOption) (Entry, error) {
	k := kv.setCall(key, value, opts)
	err := kv.client.do(k)
	e := Entry{Key: key, Value: value, Version: k.resp.Rev, Expires: expires(k.resp.Num)}
	k.release()
	if err != nil {
		return Entry{}, err
	}
	return e, nil
}

func (kv *KV) setCall(key string, value []byte, opts []SetOption) *call {
	k := newCall(wire.OpKVSet, false)
	k.set = wire.KVSet{DB: kv.db, Key: k.bytes(key), Value: value}
	for _, o := range opts {
		o.set(&k.set)
	}
	k.payload = &k.set
	return k
}

// Get returns the value of key, or ErrNotFound. The value is the caller's.
func (kv *KV) Get(key string) ([]byte, error) {
	k := kv.keyCall(wire.OpKVGet, true, key)
	err := kv.client.do(k)
	value := k.resp.Body
	k.release()
	if err != nil {
		return nil, err
	}
	return value, nil
}

// Entry returns the value of key with its version and expiry, or ErrNotFound.
func (kv *KV) Entry(key string) (Entry, error) {
	k := kv.keyCall(wire.OpKVGet, true, key)
	err := kv.client.do(k)
	e := Entry{Key: key, Value: k.resp.Body, Version: k.resp.Rev, Expires: expires(k.resp.Num)}
	k.release()
	if err != nil {
		return Entry{}, err
	}
	return e, nil
}

// keyCall returns a call of an operation on one key.
func (kv *KV) keyCall(op wire.Op, read bool, key string) *call {
	k := newCall(op, read)
	k.key = wire.KVKey{DB: kv.db, Key: k.bytes(key)}
	k.payload = &k.key
	return k
}

// Delete removes key. A key that is not there is no error.
func (kv *KV) Delete(key string, opts ...DeleteOption) error {
	k := newCall(wire.OpKVDel, false)
	k.del = wire.KVDel{DB: kv.db, Key: k.bytes(key)}
	for _, o := range opts {
		o.delete(&k.del)
	}
	k.payload = &k.del
	err := kv.client.do(k)
	k.release()
	return err
}

// Exists reports whether key is there.
func (kv *KV) Exists(key string) (bool, error) {
	k := newCall(wire.OpKVExists, true)
	k.kvs.DB = kv.db
	k.kvs.Keys = append(k.kvs.Keys[:0], k.bytes(key))
	k.payload = &k.kvs
	err := kv.client.do(k)
	n := k.resp.Num
	k.release()
	return n > 0, err
}

// expires turns milliseconds since 1970 into a time; 0 is never, the zero time.
func expires(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// badAnswer says that the server sent a payload that cannot be read.
func badAnswer(op wire.Op, err error) error {
	return fmt.Errorf("flin: %v: the server's answer cannot be read: %w: %w", op, ErrInternal, err)
}
