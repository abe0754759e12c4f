package driver

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/redis/rueidis"
)

// RueidisQueue opens rueidis for a list that is used as a queue: LPUSH and RPOP. It is left at its defaults.
func RueidisQueue(addr string) (Queue, error) {
	c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{addr}})
	if err != nil {
		return nil, fmt.Errorf("rueidis: connect to %s: %w", addr, err)
	}
	return rueidisQueue{c}, nil
}

type rueidisQueue struct{ c rueidis.Client }

func (q rueidisQueue) Push(body []byte) error {
	cmd := q.c.B().Lpush().Key(queueName).Element(rueidis.BinaryString(body)).Build()
	return q.c.Do(context.Background(), cmd).Error()
}

func (q rueidisQueue) PushBatch(bodies [][]byte) error {
	if len(bodies) == 0 {
		return nil
	}
	cmd := q.c.B().Lpush().Key(queueName).Element(rueidis.BinaryString(bodies[0]))
	for _, body := range bodies[1:] {
		cmd = cmd.Element(rueidis.BinaryString(body))
	}
	return q.c.Do(context.Background(), cmd.Build()).Error()
}

// Pop does not wait: RPOP cannot.
func (q rueidisQueue) Pop(wait time.Duration) ([]byte, error) {
	if wait > 0 {
		return nil, errors.New("rueidis: RPOP does not wait for a message")
	}
	body, err := q.c.Do(context.Background(), q.c.B().Rpop().Key(queueName).Build()).AsBytes()
	if rueidis.IsRedisNil(err) {
		return nil, ErrDrained
	}
	return body, err
}

func (q rueidisQueue) Close() error {
	q.c.Close()
	return nil
}
