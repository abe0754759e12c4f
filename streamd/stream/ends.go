package stream

import (
	"container/heap"
	"context"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// ends is a heap of all parked calls, first the one whose waiting ends next.
type ends []*call

// Len is part of heap.Interface, as all that follow.
func (h ends) Len() int           { return len(h) }
func (h ends) Less(i, j int) bool { return h[i].over() < h[j].over() }
func (h ends) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].end, h[j].end = i, j
}

// Push appends a *call.
func (h *ends) Push(x any) {
	c := x.(*call)
	c.end = len(*h)
	*h = append(*h, c)
}

// Pop takes the last away.
func (h *ends) Pop() any {
	old := *h
	c := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return c
}

// push notes when a call's waiting ends. The lock is held.
func (d *calls) push(c *call) {
	heap.Push(&d.ends, c)
	if d.ends[0] == c {
		d.clock.ring()
	}
}

// pull forgets it. The lock is held.
func (d *calls) pull(c *call) { heap.Remove(&d.ends, c.end) }

// leadEvery is the time between two looks at whether this node still leads.
const leadEvery = 100 * time.Millisecond

// run ends the waits that are over, and those for which this node is not the right one any more, until ctx ends.
func (d *calls) run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		timer.Reset(min(d.expire(), leadEvery))
		select {
		case <-ctx.Done():
			return
		case <-d.clock:
		case <-timer.C:
		}
		if g := d.e.group.Load(); g != nil && !g.Leads() {
			d.resign()
		}
	}
}

// expire sends those whose waiting is over to look for the last time, and returns how long it is until the next.
func (d *calls) expire() time.Duration {
	for {
		d.mu.Lock()
		if len(d.ends) == 0 {
			d.mu.Unlock()
			return time.Hour
		}
		c := d.ends[0]
		if left := c.over() - wire.Clock(); left > 0 {
			d.mu.Unlock()
			return time.Duration(left)
		}
		d.unpark(c)
		if c.deadline == 0 || c.until < c.deadline {
			c.until = 0
		}
		d.mu.Unlock()
		c.gate()
	}
}

// alarm wakes the goroutine that watches the clock.
type alarm chan struct{}

func newAlarm() alarm { return make(alarm, 1) }

func (a alarm) ring() {
	select {
	case a <- struct{}{}:
	default:
	}
}
