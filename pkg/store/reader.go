package store

import (
	"hash/maphash"
	"slices"
)

// Get returns what a key holds: the latest committed value. It may be called by any goroutine. The value is in buf, in new
// memory if buf is too small, or in immutable memory of the store: it stays valid as long as buf is left alone. A buf with
// room for key, head, body and 16 bytes is always enough. A corrupt or missing blob file is an error that names it.
func (s *Store) Get(key, buf []byte) (Value, bool, error) {
	return s.get(maphash.Bytes(s.seed, key), key, buf)
}

// Head returns a key's head and the size of its body. It reads no blob file.
func (s *Store) Head(key, buf []byte) (head []byte, size int, ok bool, err error) {
	return s.head(maphash.Bytes(s.seed, key), key, buf)
}

// find looks a key up in the tables, newest first. Under Store.mu.
func (s *Store) find(hash uint64, key []byte) *entry {
	if e := s.live.find(hash, key); e != nil {
		return e
	}
	for _, t := range slices.Backward(s.queue) {
		if e := t.find(hash, key); e != nil {
			return e
		}
	}
	return nil
}

func (s *Store) get(hash uint64, key, buf []byte) (Value, bool, error) {
	s.mu.RLock()
	if e := s.find(hash, key); e != nil {
		s.mu.RUnlock()
		return e.value(), !e.dead, nil
	}
	v, ok, known := s.cache.get(key, buf)
	if known || s.opts.Memory {
		s.mu.RUnlock()
		return v, ok, nil
	}
	ep, fill := s.cur.acquire(), s.fillEpoch
	s.mu.RUnlock()
	v, ok, err := ep.get(key, buf)
	ep.release()
	if err != nil {
		return Value{}, false, err
	}
	s.fill(fill, key, v, ok)
	return v, ok, nil
}

// fill puts what was read from disk into the cache, unless a flush has begun to renew it since.
func (s *Store) fill(fillEpoch uint64, key []byte, v Value, ok bool) {
	s.mu.RLock()
	if s.fillEpoch == fillEpoch {
		s.cache.put(key, v, ok)
	}
	s.mu.RUnlock()
}

func (s *Store) head(hash uint64, key, buf []byte) (head []byte, size int, ok bool, err error) {
	s.mu.RLock()
	if e := s.find(hash, key); e != nil {
		s.mu.RUnlock()
		return e.value().Head, len(e.body), !e.dead, nil
	}
	if s.opts.Memory {
		s.mu.RUnlock()
		return nil, 0, false, nil
	}
	if head, size, ok, known := s.cache.head(key, buf); known {
		s.mu.RUnlock()
		return head, size, ok, nil
	}
	ep := s.cur.acquire()
	s.mu.RUnlock()
	head, size, ok, err = ep.head(key, buf)
	ep.release()
	return head, size, ok, err
}

// many is what one key of a GetMany came to.
type many struct {
	v         Value
	ok, known bool
}

// GetMany reads several keys as of one moment and calls fn for each in their order. v is valid during the call only. An
// error of fn ends the reading and is returned.
func (s *Store) GetMany(keys [][]byte, fn func(i int, v Value, ok bool) error) error {
	found := make([]many, len(keys))
	var buf []byte
	missing := 0
	s.mu.RLock()
	for i, key := range keys {
		m := &found[i]
		if e := s.find(maphash.Bytes(s.seed, key), key); e != nil {
			*m = many{v: e.value(), ok: !e.dead, known: true}
			continue
		}
		if s.opts.Memory {
			m.known = true
			continue
		}
		if cap(buf)-len(buf) < maxCached/32 {
			buf = make([]byte, 0, maxCached)
		}
		m.v, m.ok, m.known = s.cache.get(key, buf[len(buf):])
		if !m.known {
			missing++
			continue
		}
		if n := len(m.v.Head) + len(m.v.Body) + 2; m.ok && n <= cap(buf)-len(buf) {
			buf = buf[:len(buf)+n]
		}
	}
	var ep *epoch
	fill := s.fillEpoch
	if missing > 0 {
		ep = s.cur.acquire()
	}
	s.mu.RUnlock()
	if ep != nil {
		defer ep.release()
	}
	for i := range found {
		m := &found[i]
		if !m.known {
			var err error
			if m.v, m.ok, err = ep.get(keys[i], nil); err != nil {
				return err
			}
			s.fill(fill, keys[i], m.v, m.ok)
		}
		if err := fn(i, m.v, m.ok); err != nil {
			return err
		}
	}
	return nil
}
