package replica

import (
	"bytes"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Barrier is an ordered read of nothing: when it is answered, everything that was proposed before it in the same lane has been
// applied, and the time of entries is not behind the clock of when it was proposed. Each engine has one.
type Barrier struct {
	Op   wire.Op // one that the engine's machine takes as an ordered read
	Body []byte  // a payload with which that does next to nothing
}

// Pass proposes a barrier in lane's name and calls fn when it has been applied, or with the reason why it will not be. A nil
// lane is one of its own: then only the time matters.
func (g *Group) Pass(b *Barrier, deadline int64, lane wire.Replier, fn func(error)) {
	g.Propose(&wire.Request{Op: b.Op, Deadline: deadline, Body: b.Body}, true, &passing{lane, fn})
}

// passing is the Replier of a barrier.
type passing struct {
	lane wire.Replier
	fn   func(error)
}

// Reply calls the function.
func (p *passing) Reply(_ uint64, resp wire.Response) { p.fn(resp.Err()) }

// Lane returns whose order the barrier keeps.
func (p *passing) Lane() wire.Replier {
	if p.lane == nil {
		return p
	}
	return p.lane
}

// Current reports whether req can be answered at this moment from what has been applied here.
func (g *Group) Current(req *wire.Request) bool {
	return req.Flags&wire.FlagOrdered == 0 && (req.Flags&wire.FlagStale != 0 || g.CanRead())
}

// WhenCurrent calls fn once, perhaps before it returns, perhaps on another goroutine: with nil when what has been applied here
// is what req of r must see, or with the reason why that will not be. An ordered request (wire.FlagOrdered) passes the barrier.
func (g *Group) WhenCurrent(req *wire.Request, b *Barrier, r wire.Replier, fn func(error)) {
	switch {
	case req.Flags&wire.FlagOrdered != 0:
		g.Pass(b, req.Deadline, r, fn)
	case req.Flags&wire.FlagStale != 0:
		fn(nil)
	default:
		g.AwaitRead(req.Deadline, fn)
	}
}

// ReadLater calls read with a copy of req, whose body is its own, when AwaitRead says that a read is linearizable. Otherwise r
// is answered why not.
func (g *Group) ReadLater(req *wire.Request, r wire.Replier, read func(req *wire.Request)) {
	own := *req
	own.Body = bytes.Clone(req.Body)
	g.AwaitRead(req.Deadline, func(err error) {
		if err != nil {
			r.Reply(own.Tag, wire.Fail(err))
			return
		}
		read(&own)
	})
}
