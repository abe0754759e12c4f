package flin

import (
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Expire makes key go after d, counted by the server in milliseconds; d that is not positive removes it at once. It
// reports whether the key is there.
func (kv *KV) Expire(key string, d time.Duration) (bool, error) {
	return kv.expire(key, wire.Expiry{Kind: wire.ExpiryIn, Ms: d.Milliseconds()})
}

// ExpireAt makes key go at t, otherwise it is Expire.
func (kv *KV) ExpireAt(key string, t time.Time) (bool, error) {
	return kv.expire(key, wire.Expiry{Kind: wire.ExpiryAt, Ms: t.UnixMilli()})
}

func (kv *KV) expire(key string, e wire.Expiry) (bool, error) {
	resp, err := kv.ask(wire.OpKVExpire, false, &wire.KVExpire{DB: kv.db, Expiry: e, Key: []byte(key)})
	return resp.Num != 0, err
}

// Persist takes the expiry of key away and reports whether there was one.
func (kv *KV) Persist(key string) (bool, error) {
	resp, err := kv.ask(wire.OpKVPersist, false, &wire.KVKey{DB: kv.db, Key: []byte(key)})
	return resp.Num != 0, err
}

// TTL returns how long key has left by this machine's clock, and ok false if it never goes. A key that is not there is
// ErrNotFound.
func (kv *KV) TTL(key string) (left time.Duration, ok bool, err error) {
	info, err := kv.Stat(key)
	if err != nil || info.Expires.IsZero() {
		return 0, false, err
	}
	return max(time.Until(info.Expires), 0), true, nil
}

// Info is what Stat tells of a key.
type Info struct {
	Key     string
	Size    int64 // bytes of the value
	Version uint64
	Expires time.Time // zero: never
}

// Stat returns what is known of key without its value, or ErrNotFound.
func (kv *KV) Stat(key string) (Info, error) {
	resp, err := kv.ask(wire.OpKVStat, true, &wire.KVKey{DB: kv.db, Key: []byte(key)})
	if err != nil {
		return Info{}, err
	}
	var m wire.KVStat
	if err := m.Decode(resp.Body); err != nil {
		return Info{}, badAnswer(wire.OpKVStat, err)
	}
	return Info{Key: key, Size: int64(m.Size), Version: resp.Rev, Expires: expires(resp.Num)}, nil
}
