package driver

import (
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	flin "github.com/skshohagmiah/flin/clients/go"
)

// FlinStream opens Flin's own client, left at its defaults, on a topic of so many partitions. Members of the group commit what
// they have dealt with, unless they are told not to.
func FlinStream(partitions int, commit bool) OpenStream {
	return func(addr string) (Stream, error) {
		opts := flin.DefaultOptions(addr)
		opts.Name = "benchmark"
		c, err := flin.NewClient(opts)
		if err != nil {
			return nil, err
		}
		if err := c.Stream.CreateTopic(streamName, partitions, -1); err != nil {
			_ = c.Close() // the first failure is what counts
			return nil, fmt.Errorf("make a topic of %d partitions on %s: %w", partitions, addr, err)
		}
		return &flinStream{c: c, partitions: partitions, commit: commit}, nil
	}
}

type flinStream struct {
	c          *flin.Client
	partitions int
	commit     bool
	producer   atomic.Pointer[flin.Producer] // of all senders
}

func (s *flinStream) Publish(body []byte) error {
	_, err := s.c.Stream.Publish(streamName, flin.AnyPartition, "", body)
	return err
}

func (s *flinStream) PublishKey(key string, body []byte) error {
	_, err := s.c.Stream.Publish(streamName, flin.AnyPartition, key, body)
	return err
}

func (s *flinStream) Fill(place int, bodies [][]byte) error {
	records := make([]flin.Record, len(bodies))
	for i, body := range bodies {
		records[i].Value = body
	}
	_, err := s.c.Stream.PublishBatch(streamName, place%s.partitions, records)
	return err
}

func (s *flinStream) Stored() (n uint64, err error) {
	info, err := s.c.Stream.Topic(streamName)
	for _, p := range info.Partitions {
		n += uint64(p.End - p.Start)
	}
	return n, err
}

// Sender returns a sender on a producer that all senders share.
func (s *flinStream) Sender(window int) (Sender, error) {
	if s.producer.Load() == nil {
		p, err := s.c.Stream.Producer(streamName)
		if err != nil {
			return nil, err
		}
		s.producer.Store(p)
	}
	f := &flinSender{producer: s.producer.Load(), window: window, more: make(chan struct{}, 1)}
	f.told = f.done
	return f, nil
}

type flinSender struct {
	producer *flin.Producer
	window   int
	told     func(flin.Position, error) // done, made once
	sent     int
	counted  int // of the acknowledged ones, those that were returned

	acked  atomic.Int64
	failed atomic.Pointer[error]
	more   chan struct{} // has an element when acked has grown
}

func (f *flinSender) done(_ flin.Position, err error) {
	if err != nil {
		f.failed.CompareAndSwap(nil, &err)
	}
	f.acked.Add(1)
	select {
	case f.more <- struct{}{}:
	default:
	}
}

func (f *flinSender) Send(body []byte) (acked int, err error) {
	if acked, err = f.await(f.window - 1); err != nil {
		return acked, err
	}
	f.sent++
	return acked, f.producer.Send(flin.AnyPartition, flin.Record{Value: body}, f.told)
}

func (f *flinSender) Flush() (acked int, err error) { return f.await(0) }

// await returns when at most so many are under way, with how many were acknowledged.
func (f *flinSender) await(under int) (acked int, err error) {
	for f.sent-int(f.acked.Load()) > under {
		<-f.more
	}
	if failed := f.failed.Load(); failed != nil {
		return 0, *failed
	}
	n := int(f.acked.Load())
	acked, f.counted = n-f.counted, n
	return acked, nil
}

// Consumer subscribes. When the last of n members has, each has its share.
func (s *flinStream) Consumer(i, _ int) (Consumer, error) {
	c := &flinConsumer{flinStream: s, name: "consumer" + strconv.Itoa(i)}
	return c, s.c.Stream.Subscribe(streamName, streamName, c.name)
}

type flinConsumer struct {
	*flinStream
	name string
	upto []flin.Position // where the records of a batch end
}

func (c *flinConsumer) Next(n int, wait time.Duration, see func(body []byte) error) (int, error) {
	var list []flin.Record
	var err error
	if wait > 0 {
		list, err = c.c.Stream.Consume(streamName, streamName, c.name, n, flin.Wait(wait))
	} else {
		list, err = c.c.Stream.Consume(streamName, streamName, c.name, n)
	}
	if err != nil || len(list) == 0 {
		return 0, err
	}
	c.upto = c.upto[:0]
	for i := range list {
		r := &list[i]
		if err := see(r.Value); err != nil {
			return 0, err
		}
		if last := len(c.upto) - 1; last < 0 || c.upto[last].Partition != r.Partition {
			c.upto = append(c.upto, flin.Position{Partition: r.Partition})
		}
		c.upto[len(c.upto)-1].Offset = r.Offset + 1
	}
	if c.commit {
		err = c.c.Stream.CommitBatch(streamName, streamName, c.upto)
	}
	return len(list), err
}

// Close leaves the group.
func (c *flinConsumer) Close() error { return c.c.Stream.Unsubscribe(streamName, streamName, c.name) }

// PartitionReader is a Stream of which partitions can be read by offset.
type PartitionReader interface {
	Partitions() int
	// ReadPartition reads what the answer to one request brings, at most maxBytes, from an offset on and calls see for each
	// record. It returns the offset to go on at, the same if there is nothing.
	ReadPartition(ctx context.Context, partition int, from int64, maxBytes int, see func(body []byte) error) (next int64, err error)
}

func (s *flinStream) Partitions() int { return s.partitions }

func (s *flinStream) ReadPartition(ctx context.Context, partition int, from int64, maxBytes int, see func(body []byte) error) (next int64, err error) {
	list, err := s.c.With(ctx).Stream.Fetch(streamName, partition, from, flin.MaxBytes(int64(maxBytes)))
	if err != nil {
		return from, err
	}
	for i := range list {
		if err := see(list[i].Value); err != nil {
			return from, err
		}
		from = list[i].Offset + 1
	}
	return from, nil
}

func (s *flinStream) Close() (err error) {
	if p := s.producer.Load(); p != nil {
		err = p.Close()
	}
	if closed := s.c.Close(); err == nil {
		err = closed
	}
	return err
}
