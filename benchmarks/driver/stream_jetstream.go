package driver

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// Acks is what members of a group do with a batch that they have dealt with.
type Acks int

const (
	AckEach Acks = iota // acknowledge each record
	AckLast             // acknowledge the last, and with it all before: every member needs a stream of its own
	AckNone             // nothing
)

// String returns what the client is told.
func (a Acks) String() string { return [...]string{"an ack each", "an ack a batch", "no acks"}[a] }

func (a Acks) policy() jetstream.AckPolicy {
	return [...]jetstream.AckPolicy{jetstream.AckExplicitPolicy, jetstream.AckAllPolicy, jetstream.AckNonePolicy}[a]
}

// JetStreamStream opens NATS's own client on so many streams in files, each with a durable pull consumer. Records are
// published to them in turn, members of the group fetch from them in turn. Acknowledgements are sent and not confirmed, as
// the client has it by default.
func JetStreamStream(streams int, acks Acks) OpenStream {
	return func(addr string) (Stream, error) {
		nc, err := nats.Connect("nats://" + addr)
		if err != nil {
			return nil, fmt.Errorf("nats: connect to %s: %w", addr, err)
		}
		q := &natsStream{nc: nc, acks: acks}
		if err := q.open(streams); err != nil {
			nc.Close()
			return nil, fmt.Errorf("nats: set up %d streams on %s: %w", streams, addr, err)
		}
		return q, nil
	}
}

type natsStream struct {
	nc        *nats.Conn
	js        jetstream.JetStream
	names     []string // of the streams, and of their subjects
	streams   []jetstream.Stream
	consumers []jetstream.Consumer
	acks      Acks
	turn      atomic.Uint64
}

func (q *natsStream) open(streams int) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), jetStreamWait)
	defer cancel()
	if q.js, err = jetstream.New(q.nc, jetstream.WithPublishAsyncMaxPending(jetStreamPending)); err != nil {
		return err
	}
	for i := range streams {
		name := streamName + strconv.Itoa(i)
		s, err := q.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{Name: name, Subjects: []string{name}, Storage: jetstream.FileStorage})
		if err != nil {
			return err
		}
		cfg := jetstream.ConsumerConfig{Durable: name, AckPolicy: q.acks.policy()}
		if q.acks != AckNone {
			cfg.MaxAckPending = -1
		}
		c, err := s.CreateOrUpdateConsumer(ctx, cfg)
		if err != nil {
			return err
		}
		q.names, q.streams, q.consumers = append(q.names, name), append(q.streams, s), append(q.consumers, c)
	}
	return nil
}

// Publish waits for the acknowledgement. The asynchronous call is used because it costs the client less than the
// synchronous one.
func (q *natsStream) Publish(body []byte) error {
	f, err := q.js.PublishAsync(q.next(), body)
	if err != nil {
		return err
	}
	return acknowledged(f)
}

func (q *natsStream) next() string {
	if len(q.names) == 1 {
		return q.names[0]
	}
	return q.names[q.turn.Add(1)%uint64(len(q.names))]
}

func (q *natsStream) Fill(place int, bodies [][]byte) error {
	return publishAll(q.js, q.names[place%len(q.names)], bodies)
}

func (q *natsStream) Stored() (n uint64, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), jetStreamWait)
	defer cancel()
	for _, s := range q.streams {
		info, err := s.Info(ctx)
		if err != nil {
			return 0, err
		}
		n += info.State.Msgs
	}
	return n, nil
}

// Sender returns a sender that waits for the oldest of its window when that is full.
func (q *natsStream) Sender(window int) (Sender, error) {
	return &natsSender{natsStream: q, under: make([]jetstream.PubAckFuture, window)}, nil
}

type natsSender struct {
	*natsStream
	under []jetstream.PubAckFuture // a ring of those under way
	sent  int
}

func (s *natsSender) Send(body []byte) (acked int, err error) {
	at := s.sent % len(s.under)
	if old := s.under[at]; old != nil {
		if err := acknowledged(old); err != nil {
			return 0, err
		}
		acked = 1
	}
	s.under[at], err = s.js.PublishAsync(s.next(), body)
	s.sent++
	return acked, err
}

func (s *natsSender) Flush() (acked int, err error) {
	for i, f := range s.under {
		if f == nil {
			continue
		}
		if err := acknowledged(f); err != nil {
			return acked, err
		}
		s.under[i] = nil
		acked++
	}
	return acked, nil
}

// Close sends what has not left yet, so that no acknowledgement is lost with the connection.
func (q *natsStream) Close() error {
	err := q.nc.FlushTimeout(jetStreamWait)
	q.nc.Close()
	if errors.Is(err, nats.ErrConnectionClosed) { // the server was killed: whoever did it knows
		return nil
	}
	return err
}
