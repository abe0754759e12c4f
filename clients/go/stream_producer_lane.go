package flin

import (
	"math/rand/v2"
	"time"

	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/wire"
)

const (
	flights = 4         // batches of a lane on their way: the server remembers the last five
	forgets = time.Hour // of silence after which the server may have forgotten a producer: it does after days
)

// lane is the batches for one partition, guarded by its producer's mu.
//
// The server knows a producer in a partition by the batch that it has stored last. As long as it knows none it takes any sequence for
// the first, so only one batch is on its way until one has been stored.
type lane struct {
	producer *Producer
	number   int32    // of the partition
	line     []*batch // that take no more records and are not settled, in order
	open     *batch   // takes records; nil: none
	flying   int      // batches of line that are on their way
	conn     *conn    // that they went over; the sender's
	id       int64    // of the producer
	next     int32    // sequence of the next record
	known    bool     // the server has stored a batch of this id
	last     time.Time
	broken   bool      // batches must be sent again, when none is on its way any more
	again    time.Time // but not before
	tries    int       // since a batch was stored
	renew    bool      // another id is needed
	active   bool      // is in the producer's active
	made     uint64    // batches, ever
	told     uint64    // batches whose callbacks have been called
}

// batch is records that are stored together. Between two sends it belongs to the sender.
type batch struct {
	lane     *lane
	builder  record.Builder
	body     []byte // the finished batch, if it is compressed
	done     []func(Position, error)
	cost     int       // bytes that it adds to the producer's pending
	kept     int       // bytes that it added to the producer's kept
	since    time.Time // of its first record
	numbered bool
	id       int64 // with numbered: the producer's, and the first record's sequence
	first    int32
	flies    bool
	sent     time.Time
	conn     *conn // that it went over; the sender's
	unsure   bool  // it may be stored although nobody has said so
	stored   bool  // it is,
	base     int64 // and its first record has this offset
	failed   error // it is given up
	cause    error // what went wrong last

	call call
}

// lane returns where a record goes. It is called with mu held.
func (p *Producer) lane(partition int, key []byte) (*lane, error) {
	switch {
	case partition >= 0 && partition < len(p.lanes):
		return p.lanes[partition], nil
	case partition != AnyPartition || len(p.lanes) == 0:
		return nil, wire.Errorf(wire.OutOfRange, "flin: partition %d is not there: topic %q has %d", partition, p.topic, len(p.lanes))
	case key != nil:
		return p.lanes[record.Partition(key, len(p.lanes))], nil
	}
	if p.sticky == nil || p.sticky.open == nil {
		next := p.lanes[rand.IntN(len(p.lanes))]
		if next == p.sticky {
			next = p.lanes[(int(next.number)+1)%len(p.lanes)]
		}
		p.sticky = next
	}
	return p.sticky, nil
}

// add puts a record into the lane's batch.
func (l *lane) add(r *record.Record, size int, done func(Position, error)) {
	p := l.producer
	cost := size + record.Overhead + len(r.Headers)*record.HeaderOverhead
	if l.open != nil && l.open.builder.Size()+cost > p.maxBatch {
		l.shut()
		p.rouse()
	}
	if l.open == nil {
		l.open = p.newBatch(l)
		l.made++
		if !l.active {
			l.active = true
			p.active = append(p.active, l)
		}
		p.rouse()
	}
	b := l.open
	if done != nil {
		for len(b.done) < b.builder.Len() {
			b.done = append(b.done, nil)
		}
		b.done = append(b.done, done)
	}
	b.builder.Add(r)
	b.cost += cost
	p.pending += cost
}

// shut lets the lane's batch take no more records.
func (l *lane) shut() {
	if l.open != nil {
		l.line = append(l.line, l.open)
		l.open = nil
	}
}

func (p *Producer) newBatch(l *lane) *batch {
	b := new(batch)
	if n := len(p.spare); n > 0 {
		b = p.spare[n-1]
		p.spare[n-1] = nil
		p.spare = p.spare[:n-1]
		p.kept -= b.kept
	}
	b.lane, b.since = l, time.Now()
	return b
}

// recycle keeps a batch that has been told for later, unless as much is kept as may be pending.
func (p *Producer) recycle(b *batch) {
	kept := max(b.cost, b.kept) // about as much memory as it has
	if p.kept+kept > p.maxPending {
		return
	}
	b.builder.Reset()
	clear(b.done)
	*b = batch{builder: b.builder, body: b.body[:0], done: b.done[:0], kept: kept}
	p.spare = append(p.spare, b)
	p.kept += kept
}

// number gives the batch its place in the order of the lane's. One that has it keeps it.
func (b *batch) number() {
	if b.numbered {
		return
	}
	l := b.lane
	b.numbered, b.id, b.first = true, l.id, l.next
	l.next = int32((uint32(l.next) + uint32(b.builder.Len())) & (1<<31 - 1))
	b.body = b.body[:0]
}

// Append appends the payload of the request that stores the batch.
func (b *batch) Append(p []byte) []byte {
	p = wire.AppendVarint(wire.AppendBytes(p, b.lane.producer.topic), int64(b.lane.number))
	if len(b.body) > 0 {
		return append(p, b.body...)
	}
	p, _ = b.builder.AppendTo(p, NoCompression, b.producer()) // a batch that has records and no compression does not fail
	return p
}

func (b *batch) producer() record.Producer {
	return record.Producer{ID: b.id, Epoch: 0, Sequence: b.first}
}

// resolved reports whether nothing is to be done for the batch any more.
func (b *batch) resolved() bool { return b.stored || b.failed != nil }

// finished takes the answer, or the news that there will be none, from a connection.
func (b *batch) finished() {
	p := b.lane.producer
	p.mu.Lock()
	defer p.mu.Unlock()
	p.answered = append(p.answered, b)
	p.rouse()
}
