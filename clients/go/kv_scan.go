package flin

import (
	"iter"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// ScanOption modifies Scan.
type ScanOption func(*wire.KVScan)

// KeysOnly leaves values out: Entry.Value is empty.
func KeysOnly() ScanOption { return func(m *wire.KVScan) { m.Flags |= wire.ScanKeysOnly } }

// Reverse goes from the last key to the first.
func Reverse() ScanOption { return func(m *wire.KVScan) { m.Flags |= wire.ScanReverse } }

// From leaves out keys below key.
func From(key string) ScanOption { return func(m *wire.KVScan) { m.Start = []byte(key) } }

// Below leaves out key and those above it. An empty key is no bound.
func Below(key string) ScanOption { return func(m *wire.KVScan) { m.End = []byte(key) } }

// After goes on behind key, where an earlier scan in the same direction ended.
func After(key string) ScanOption {
	return func(m *wire.KVScan) {
		m.Flags |= wire.ScanAfter
		m.After = []byte(key)
	}
}

// Match leaves out keys that do not match a glob, as in Redis's SCAN.
func Match(glob string) ScanOption { return func(m *wire.KVScan) { m.Match = []byte(glob) } }

// defaultPage is how many entries a scan fetches at a time: few enough that the answer does not hold up the others on
// its connection.
const defaultPage = 256

// PageSize fetches n entries at a time, at most 10,000; by default 256, or less where values are large. Whoever
// shares the connection waits for a page at a time.
func PageSize(n int) ScanOption {
	return func(m *wire.KVScan) { m.Limit = uint64(min(max(n, 1), wire.MaxBatch)) }
}

// Scan returns the entries whose keys begin with prefix, in the order of their bytes. Each page is read at one moment, the
// next one at a later: a key that is there all the time comes once, one written or deleted meanwhile may or may not. The
// loop ends after an error.
func (kv *KV) Scan(prefix string, opts ...ScanOption) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		m := wire.KVScan{DB: kv.db, Prefix: []byte(prefix)}
		for _, o := range opts {
			o(&m)
		}
		if m.Limit == 0 {
			m.Limit = defaultPage
		}
		for {
			resp, err := kv.ask(wire.OpKVScan, true, &m)
			if err != nil {
				yield(Entry{}, err)
				return
			}
			r := wire.NewReader(resp.Body)
			after := r.Bytes()
			for r.Len() > 0 {
				e := wire.TakeKVEntry(&r)
				if r.Err() != nil {
					break
				}
				if !yield(Entry{Key: string(e.Key), Value: e.Value, Version: e.Version, Expires: expires(e.Expires)}, nil) {
					return
				}
			}
			if err := r.Err(); err != nil {
				yield(Entry{}, badAnswer(wire.OpKVScan, err))
				return
			}
			if resp.Num == 0 {
				return
			}
			m.Flags |= wire.ScanAfter
			m.After = after
		}
	}
}

// Count returns the number of keys that begin with prefix. It looks at each.
func (kv *KV) Count(prefix string) (int64, error) {
	resp, err := kv.ask(wire.OpKVCount, true, &wire.KVDB{DB: kv.db, Prefix: []byte(prefix)})
	return resp.Num, err
}

// RandomKey returns a key chosen by chance, or ErrEmpty.
func (kv *KV) RandomKey() (string, error) {
	resp, err := kv.ask(wire.OpKVRandom, true, &wire.KVDB{DB: kv.db})
	if err != nil {
		return "", err
	}
	return string(resp.Body), nil
}

// Flush removes every key of the database.
func (kv *KV) Flush() error {
	_, err := kv.ask(wire.OpKVFlush, false, &wire.KVDB{DB: kv.db})
	return err
}
