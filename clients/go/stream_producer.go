package flin

import (
	"context"
	"sync"
	"time"

	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Producer publishes records to a topic without waiting for each. It puts them together to batches, one line of them for each
// partition, has up to four of a line on their way at a time, and sends what was not answered again: the server stores it once and in the order
// in which it was sent, whatever happens to connections and servers meanwhile.
//
// A Producer may be used by any number of goroutines. It is to be closed. Callbacks must not call its Flush or Close, nor the Client's
// Close: these wait for the callbacks. They may call Send.
type Producer struct {
	stream     *Stream
	topic      []byte
	linger     time.Duration
	maxBatch   int
	maxPending int
	codec      Codec
	timeout    time.Duration // from when a batch is begun to when it is given up

	wake chan struct{} // has an element when the sender that sleeps has something to look at
	over chan struct{} // closed when the last record is settled after close, or has been given up

	mu       sync.Mutex    // guards what follows; never held across a request or a callback
	lanes    []*lane       // by their partitions
	active   []*lane       // those with batches
	sticky   *lane         // for records without key; another one when its batch is closed
	largest  int           // bytes of a record
	id       int64         // of the producer; a lane may have a newer one
	pending  int           // bytes of records that are not settled
	flying   int           // batches on their way
	took     time.Duration // how long their answers take of late
	asleep   bool          // the sender
	closed   bool
	aborted  error         // why everything that is left is given up
	failure  error         // the first since the last Flush
	room     chan struct{} // closed when pending has shrunk, if somebody waits for that
	moved    chan struct{} // closed when callbacks have been called, if somebody waits for that
	answered []*batch      // whose answers the sender has not looked at
	settled  []*batch      // whose callbacks have not been called
	tell     *sync.Cond    // of mu: settled has something, or the sender has ended
	ended    bool          // the sender
	spare    []*batch      // for later
	kept     int           // bytes of spare
}

// Producer returns a producer for a topic, which must be there: else ErrNotFound.
func (s *Stream) Producer(topic string, opts ...ProducerOption) (*Producer, error) {
	p := &Producer{
		stream: s, topic: []byte(topic), maxBatch: defaultBatch, maxPending: defaultPending, timeout: defaultDelivery,
		wake: make(chan struct{}, 1), over: make(chan struct{}),
	}
	p.tell = sync.NewCond(&p.mu)
	for _, o := range opts {
		o.producer(p)
	}
	if p.codec > Zstd {
		return nil, wire.Errorf(wire.Invalid, "flin: there is no codec %d", p.codec)
	}
	info, err := s.Topic(topic)
	if err != nil {
		return nil, err
	}
	if p.id, err = s.producerID(); err != nil {
		return nil, err
	}
	p.grow(&info)
	if !s.client.pool.start(p.run) {
		return nil, ErrClosed
	}
	return p, nil
}

// producerID returns an id that no producer has had.
func (s *Stream) producerID() (int64, error) {
	resp, err := s.ask(wire.OpStreamProducer, repeats, nothing{})
	return resp.Num, err
}

// nothing is an empty payload.
type nothing struct{}

// Append appends nothing.
func (nothing) Append(b []byte) []byte { return b }

// grow takes in how many partitions the topic has, and how large a record may be. It is called with mu held, or before anybody
// else has the Producer.
func (p *Producer) grow(info *TopicInfo) {
	p.largest = info.MaxMessage
	for i := len(p.lanes); i < len(info.Partitions); i++ {
		p.lanes = append(p.lanes, &lane{producer: p, number: int32(i), id: p.id})
	}
}

// Send takes a record in for a partition, or with AnyPartition for the one that its key says; those without a key go to one partition
// for a batch, then to another. Topic, Partition and Offset of the record are not looked at; a nil Key is none, a nil Value is null, a
// Timestamp that is zero is now. Nothing of the record is kept.
//
// done, unless it is nil, is called when the record is stored, with where it is, or when it is given up, with why: ErrOutcomeUnknown if it
// may be stored all the same. It is called from one goroutine, for the records of a partition in their order; while it runs no other is
// told. An Offset of -1 without an error is a record that was stored long ago.
//
// Send waits while there are more than MaxPending bytes of records that are not stored. Its error is about the record, which
// was not taken in: ErrTooLarge, ErrOutOfRange, ErrClosed, or the end of the context of the Client.
func (p *Producer) Send(partition int, r Record, done func(Position, error)) error {
	rec := record.Record{Key: r.Key, Value: r.Value}
	if r.Timestamp.IsZero() {
		rec.Timestamp = time.Now().UnixMilli()
	} else {
		rec.Timestamp = max(r.Timestamp.UnixMilli(), 0)
	}
	if len(r.Headers) > 0 {
		if len(r.Headers) > wire.MaxHeaders {
			return wire.Errorf(wire.Invalid, "flin: a record with %d headers is over the limit of %d", len(r.Headers), wire.MaxHeaders)
		}
		rec.Headers = wireHeaders(make([]wire.Header, 0, len(r.Headers)), r.Headers)
		if n := record.Size(&rec) - len(r.Key) - len(r.Value); n > wire.MaxHeaderBytes {
			return wire.Errorf(wire.TooLarge, "flin: a record with %d bytes of names and values of headers is over the limit of %d", n, wire.MaxHeaderBytes)
		}
	}
	size := record.Size(&rec)
	p.mu.Lock()
	defer p.mu.Unlock()
	if size > p.largest {
		return wire.Errorf(wire.TooLarge, "flin: a record of %d bytes is over the limit of %d of topic %q (its MaxMessage)", size, p.largest, p.topic)
	}
	if err := p.await(size); err != nil {
		return err
	}
	l, err := p.lane(partition, r.Key)
	if err != nil {
		return err
	}
	l.add(&rec, size, done)
	return nil
}

// await returns when there is room for so many bytes. It is called with mu held, and gives it up meanwhile.
func (p *Producer) await(size int) error {
	for {
		switch {
		case p.closed || p.aborted != nil:
			return ErrClosed
		case p.pending == 0 || p.pending+size <= p.maxPending:
			return nil
		}
		if p.room == nil {
			p.room = make(chan struct{})
			if p.linger > 0 { // there is nothing left to linger for
				p.shutAll()
			}
		}
		room, ctx := p.room, p.stream.client.ctx
		p.mu.Unlock()
		var err error
		select {
		case <-room:
		case <-p.over:
		case <-ctx.Done():
			err = p.stream.client.over(&call{op: wire.OpStreamAppend}, false, context.Cause(ctx))
		}
		p.mu.Lock()
		if err != nil {
			return err
		}
	}
}

// Flush sends what was taken in without lingering, and returns when all of it is stored or given up and the callbacks have been
// called, or when ctx ends. It returns the first failure of a record since the last Flush.
func (p *Producer) Flush(ctx context.Context) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	type mark struct {
		l    *lane
		made uint64
	}
	var marks []mark
	p.shutAll()
	for _, l := range p.lanes {
		if l.made > l.told {
			marks = append(marks, mark{l, l.made})
		}
	}
	for _, m := range marks {
		for m.l.told < m.made {
			if p.moved == nil {
				p.moved = make(chan struct{})
			}
			moved := p.moved
			p.mu.Unlock()
			select {
			case <-moved:
			case <-ctx.Done():
			}
			p.mu.Lock()
			if m.l.told < m.made && ctx.Err() != nil {
				return context.Cause(ctx)
			}
		}
	}
	err := p.failure
	p.failure = nil
	return err
}

// Close flushes and ends the Producer, and returns as Flush does. It waits for as long as the DeliveryTimeout, unless the context of the
// Client it was made of ends before.
func (p *Producer) Close() error {
	p.mu.Lock()
	p.closed = true
	p.rouse()
	p.mu.Unlock()
	ctx := p.stream.client.ctx
	select {
	case <-p.over:
	case <-ctx.Done():
		p.abort(context.Cause(ctx))
		<-p.over
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	err := p.failure
	p.failure = nil
	return err
}

// abort gives up what is not settled.
func (p *Producer) abort(why error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.aborted == nil {
		p.aborted = why
	}
	p.rouse()
}

// shutAll lets every batch go. It is called with mu held.
func (p *Producer) shutAll() {
	for _, l := range p.active {
		l.shut()
	}
	p.rouse()
}

// rouse wakes the sender. It is called with mu held.
func (p *Producer) rouse() {
	if p.asleep {
		p.asleep = false
		p.wake <- struct{}{}
	}
}
