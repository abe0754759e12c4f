package store

import (
	"sync"
	"sync/atomic"

	"github.com/VictoriaMetrics/fastcache"
)

// cache holds values that were read from disk, outside the Go heap. An entry is a byte that says whether the key exists,
// the length of the head, head and body. What it holds is true for every key that no table has: a finished flush renews
// its keys here before its table goes, and a fill that was read before is refused (Store.fillEpoch).
type cache struct {
	c      *fastcache.Cache
	size   int64
	filled atomic.Int64 // bytes ever put; until half of the size, flushed values are put in unasked
}

const (
	maxCached    = 64 << 10 // key, entry and the cache's own 4 bytes must stay under this
	cachePresent = 1
	cacheAbsent  = 0
)

func newCache(size int64) *cache {
	size = max(size, 32<<20)
	return &cache{c: fastcache.New(int(size)), size: size}
}

// get looks a key up. known says whether the cache knows about the key, ok whether it exists. The value is in buf or, if
// that is too small, in new memory.
func (c *cache) get(key, buf []byte) (v Value, ok, known bool) {
	if c == nil {
		return Value{}, false, false
	}
	b, found := c.c.HasGet(buf[:0], key)
	if !found || len(b) < 2 {
		return Value{}, false, false
	}
	if b[0] != cachePresent {
		return Value{}, false, true
	}
	n := 2 + int(b[1])
	return Value{Head: b[2:n:n], Body: b[n:]}, true, true
}

var cacheBuffers = sync.Pool{New: func() any { b := make([]byte, 0, 4096); return &b }}

// head is get without the body: the head is appended to buf[:0].
func (c *cache) head(key, buf []byte) (head []byte, size int, ok, known bool) {
	bp := cacheBuffers.Get().(*[]byte) //nolint:forcetypeassert // the pool holds nothing else
	v, ok, known := c.get(key, *bp)
	if ok {
		head, size = append(buf[:0], v.Head...), len(v.Body)
	}
	cacheBuffers.Put(bp)
	return head, size, ok, known
}

// put says what a key holds now.
func (c *cache) put(key []byte, v Value, ok bool) {
	n := len(key) + 2 + len(v.Head) + len(v.Body)
	if n+8 >= maxCached {
		c.c.Del(key)
		return
	}
	bp := cacheBuffers.Get().(*[]byte) //nolint:forcetypeassert // the pool holds nothing else
	b := (*bp)[:0]
	if ok {
		b = append(b, cachePresent, byte(len(v.Head)))
		b = append(append(b, v.Head...), v.Body...)
	} else {
		b = append(b, cacheAbsent, 0)
	}
	c.c.Set(key, b)
	*bp = b
	cacheBuffers.Put(bp)
	c.filled.Add(int64(n))
}

// renew brings the cache up to date with a table that has been flushed.
func (c *cache) renew(t *table) {
	unasked := c.filled.Load() < c.size/2
	t.each(func(e *entry) bool {
		if unasked && !e.dead || c.c.Has(e.key()) {
			c.put(e.key(), e.value(), !e.dead)
		}
		return true
	})
}

// reset forgets everything.
func (c *cache) reset() {
	c.c.Reset()
	c.filled.Store(0)
}
