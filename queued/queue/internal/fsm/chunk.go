package fsm

import (
	"math/bits"
	"slices"
	"sort"
)

// status is what has become of a message.
type status uint8

const (
	ready   status = iota
	delayed        // ready at ext.until
	leased         // until ext.until
	doomed         // its last lease ran out: it is moved to the dead letters by the next tick
	gone
)

// ext is what is known of a message besides its content.
type ext struct {
	until    int64  // end of the lease or the delay, ms
	nonce    uint64 // of the receipt
	attempt  uint32 // deliveries so far
	status   status
	final    bool // no delivery follows this one when the lease runs out
	implicit bool // the delay is the one in the index: there is nothing to store
}

// msg is the content of a message. The slices are on loan from the log or from the chunk's value.
type msg struct {
	pushed    int64
	notBefore int64  // 0: none
	expires   int64  // 0: never
	group     []byte // empty: none
	headers   []byte // as in a payload: a count, names and values; empty: none
	body      []byte
}

// chunk is what memory has of a chunk beside its descriptor: while it is new, decoded in the cache, or has a state.
type chunk struct {
	q      *queue
	qid    uint64 // q.qid when it was made: another one means that the queue was cleared
	lane   *lane
	first  uint64
	flags  uint8
	n      int
	alive  int
	size   int      // bytes of headers and bodies, gone ones too
	bits   []uint64 // of messages that are gone
	word   [1]uint64
	ext    []ext    // nil: every message is as it was pushed
	deltas []uint32 // ids less first; nil: dense
	msgs   []msg    // nil: not loaded

	touched int64 // when the state was written last
	wake    int64 // no lease or delay ends before, ms
	pos     int   // in Machine.wakes, -1
	cached  int   // bytes in the cache, 0: is not in it
	newer   *chunk
	older   *chunk

	stored      bool   // the chunk is in the store
	storedAt    uint64 // under this first id
	stateStored bool   // so is its state
	rewrite     bool   // the stored chunk is not what it should be
	dirty       bool   // touched by this entry
	removed     bool   // is in no lane any more
	pinned      bool   // must stay loaded
	armed       bool   // an alarm is set for its compaction
}

func (c *chunk) id(i int) uint64 {
	if c.deltas == nil {
		return c.first + uint64(i)
	}
	return c.first + uint64(c.deltas[i])
}

func (c *chunk) lastID() uint64 { return c.id(c.n - 1) }

// from returns the index of the first message at or behind id, n if there is none.
func (c *chunk) from(id uint64) int {
	switch {
	case id <= c.first:
		return 0
	case c.deltas == nil:
		return int(min(id-c.first, uint64(c.n)))
	}
	return sort.Search(c.n, func(i int) bool { return c.id(i) >= id })
}

// index returns where the message is, gone or not.
func (c *chunk) index(id uint64) (int, bool) {
	i := c.from(id)
	return i, i < c.n && c.id(i) == id
}

func (c *chunk) isGone(i int) bool { return c.bits[i>>6]&(1<<(i&63)) != 0 }

// status returns what has become of a message.
func (c *chunk) status(i int) status {
	switch {
	case c.isGone(i):
		return gone
	case c.ext == nil:
		return ready
	}
	return c.ext[i].status
}

// attempt returns how often the message was delivered.
func (c *chunk) attempt(i int) uint32 {
	if c.ext == nil {
		return 0
	}
	return c.ext[i].attempt
}

// living returns the first message at or behind i that is not gone, n if there is none.
func (c *chunk) living(i int) int {
	for w := i >> 6; w < len(c.bits); w++ {
		word := ^c.bits[w]
		if w == i>>6 {
			word &= ^uint64(0) << (i & 63)
		}
		if word != 0 {
			return min(w<<6+bits.TrailingZeros64(word), c.n)
		}
	}
	return c.n
}

// grow makes room in the bitmap for n messages.
func (c *chunk) grow(n int) {
	if c.bits == nil {
		c.bits = c.word[:]
	}
	for len(c.bits)<<6 < n {
		c.bits = append(c.bits, 0)
	}
}

// extend returns the ext of a message, for writing.
func (c *chunk) extend(i int) *ext {
	if c.ext == nil {
		c.ext = make([]ext, c.n, max(c.n, cap(c.msgs)))
	}
	return &c.ext[i]
}

// plain reports whether nothing is to be stored of the messages but what they were pushed as.
func (c *chunk) plain() bool {
	if c.alive != c.n {
		return false
	}
	for i := range c.ext {
		if c.ext[i].explicit() {
			return false
		}
	}
	return true
}

func (e *ext) explicit() bool { return e.attempt != 0 || e.status != ready && !e.implicit }

// sparse reports whether less than a quarter of a chunk is alive and writing it anew would be worth the while.
func (m *Machine) sparse(c *chunk) bool {
	return c.alive*4 < c.n && int64(c.size)*int64(c.n-c.alive)/int64(c.n) > m.sparseBytes
}

const (
	sparseBytes = 64 << 10
	sparseAge   = 60_000 // ms without a change before a chunk is rewritten: the head of a busy queue goes by itself
)

// put adds a message at index i.
func (c *chunk) put(i int, id uint64, ms msg) {
	if c.n == 0 {
		c.first, c.flags = id, flagDense|flagGrouped
	}
	if i != c.n || id != c.first+uint64(c.n) {
		c.spread()
	}
	if c.deltas != nil {
		c.deltas = slices.Insert(c.deltas, i, uint32(id-c.first))
	}
	if i == c.n {
		c.msgs = append(c.msgs, ms)
	} else {
		c.msgs = slices.Insert(c.msgs, i, ms)
	}
	if c.ext != nil {
		c.ext = slices.Insert(c.ext, i, ext{})
	}
	c.n++
	c.alive++
	c.grow(c.n)
	if i != c.n-1 {
		for k := c.n - 1; k > i; k-- {
			c.mark(k, c.isGone(k-1))
		}
		c.mark(i, false)
	}
	c.size += len(ms.headers) + len(ms.body)
	c.note(&ms)
}

// spread makes the ids explicit.
func (c *chunk) spread() {
	c.flags &^= flagDense
	if c.deltas != nil {
		return
	}
	c.deltas = make([]uint32, c.n, max(c.n+1, cap(c.msgs)))
	for i := range c.deltas {
		c.deltas[i] = uint32(i)
	}
}

// note keeps the flags.
func (c *chunk) note(ms *msg) {
	if len(ms.group) != 0 {
		c.flags |= flagGroups
	} else {
		c.flags &^= flagGrouped
	}
	if ms.notBefore != 0 {
		c.flags |= flagDelays
	}
	if ms.expires != 0 {
		c.flags |= flagTTL
	}
}

func (c *chunk) mark(i int, gone bool) {
	if gone {
		c.bits[i>>6] |= 1 << (i & 63)
	} else {
		c.bits[i>>6] &^= 1 << (i & 63)
	}
}
