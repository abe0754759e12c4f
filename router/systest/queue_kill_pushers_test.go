package systest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/skshohagmiah/flin/clients/go"
)

// The queues of the kill loop.
const (
	leasedQueue = "kill.leased" // messages are leased from it
	takenQueue  = "kill.taken"  // messages are taken from it for good
)

// pusher pushes messages of its own, whose bodies tell them apart.
type pusher struct {
	name  string
	rng   *rand.Rand
	depot *depot
	storm *storm
	last  int64
}

func newPusher(name string, n int, seed uint64, d *depot, st *storm) *pusher {
	return &pusher{name: name, rng: rand.New(rand.NewPCG(seed, 100+uint64(n))), depot: d, storm: st}
}

// consignment is one command that a pusher is about to give.
type consignment struct {
	queue    string
	names    []string
	bodies   [][]byte
	delay    time.Duration
	priority uint8
}

// next makes up a push and notes it.
func (p *pusher) next() consignment {
	c := consignment{queue: leasedQueue}
	if p.rng.IntN(4) == 0 {
		c.queue = takenQueue
	}
	n := 1
	if p.rng.IntN(4) == 0 {
		n = 2 + p.rng.IntN(7)
	}
	for range n {
		p.last++
		name, body := parcelBody(p.name, p.last)
		c.names, c.bodies = append(c.names, name), append(c.bodies, body)
	}
	if n == 1 && p.rng.IntN(8) == 0 {
		c.delay = time.Duration(1+p.rng.IntN(300)) * time.Millisecond
	}
	if n == 1 && p.rng.IntN(4) == 0 {
		c.priority = uint8(1 + p.rng.IntN(3))
	}
	p.depot.send(c.queue, c.delay, c.names...)
	return c
}

// rest waits while many messages are under way.
func (p *pusher) rest(ctx context.Context) {
	for ctx.Err() == nil && p.depot.crowded() {
		time.Sleep(time.Millisecond) // a count gives no sign
	}
}

// natively pushes through the Go client, one call at a time.
func (p *pusher) natively(ctx context.Context, client *flin.Client) {
	for ctx.Err() == nil {
		p.rest(ctx)
		c := p.next()
		opts := []flin.PushOption{}
		if c.delay > 0 {
			opts = append(opts, flin.Delay(c.delay))
		}
		if c.priority > 0 {
			opts = append(opts, flin.Priority(c.priority))
		}
		if len(c.bodies) == 1 && p.rng.IntN(4) == 0 {
			p.depot.answered(p.again(ctx, client, c, append(opts, flin.DedupID(c.names[0]))), c.names...)
			continue
		}
		var err error
		if len(c.bodies) == 1 {
			err = client.Queue.Push(c.queue, c.bodies[0], opts...)
		} else {
			_, err = client.Queue.PushBatch(c.queue, c.bodies, opts...)
		}
		if err != nil && !expected(err) {
			p.storm.fail("%s: push: %v", p.name, err)
		}
		p.depot.answered(fate(err), c.names...)
	}
}

// again pushes a message that has a dedup id until that is answered, and now and then once more: it must be there once.
func (p *pusher) again(ctx context.Context, client *flin.Client, c consignment, opts []flin.PushOption) outcome {
	last, lost := "", false
	for times := 1 + p.rng.IntN(2); times > 0; {
		id, err := client.Queue.Put(c.queue, c.bodies[0], opts...)
		switch o := fate(err); {
		case err != nil && !expected(err):
			p.storm.fail("%s: push: %v", p.name, err)
			return unknown
		case o == done && last != "" && id != last:
			p.storm.fail("%s: message %s was pushed as %s, and then once more as %s", p.name, c.names[0], last, id)
			return done
		case o == done:
			last, times = id, times-1
			continue
		default:
			lost = lost || o == unknown
		}
		switch {
		case ctx.Err() == nil:
		case last != "":
			return done
		case lost:
			return unknown
		default:
			return notDone
		}
	}
	return done
}

// onPipe pushes on RESP connections, dozens of commands in one write.
func (p *pusher) onPipe(ctx context.Context) {
	p.storm.onPipe(ctx, func(conn *pipe) error {
		p.rest(ctx)
		var sent []consignment
		for range 1 + p.rng.IntN(32) {
			c := p.next()
			if len(c.bodies) > 1 {
				args := []string{"Q.MPUSH", c.queue}
				for _, b := range c.bodies {
					args = append(args, string(b))
				}
				conn.send(args...)
			} else {
				args := []string{"Q.PUSH", c.queue, string(c.bodies[0])}
				if c.delay > 0 {
					args = append(args, "DELAY", strconv.FormatInt(c.delay.Milliseconds(), 10))
				}
				if c.priority > 0 {
					args = append(args, "PRIORITY", strconv.Itoa(int(c.priority)))
				}
				conn.send(args...)
			}
			sent = append(sent, c)
		}
		if err := conn.flush(); err != nil {
			return err
		}
		for _, c := range sent {
			v, err := conn.read()
			if err != nil {
				return err
			}
			switch v := v.(type) {
			case replyError:
				p.depot.answered(p.storm.refused(string(v)), c.names...)
			case []byte, []any:
				p.depot.answered(done, c.names...)
			default:
				p.storm.fail("%s: a push of %d was answered %v", p.name, len(c.names), v)
			}
		}
		return nil
	})
}

// createQueues makes the queues of the kill loop with what they need.
func createQueues(client *flin.Client, maxDeliver int) error {
	if err := client.Queue.Configure(leasedQueue, flin.LeaseTime(time.Second), flin.MaxDeliveries(maxDeliver)); err != nil {
		return fmt.Errorf("create %s: %w", leasedQueue, err)
	}
	if err := client.Queue.Configure(takenQueue); err != nil {
		return fmt.Errorf("create %s: %w", takenQueue, err)
	}
	return nil
}
