package stream

import (
	"context"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// leadEvery is the time between two looks at whether this node still leads.
const leadEvery = 100 * time.Millisecond

// run ends the waits that are over, and those for which this node is not the right one any more, until ctx ends.
func (d *calls) run(ctx context.Context) {
	d.ends.Run(ctx, func() time.Duration {
		if g := d.e.group.Load(); g != nil && !g.Leads() {
			d.resign()
		}
		return min(d.expire(), leadEvery)
	})
}

// expire sends those whose waiting is over to look for the last time, and returns how long it is until the next.
func (d *calls) expire() time.Duration {
	for {
		d.mu.Lock()
		c, left := d.ends.Due(wire.Clock())
		if left > 0 {
			d.mu.Unlock()
			return left
		}
		d.unpark(c)
		if c.deadline == 0 || c.until < c.deadline {
			c.until = 0
		}
		d.mu.Unlock()
		c.gate()
	}
}
