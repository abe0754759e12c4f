package fsm

import (
	"math"
	"sort"
)

// desc is what memory has of a batch. Its size and its number of records follow from the next one's.
type desc struct {
	off  uint32 // of its first record, from the block's base
	pos  uint32 // of its bytes, from the block's
	time int64  // largest timestamp
}

// block is a run of batches.
type block struct {
	base   int64 // offset of the first batch
	pos    int64 // bytes of the partition before it
	newest int64 // largest timestamp; it may be of a batch that has been removed
	items  []desc
}

const (
	blockItems = 512
	firstItems = 4
)

// batches are the descriptors of a partition's batches, in order of their offsets, which are dense.
type batches struct {
	blocks  []*block
	removed int   // of the first block
	count   int   // that are there
	pos     int64 // bytes of all that were ever added since the partition was loaded
}

// place is where a batch's descriptor is.
type place struct{ block, item int }

// add adds a batch behind the others.
func (l *batches) add(base int64, size int, time int64) {
	var b *block
	if n := len(l.blocks); n > 0 {
		b = l.blocks[n-1]
		if len(b.items) == blockItems || base-b.base > math.MaxUint32 || l.pos-b.pos > math.MaxUint32 {
			b = nil
		}
	}
	if b == nil {
		b = &block{base: base, pos: l.pos, newest: time, items: make([]desc, 0, firstItems)}
		l.blocks = append(l.blocks, b)
	}
	if len(b.items) == cap(b.items) {
		grown := make([]desc, len(b.items), min(2*cap(b.items), blockItems))
		copy(grown, b.items)
		b.items = grown
	}
	b.items = append(b.items, desc{off: uint32(base - b.base), pos: uint32(l.pos - b.pos), time: time})
	b.newest = max(b.newest, time)
	l.pos += int64(size)
	l.count++
}

// bytes is the size of all batches.
func (l *batches) bytes() int64 {
	if l.count == 0 {
		return 0
	}
	return l.pos - l.posOf(l.front())
}

// front is where the first batch is. There must be one.
func (l *batches) front() place { return place{0, l.removed} }

// back is where the last batch is. There must be one.
func (l *batches) back() place {
	n := len(l.blocks) - 1
	return place{n, len(l.blocks[n].items) - 1}
}

// next is the place behind p; ok is false behind the last.
func (l *batches) next(p place) (n place, ok bool) {
	if p.item++; p.item < len(l.blocks[p.block].items) {
		return p, true
	}
	p.block, p.item = p.block+1, 0
	return p, p.block < len(l.blocks)
}

func (l *batches) offsetOf(p place) int64 {
	b := l.blocks[p.block]
	return b.base + int64(b.items[p.item].off)
}

func (l *batches) posOf(p place) int64 {
	b := l.blocks[p.block]
	return b.pos + int64(b.items[p.item].pos)
}

func (l *batches) timeOf(p place) int64 { return l.blocks[p.block].items[p.item].time }

// sizeOf is the bytes of the batch at p.
func (l *batches) sizeOf(p place) int {
	end := l.pos
	if n, ok := l.next(p); ok {
		end = l.posOf(n)
	}
	return int(end - l.posOf(p))
}

// find returns where the batch is that holds an offset, which must not be below the first's.
func (l *batches) find(offset int64) place {
	i := sort.Search(len(l.blocks), func(i int) bool { return l.blocks[i].base > offset }) - 1
	b := l.blocks[i]
	k := sort.Search(len(b.items), func(k int) bool { return b.base+int64(b.items[k].off) > offset }) - 1
	return place{i, k}
}

// since returns where the first batch is that has a record not older than ms; ok is false if there is none.
func (l *batches) since(ms int64) (p place, ok bool) {
	for i, b := range l.blocks {
		if b.newest < ms {
			continue
		}
		k := 0
		if i == 0 {
			k = l.removed
		}
		for ; k < len(b.items); k++ {
			if b.items[k].time >= ms {
				return place{i, k}, true
			}
		}
	}
	return place{}, false
}

// shift removes the first batch.
func (l *batches) shift() {
	l.removed++
	l.count--
	if l.removed < len(l.blocks[0].items) {
		return
	}
	l.removed = 0
	l.blocks[0] = nil
	l.blocks = l.blocks[1:]
	if len(l.blocks) == 0 {
		l.blocks = nil
	}
}
