package driver

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/nats-io/nats.go/jetstream"
)

// JetStreamFeed is JetStream with messages that the server sends ahead of the calls, which is how single ones are worked
// off fastest: Work deals with one message, whatever n is. The feed begins with the first Work.
func JetStreamFeed(confirm bool) OpenQueue {
	open := JetStream(confirm)
	return func(addr string) (Queue, error) {
		q, err := open(addr)
		if err != nil {
			return nil, err
		}
		inner, ok := q.(*jetStream)
		if !ok {
			return nil, errors.Join(fmt.Errorf("a feed of %T", q), q.Close())
		}
		return &jetStreamFeed{jetStream: inner, msgs: make(chan jetstream.Msg), closed: make(chan struct{})}, nil
	}
}

type jetStreamFeed struct {
	*jetStream
	msgs   chan jetstream.Msg
	closed chan struct{}

	once    sync.Once // begins the feed
	began   error
	consume jetstream.ConsumeContext
}

func (q *jetStreamFeed) begin() {
	q.consume, q.began = q.consumer.Consume(func(msg jetstream.Msg) {
		select {
		case q.msgs <- msg:
		case <-q.closed:
		}
	}, jetstream.PullMaxMessages(jetStreamAhead))
}

// Work takes the next message of the feed.
func (q *jetStreamFeed) Work(_ int, see func(body []byte) error) (int, error) {
	q.once.Do(q.begin)
	if q.began != nil {
		return 0, q.began
	}
	var msg jetstream.Msg
	select {
	case msg = <-q.msgs:
	default:
		late := time.NewTimer(jetStreamWait)
		defer late.Stop()
		select {
		case msg = <-q.msgs:
		case <-late.C:
			return 0, ErrDrained
		}
	}
	if err := q.settle(msg, see); err != nil {
		return 0, err
	}
	return 1, nil
}

// Close ends the feed and the connection.
func (q *jetStreamFeed) Close() error {
	close(q.closed)
	if q.consume != nil {
		q.consume.Stop()
	}
	return q.jetStream.Close()
}
