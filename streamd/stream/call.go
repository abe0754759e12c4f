package stream

import (
	"github.com/skshohagmiah/flin/pkg/engine/pool"
	"github.com/skshohagmiah/flin/pkg/wire"
	"github.com/skshohagmiah/flin/streamd/stream/internal/fsm"
)

// call is a fetch, a consume or a reset that has not been answered. One goroutine at a time has it, but for what is guarded by
// calls.mu. Its memory is used again.
type call struct {
	d     *calls
	body  []byte      // the payload; what was decoded shares it
	owned []fsm.Owned // of a consume: what its member owns
	plan  []stretch   // of a consume: where it looks, in the order of its turn
	spots []spot      // where it listens; guarded by calls.mu
	asked
}

// asked is what a call knows of its request.
type asked struct {
	origin   pool.Origin
	op       wire.Op
	flags    wire.Flags
	deadline int64
	fetch    wire.StreamFetch
	consume  wire.StreamConsume
	reset    wire.StreamReset

	until int64 // by wire.Clock: when waiting ends; 0: it does not wait, or no longer
	stand *stand
	begun uint64 // of a consume: its member's subscription when it began. It never acts for a later one
	baton *stand // of a consume: it was given the turn there and has not taken it
	order uint64 // of a consume with a Turn: when it came
	again bool   // it was answered before, and brings the same once more

	generation uint64 // of the membership that a consume listens with
	listening  bool   // it has spots; as all that follows, guarded by calls.mu
	woken      bool   // something has happened where it listens since it looked
	parked     bool   // it waits
	canceled   bool
	end        int // index in ends while it is parked
}

// decode reads the payload and says what is wrong with it. It returns how long the call may wait, in ms.
func (c *call) decode() (wait uint64, err error) {
	switch c.op {
	case wire.OpStreamFetch:
		if err = c.fetch.Decode(c.body); err == nil {
			err = fsm.CheckFetch(&c.fetch)
		}
		return c.fetch.Wait, err
	case wire.OpStreamConsume:
		if err = c.consume.Decode(c.body); err == nil {
			err = fsm.CheckConsume(&c.consume)
		}
		return c.consume.Wait, err
	default: // a reset, which has been checked
		return 0, c.reset.Decode(c.body)
	}
}

// stale reports whether the call may be answered by any replica. Where a member stands only the leader knows.
func (c *call) stale() bool { return c.op == wire.OpStreamFetch && c.flags&wire.FlagStale != 0 }

// waits reports whether the call may still wait for something to come.
func (c *call) waits() bool { return c.until != 0 }

// over is when its waiting ends, by wire.Clock.
func (c *call) over() int64 {
	if c.deadline != 0 {
		return min(c.until, c.deadline)
	}
	return c.until
}

func (c *call) place() *int { return &c.end }

// gate sends the call to the workers when what has been applied here is what it must see.
func (c *call) gate() {
	g := c.d.e.group.Load()
	if c.stale() || g.CanRead() {
		c.ready(nil)
		return
	}
	g.AwaitRead(c.deadline, c.ready)
}

// ready sends the call to the workers, or answers why not.
func (c *call) ready(err error) {
	if err == nil && !c.d.crew.add(c) {
		err = errStopping
	}
	if err != nil {
		c.answer(wire.Fail(err))
	}
}

// answer ends the call. Only the goroutine that has it may call it.
func (c *call) answer(resp wire.Response) {
	if c.d.finish(c) {
		resp = canceled()
	}
	c.deliver(resp)
}

// deliver sends the answer of a call that is finished, and gives its memory to others.
func (c *call) deliver(resp wire.Response) {
	d, o := c.d, c.origin
	var next *call
	if c.op == wire.OpStreamConsume {
		next = d.e.coord.leave(c)
	}
	o.Replier.Reply(o.Tag, resp)
	d.release(c)
	if next != nil {
		next.ready(nil)
	}
}
