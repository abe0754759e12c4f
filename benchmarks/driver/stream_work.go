package driver

import (
	"errors"
	"fmt"

	"github.com/skshohagmiah/flin/benchmarks/load"
)

// StreamWork is what workers do to one stream, whichever client they do it with. Its records are numbers from 0 up. A record
// that comes twice to a group, or that is not as it was published, is a failure.
type StreamWork struct {
	Stream Stream
	numbered

	senders   []Sender
	consumers []Consumer
}

// NewStreamWork returns the work on s with bodies out of values.
func NewStreamWork(s Stream, values *load.Values) *StreamWork {
	w := &StreamWork{Stream: s}
	w.init(values)
	return w
}

// Published returns how many records have been published, when no run is under way and none failed.
func (w *StreamWork) Published() uint64 { return w.next.Load() }

// Publish publishes one record a call.
func (w *StreamWork) Publish() func(*load.Worker) load.Op {
	return func(*load.Worker) load.Op {
		var buf []byte
		return func() (int, error) {
			buf = w.body(buf, w.next.Add(1)-1)
			return 1, w.Stream.Publish(buf)
		}
	}
}

// PublishKeys publishes one record a call, each with a key of its own.
func (w *StreamWork) PublishKeys() func(*load.Worker) load.Op {
	return func(*load.Worker) load.Op {
		p, ok := w.Stream.(KeyPublisher)
		var buf []byte
		return func() (int, error) {
			if !ok {
				return 0, fmt.Errorf("%T has no keys: %w", w.Stream, errors.ErrUnsupported)
			}
			n := w.next.Add(1) - 1
			buf = w.body(buf, n)
			return 1, p.PublishKey(load.Key(n), buf)
		}
	}
}

// Fill publishes size records a call, batches in turn to all places, until there are limit records.
func (w *StreamWork) Fill(size int, limit uint64) func(*load.Worker) load.Op {
	return func(*load.Worker) load.Op {
		bodies := make([][]byte, size)
		return func() (int, error) {
			from, ok := claim(&w.next, uint64(size), limit)
			if !ok {
				return 0, load.ErrDone
			}
			for i := range bodies {
				bodies[i] = w.body(bodies[i], from+uint64(i))
			}
			return size, w.Stream.Fill(int(from/uint64(size)), bodies)
		}
	}
}

// Send makes a sender for each of n workers, and lets them send one record a call. What counts is what has been
// acknowledged: so a call may count for none, and for several.
func (w *StreamWork) Send(n, window int) (func(*load.Worker) load.Op, error) {
	s, ok := w.Stream.(Sending)
	if !ok {
		return nil, fmt.Errorf("%T cannot send without waiting: %w", w.Stream, errors.ErrUnsupported)
	}
	w.senders = w.senders[:0]
	for range n {
		sender, err := s.Sender(window)
		if err != nil {
			return nil, err
		}
		w.senders = append(w.senders, sender)
	}
	return func(worker *load.Worker) load.Op {
		var buf []byte
		sender := w.senders[worker.ID]
		return func() (int, error) {
			buf = w.body(buf, w.next.Add(1)-1)
			return sender.Send(buf)
		}
	}, nil
}

// Flush waits until all that was sent is acknowledged.
func (w *StreamWork) Flush() error {
	for _, s := range w.senders {
		if _, err := s.Flush(); err != nil {
			return err
		}
	}
	return nil
}

// CheckStored fails unless the server has as many records as were published.
func (w *StreamWork) CheckStored() error {
	n, err := w.Stream.Stored()
	if err == nil && n != w.Published() {
		err = fmt.Errorf("%d records were published and acknowledged, and the server has %d", w.Published(), n)
	}
	return err
}

// Join makes a group of n members.
func (w *StreamWork) Join(n int) error {
	for i := range n {
		c, err := w.Stream.Consumer(i, n)
		if err != nil {
			return fmt.Errorf("member %d of %d: %w", i, n, err)
		}
		w.consumers = append(w.consumers, c)
	}
	return nil
}

// Consume lets each worker be one of the members that Join has made, and take up to size records a call until there are no
// more for it.
func (w *StreamWork) Consume(size int) func(*load.Worker) load.Op {
	return func(worker *load.Worker) load.Op {
		check := bodyChecker{work: &w.numbered}
		see := check.check
		c := w.consumers[worker.ID]
		return func() (int, error) {
			n, err := c.Next(size, 0, see)
			if err == nil && n == 0 {
				err = load.ErrDone
			}
			return n, err
		}
	}
}

// Close ends the members and the client.
func (w *StreamWork) Close() (err error) {
	for _, c := range w.consumers {
		err = errors.Join(err, c.Close())
	}
	w.consumers = nil
	return errors.Join(err, w.Stream.Close())
}
