package driver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// How a JetStream client is set where its defaults would stand in its way.
const (
	jetStreamPending = 16 << 10 // publishes that wait for their acknowledgements; the default is 4,000
	jetStreamAhead   = 1000     // messages that the client asks for before they are wanted
	jetStreamWait    = feedWait // for an answer or a message
)

// feedWait is how long a caller waits for a message that should be on its way.
const feedWait = 20 * time.Second

// JetStream opens NATS's own client on a stream with work-queue retention in files, and a pull consumer of it. With
// confirm every acknowledgement of a message waits until the server has confirmed it; else it is sent and forgotten, as
// the client has it by default.
func JetStream(confirm bool) OpenQueue {
	return func(addr string) (Queue, error) {
		nc, err := nats.Connect("nats://" + addr)
		if err != nil {
			return nil, fmt.Errorf("nats: connect to %s: %w", addr, err)
		}
		q := &jetStream{nc: nc, confirm: confirm}
		if err := q.open(); err != nil {
			nc.Close()
			return nil, fmt.Errorf("nats: set up a stream on %s: %w", addr, err)
		}
		return q, nil
	}
}

type jetStream struct {
	nc       *nats.Conn
	js       jetstream.JetStream
	consumer jetstream.Consumer
	confirm  bool
}

func (q *jetStream) open() (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), jetStreamWait)
	defer cancel()
	if q.js, err = jetstream.New(q.nc, jetstream.WithPublishAsyncMaxPending(jetStreamPending)); err != nil {
		return err
	}
	_, err = q.js.CreateOrUpdateStream(ctx, jetstream.StreamConfig{
		Name: queueName, Subjects: []string{queueName}, Retention: jetstream.WorkQueuePolicy, Storage: jetstream.FileStorage,
	})
	if err != nil {
		return err
	}
	q.consumer, err = q.js.CreateOrUpdateConsumer(ctx, queueName, jetstream.ConsumerConfig{
		Durable: queueName, AckPolicy: jetstream.AckExplicitPolicy, MaxAckPending: -1,
	})
	return err
}

// Push publishes and waits for the acknowledgement. The asynchronous call is used because it costs the client less than
// the synchronous one.
func (q *jetStream) Push(body []byte) error {
	f, err := q.js.PublishAsync(queueName, body)
	if err != nil {
		return err
	}
	return acknowledged(f)
}

func (q *jetStream) PushBatch(bodies [][]byte) error { return publishAll(q.js, queueName, bodies) }

// publishAll publishes bodies and waits until all are acknowledged.
func publishAll(js jetstream.JetStream, subject string, bodies [][]byte) error {
	futures := make([]jetstream.PubAckFuture, 0, len(bodies))
	for _, body := range bodies {
		f, err := js.PublishAsync(subject, body)
		if err != nil {
			return err
		}
		futures = append(futures, f)
	}
	for _, f := range futures {
		if err := acknowledged(f); err != nil {
			return err
		}
	}
	return nil
}

func acknowledged(f jetstream.PubAckFuture) error {
	select {
	case <-f.Ok():
		return nil
	case err := <-f.Err():
		return err
	}
}

// Work fetches: the whole of n, or what has come within jetStreamWait.
func (q *jetStream) Work(n int, see func(body []byte) error) (done int, err error) {
	batch, err := q.consumer.Fetch(n, jetstream.FetchMaxWait(jetStreamWait))
	if err != nil {
		return 0, err
	}
	for msg := range batch.Messages() {
		if err := q.settle(msg, see); err != nil {
			return done, err
		}
		done++
	}
	if err := batch.Error(); err != nil {
		return done, err
	}
	if done == 0 {
		return 0, ErrDrained
	}
	return done, nil
}

func (q *jetStream) settle(msg jetstream.Msg, see func(body []byte) error) error {
	if err := see(msg.Data()); err != nil {
		return err
	}
	if !q.confirm {
		return msg.Ack()
	}
	ctx, cancel := context.WithTimeout(context.Background(), jetStreamWait)
	defer cancel()
	return msg.DoubleAck(ctx)
}

// Close sends what has not left yet, so that no acknowledgement is lost with the connection.
func (q *jetStream) Close() error {
	err := q.nc.FlushTimeout(jetStreamWait)
	q.nc.Close()
	if errors.Is(err, nats.ErrConnectionClosed) { // the server was killed: whoever did it knows
		return nil
	}
	return err
}
