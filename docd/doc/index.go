package doc

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/skshohagmiah/flin/docd/doc/internal/fsm"
	"github.com/skshohagmiah/flin/pkg/chores"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// builds are the requests for indexes that are being built: each is answered when its index is ready or has failed, or when its time
// is over, whatever comes first.
type builds struct {
	wake chan struct{} // there is something to build

	mu     sync.Mutex // guards what follows; never held while something is answered
	all    []*building
	closed bool
}

// building is a request for an index. It is the Replier of its command.
type building struct {
	e     *Engine
	r     engine.Replier
	tag   uint64
	db    string
	coll  string
	resp  wire.Response // when it is ready; its body is the index's name
	timer *time.Timer
	until int64 // the deadline, by wire.Clock; 0 is none
}

func newBuilds() builds { return builds{wake: make(chan struct{}, 1)} }

// createIndex serves OpDocIndex: it proposes the command, and answers when the index is built.
func (e *Engine) createIndex(g *replica.Group, req *wire.Request, r engine.Replier) {
	var m wire.DocIndex
	_ = m.Decode(req.Body) // it was checked
	g.Propose(req, false, &building{e: e, r: r, tag: req.Tag, db: string(m.Name.DB), coll: string(m.Name.Coll), until: req.Deadline})
}

// Lane returns whose order the command keeps.
func (x *building) Lane() wire.Replier { return x.r }

// Reply takes the command's answer, on the goroutine that applies.
func (x *building) Reply(_ uint64, resp wire.Response) {
	if resp.Code != wire.OK {
		x.r.Reply(x.tag, resp)
		return
	}
	x.resp = resp
	x.resp.Body = bytes.Clone(resp.Body)
	if answer, over := x.look(); over {
		x.r.Reply(x.tag, answer)
		return
	}
	b := &x.e.builds
	b.mu.Lock()
	closed := b.closed
	if !closed {
		b.all = append(b.all, x)
		if x.until != 0 {
			x.timer = time.AfterFunc(time.Duration(max(x.until-wire.Clock(), 0)), func() { b.end(x, x.resp) })
		}
	}
	b.mu.Unlock()
	if closed {
		x.r.Reply(x.tag, x.resp)
		return
	}
	b.call()
}

// look finds out what has become of the index.
func (x *building) look() (answer wire.Response, over bool) {
	c := x.e.machine.Collection([]byte(x.db), []byte(x.coll))
	if c == nil {
		return wire.Failf(wire.NotFound, "collection %s.%s was dropped while index %s was built", x.db, x.coll, x.resp.Body), true
	}
	ix := c.Index(string(x.resp.Body))
	switch {
	case string(x.resp.Body) == "_id_", ix != nil && ix.Ready():
		return x.resp, true
	case ix == nil:
		return wire.Failf(wire.NotFound, "index %s of %s.%s was dropped while it was built", x.resp.Body, x.db, x.coll), true
	case ix.State == wire.DocIndexFailed:
		return wire.Fail(ix.Failure()), true
	}
	return answer, false
}

// call wakes the goroutine that builds.
func (b *builds) call() {
	select {
	case b.wake <- struct{}{}:
	default:
	}
}

// altered is called on the apply goroutine when what is known of a collection has changed.
func (e *Engine) altered(db, name string) {
	if e.machine.Building() {
		e.builds.call()
	}
	e.builds.mu.Lock()
	var mine []*building
	for _, x := range e.builds.all {
		if x.db == db && x.coll == name {
			mine = append(mine, x)
		}
	}
	e.builds.mu.Unlock()
	for _, x := range mine {
		if answer, over := x.look(); over {
			e.builds.end(x, answer)
		}
	}
}

// end answers a request unless somebody has.
func (b *builds) end(x *building, answer wire.Response) bool {
	b.mu.Lock()
	at := slices.Index(b.all, x)
	if at >= 0 {
		b.all = slices.Delete(b.all, at, at+1)
	}
	b.mu.Unlock()
	if at < 0 {
		return false
	}
	if x.timer != nil {
		x.timer.Stop()
	}
	x.r.Reply(x.tag, answer)
	return true
}

// cancel withdraws a request. The index is built nevertheless.
func (b *builds) cancel(r engine.Replier, tag uint64) bool {
	b.mu.Lock()
	at := slices.IndexFunc(b.all, func(x *building) bool { return x.r == r && x.tag == tag })
	var x *building
	if at >= 0 {
		x = b.all[at]
	}
	b.mu.Unlock()
	return x != nil && b.end(x, x.resp)
}

// close answers those who wait: their indexes are built when the engine runs again.
func (b *builds) close() {
	b.mu.Lock()
	b.closed = true
	left := slices.Clone(b.all)
	b.mu.Unlock()
	for _, x := range left {
		b.end(x, x.resp)
	}
}

const (
	buildEvery = time.Second // between two looks at whether there is something to build that nobody has told of
	buildLimit = 10 * time.Second
)

// runBuilds builds indexes, while this node leads. It leaves the log to others for as long as each piece takes.
func (e *Engine) runBuilds(ctx context.Context) {
	timer := time.NewTimer(buildEvery)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		case <-e.builds.wake:
		}
		for ctx.Err() == nil && e.machine.Building() && e.buildPiece(ctx) {
		}
		timer.Reset(buildEvery)
	}
}

// buildPiece proposes one piece. It is false if there is nothing to do now.
func (e *Engine) buildPiece(ctx context.Context) bool {
	g := e.group.Load()
	if g == nil || !g.Leads() {
		return false
	}
	start := time.Now()
	req := wire.Request{Op: wire.OpDocBuild, Deadline: wire.DeadlineAfter(buildLimit), Body: wire.AppendLimit(nil, fsm.BuildLimit)}
	resp, err := engine.Do(ctx, replica.Commands{Group: g}, req)
	if err != nil || resp.Rev == 0 {
		return false
	}
	e.figures.built.Add(uint64(resp.Num))
	return chores.Wait(ctx, time.Since(start))
}
