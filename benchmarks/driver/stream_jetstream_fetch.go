package driver

import (
	"fmt"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

func (q *natsStream) Consumer(i, n int) (Consumer, error) {
	if q.acks == AckLast && n > len(q.consumers) {
		return nil, fmt.Errorf("nats: %d members of %d streams would acknowledge one another's records", n, len(q.consumers))
	}
	return &natsConsumer{from: q.consumers[i%len(q.consumers)], acks: q.acks}, nil
}

type natsConsumer struct {
	from jetstream.Consumer
	acks Acks
}

// Next fetches what is there, up to n.
func (c *natsConsumer) Next(n int, wait time.Duration, see func(body []byte) error) (done int, err error) {
	var batch jetstream.MessageBatch
	if wait > 0 {
		batch, err = c.from.Fetch(n, jetstream.FetchMaxWait(wait))
	} else {
		batch, err = c.from.FetchNoWait(n)
	}
	if err != nil {
		return 0, err
	}
	var last jetstream.Msg
	for msg := range batch.Messages() {
		if err := see(msg.Data()); err != nil {
			return done, err
		}
		if c.acks == AckEach {
			if err := msg.Ack(); err != nil {
				return done, err
			}
		}
		last = msg
		done++
	}
	if err := batch.Error(); err != nil {
		return done, err
	}
	if c.acks == AckLast && last != nil {
		return done, last.Ack()
	}
	return done, nil
}

// Close leaves the durable consumer as it is.
func (c *natsConsumer) Close() error { return nil }
