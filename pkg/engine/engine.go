// Package engine is the seam between those who speak with clients and those who keep data. A front knows an Engine and
// nothing behind it: whether it is in this process or on another machine, alone or one of three.
package engine

import (
	"context"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Engine answers requests of one kind, in this process or on another machine: the caller cannot tell.
type Engine interface {
	// Submit takes one request. Body is on loan until Submit returns. Answers go to r, perhaps before Submit
	// returns, perhaps later from another goroutine: any number with More set, then exactly one last.
	Submit(req wire.Request, r Replier)
	// Cancel withdraws a request: it is answered Canceled, or with what it has already done.
	Cancel(r Replier, tag uint64)
	// Credit lets a streaming request send n more answers. tag is req.Tag, unique for its Replier while in flight.
	Credit(r Replier, tag uint64, n int)
}

// Replier receives answers. Reply never blocks: it is called from the apply goroutine. resp.Body is valid during the call.
type Replier = wire.Replier

// waiter is the Replier of one blocking call.
type waiter struct{ done chan wire.Response }

// Reply hands a copy of the answer to the waiting call.
func (w *waiter) Reply(_ uint64, resp wire.Response) {
	resp.Body = append([]byte(nil), resp.Body...)
	w.done <- resp
}

// Do submits req to e and waits for its one answer. When ctx ends first the request is withdrawn and what became of it
// is returned: Canceled, or the answer that was already on its way. It is not for requests that stream.
func Do(ctx context.Context, e Engine, req wire.Request) (wire.Response, error) {
	w := &waiter{done: make(chan wire.Response, 1)}
	e.Submit(req, w)
	var resp wire.Response
	select {
	case resp = <-w.done:
	case <-ctx.Done():
		e.Cancel(w, req.Tag)
		resp = <-w.done
	}
	return resp, resp.Err()
}
