package driver

import (
	"context"
	"errors"
	"sync"
	"time"

	flin "github.com/skshohagmiah/flin/clients/go"
)

// FlinFeed is FlinQueue with the messages that the client's Receive hands to callers handlers: Work deals with one of
// them, whatever n is, and leaves it to Receive to acknowledge it. The feed begins with the first Work.
func FlinFeed(callers int) OpenQueue {
	return func(addr string) (Queue, error) {
		q, err := FlinQueue(addr)
		if err != nil {
			return nil, err
		}
		f := &flinFeed{Queue: q, callers: callers, msgs: make(chan fed), ended: make(chan error, 1)}
		f.ctx, f.stop = context.WithCancel(context.Background())
		return f, nil
	}
}

// fed is a message that waits for what Work says of it.
type fed struct {
	body []byte
	said chan<- error
}

type flinFeed struct {
	Queue
	callers int
	msgs    chan fed
	ctx     context.Context // of Receive
	stop    context.CancelFunc

	once  sync.Once  // begins the feed
	ended chan error // what Receive returned
	began bool
}

func (f *flinFeed) begin() {
	q, ok := f.Queue.(flinQueue)
	if !ok {
		return
	}
	f.began = true
	go func() {
		f.ended <- q.c.Queue.Receive(f.ctx, queueName, func(_ context.Context, m *flin.Message) error {
			said := make(chan error, 1)
			select {
			case f.msgs <- fed{m.Body, said}:
				return <-said
			case <-f.ctx.Done():
				return f.ctx.Err()
			}
		}, flin.Concurrency(f.callers))
	}()
}

// Work takes the next message of the feed.
func (f *flinFeed) Work(_ int, see func(body []byte) error) (int, error) {
	f.once.Do(f.begin)
	var m fed
	select {
	case m = <-f.msgs:
	default:
		late := time.NewTimer(feedWait)
		defer late.Stop()
		select {
		case m = <-f.msgs:
		case err := <-f.ended:
			f.ended <- err
			return 0, err
		case <-late.C:
			return 0, ErrDrained
		}
	}
	err := see(m.body)
	m.said <- err
	if err != nil {
		return 0, err
	}
	return 1, nil
}

// Close ends the feed when all that it handed out is acknowledged, and then the connection.
func (f *flinFeed) Close() (err error) {
	f.stop()
	if f.began {
		err = <-f.ended
	}
	return errors.Join(err, f.Queue.Close())
}
