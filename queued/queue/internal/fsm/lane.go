package fsm

import "slices"

// Flags of a chunk, in its head and its descriptor.
const (
	flagDense   = 1 << iota // the ids follow one another
	flagGroups              // some messages have a group
	flagGrouped             // all have
	flagDelays              // some were pushed with a delay
	flagTTL                 // some expire
)

// roster are the flags of chunks whose index is stored a second time.
const flagRoster = flagGroups | flagDelays

// desc is what memory always has of a chunk. While it has the chunk itself that knows better.
type desc struct {
	first uint64
	bits  uint64 // time of the push, ms<<18 | messages-1 <<8 | flags
	c     *chunk
}

const maxChunk = 1024 // messages of a chunk

func newDesc(first uint64, pushed int64, n int, flags uint8, c *chunk) desc {
	return desc{first: first, bits: uint64(pushed)<<18 | uint64(n-1)<<8 | uint64(flags), c: c}
}

func (d *desc) pushed() int64 { return int64(d.bits >> 18) }

func (d *desc) n() int {
	if d.c != nil {
		return d.c.n
	}
	return int(d.bits>>8&(maxChunk-1)) + 1
}

func (d *desc) flags() uint8 {
	if d.c != nil {
		return d.c.flags
	}
	return uint8(d.bits)
}

// lane is what a queue has in one priority.
type lane struct {
	prio   uint8
	blocks [][]desc // by first id; none is empty. The ranges of ids of two chunks never overlap
	chunks int
	open   int    // messages without a group that are ready
	tail   *chunk // to which this entry's pushes go
	last   *chunk // was found last

	// Ready messages without a group are found in two places: in back those with an id below next, and by going on from
	// next the others. So each message is passed once, however many of those before it are leased.
	back idlist
	next uint64
	cur  *chunk // that next is in, if it is known
	at   int    // and where
}

const blockSize = 256 // descriptors

// seek returns where the last chunk is that begins at or below id; b is -1 if there is none.
func (l *lane) seek(id uint64) (b, i int) {
	lo, hi := 0, len(l.blocks)
	if hi > 0 && (hi == 1 || l.blocks[1][0].first > id) {
		hi = 1
	} else if hi > 1 && l.blocks[hi-1][0].first <= id {
		lo = hi - 1
	}
	for lo < hi {
		if mid := int(uint(lo+hi) >> 1); l.blocks[mid][0].first <= id {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if b = lo - 1; b < 0 {
		return -1, -1
	}
	blk := l.blocks[b]
	lo, hi = 1, len(blk)
	if blk[hi-1].first <= id {
		return b, hi - 1
	}
	for lo < hi {
		if mid := int(uint(lo+hi) >> 1); blk[mid].first <= id {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return b, lo - 1
}

// follow returns the place behind b, i; ok is false at the end. A b of -1 is before the first.
func (l *lane) follow(b, i int) (int, int, bool) {
	if b < 0 {
		return 0, 0, len(l.blocks) > 0
	}
	if i+1 < len(l.blocks[b]) {
		return b, i + 1, true
	}
	return b + 1, 0, b+1 < len(l.blocks)
}

// insert adds a chunk at its place.
func (l *lane) insert(d desc) {
	l.chunks++
	b, i := l.seek(d.first)
	if b < 0 {
		if len(l.blocks) == 0 {
			l.blocks = append(l.blocks, []desc{d})
			return
		}
		b, i = 0, -1
	}
	blk := l.blocks[b]
	last := b == len(l.blocks)-1 && i == len(blk)-1
	switch {
	case len(blk) < blockSize && last:
		l.blocks[b] = append(blk, d)
	case last:
		l.blocks = append(l.blocks, append(make([]desc, 0, blockSize), d))
	case len(blk) < blockSize:
		l.blocks[b] = slices.Insert(blk, i+1, d)
	default:
		half := slices.Clone(blk[blockSize/2:])
		clear(blk[blockSize/2:])
		l.blocks[b] = blk[:blockSize/2]
		l.blocks = slices.Insert(l.blocks, b+1, half)
		l.chunks--
		l.insert(d)
	}
}

// desc returns the descriptor of the chunk that begins at first, or nil.
func (l *lane) desc(first uint64) *desc {
	b, i := l.seek(first)
	if b < 0 || l.blocks[b][i].first != first {
		return nil
	}
	return &l.blocks[b][i]
}

// remove takes out the chunk that begins at first.
func (l *lane) remove(first uint64) {
	b, i := l.seek(first)
	if b < 0 || l.blocks[b][i].first != first {
		return
	}
	l.chunks--
	blk := l.blocks[b]
	switch {
	case len(blk) == 1:
		l.blocks[b] = nil
		if b == 0 {
			l.blocks = l.blocks[1:]
		} else {
			l.blocks = slices.Delete(l.blocks, b, b+1)
		}
	case i == 0:
		blk[0] = desc{}
		l.blocks[b] = blk[1:]
	default:
		l.blocks[b] = slices.Delete(blk, i, i+1)
	}
}
