package flin

import "github.com/skshohagmiah/flin/pkg/wire"

// Append adds suffix to the value of key, empty if the key is not there, and returns the new length. An expiry stays.
func (kv *KV) Append(key string, suffix []byte) (int, error) {
	resp, err := kv.ask(wire.OpKVAppend, false, &wire.KVPair{DB: kv.db, Key: []byte(key), Value: suffix})
	return int(resp.Num), err
}

// GetRange returns the bytes start to end of the value, both included; negative ones count from its end. What lies
// outside is left out, and a key that is not there is empty.
func (kv *KV) GetRange(key string, start, end int64) ([]byte, error) {
	resp, err := kv.ask(wire.OpKVGetRange, true, &wire.KVRange{DB: kv.db, Start: start, End: end, Key: []byte(key)})
	if err != nil {
		return nil, err
	}
	return resp.Body, nil
}

// SetRange overwrites the value from byte start on, filling a gap with zeros, and returns the new length.
func (kv *KV) SetRange(key string, start int64, part []byte) (int, error) {
	resp, err := kv.ask(wire.OpKVSetRange, false, &wire.KVRange{DB: kv.db, Start: start, Key: []byte(key), Value: part})
	return int(resp.Num), err
}

// GetDelete removes key and returns what its value was, or ErrNotFound.
func (kv *KV) GetDelete(key string) ([]byte, error) {
	k := kv.keyCall(wire.OpKVGetDel, false, key)
	err := kv.client.do(k)
	value := k.resp.Body
	k.release()
	if err != nil {
		return nil, err
	}
	return value, nil
}

// Swap is Set, and returns the old value; nil if the key was not there. A condition that is not met is no failure: then
// written is false.
func (kv *KV) Swap(key string, value []byte, opts ...SetOption) (old []byte, written bool, err error) {
	k := kv.setCall(key, value, append(opts[:len(opts):len(opts)], setFlag(wire.SetReturnOld)))
	err = kv.client.do(k)
	resp := k.resp
	k.release()
	if err != nil {
		return nil, false, err
	}
	if resp.Num != 0 {
		old = resp.Body
	}
	return old, resp.Rev != 0, nil
}
