package driver

import (
	"errors"
	"time"

	flin "github.com/skshohagmiah/flin/clients/go"
)

// FlinQueue opens Flin's own client, left at its defaults, on a queue with the defaults of one that a push makes.
func FlinQueue(addr string) (Queue, error) {
	opts := flin.DefaultOptions(addr)
	opts.Name = "benchmark"
	c, err := flin.NewClient(opts)
	if err != nil {
		return nil, err
	}
	return flinQueue{c}, nil
}

type flinQueue struct{ c *flin.Client }

func (f flinQueue) Push(body []byte) error { return f.c.Queue.Push(queueName, body) }

func (f flinQueue) PushBatch(bodies [][]byte) error {
	_, err := f.c.Queue.PushBatch(queueName, bodies)
	return err
}

func (f flinQueue) Pop(wait time.Duration) (body []byte, err error) {
	if wait > 0 {
		body, err = f.c.Queue.Pop(queueName, flin.Wait(wait))
	} else {
		body, err = f.c.Queue.Pop(queueName)
	}
	return body, drained(err)
}

func (f flinQueue) Work(n int, see func(body []byte) error) (int, error) {
	if n == 1 {
		m, err := f.c.Queue.Lease(queueName)
		if err != nil {
			return 0, drained(err)
		}
		if err := see(m.Body); err != nil {
			return 0, err
		}
		return 1, m.Ack()
	}
	list, err := f.c.Queue.LeaseBatch(queueName, n)
	if err != nil {
		return 0, drained(err)
	}
	for _, m := range list {
		if err := see(m.Body); err != nil {
			return 0, err
		}
	}
	return f.c.Queue.AckBatch(list)
}

func (f flinQueue) Close() error { return f.c.Close() }

// drained turns the client's word for an empty queue into this package's.
func drained(err error) error {
	if errors.Is(err, flin.ErrEmpty) {
		return ErrDrained
	}
	return err
}
