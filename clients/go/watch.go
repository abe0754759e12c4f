package flin

import (
	"context"
	"errors"
	"sync"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// watching is what watches have in common: a request that has many answers, begun anew where it was when its connection is lost. It is
// for one goroutine; end may be called by any.
type watching struct {
	op      wire.Op
	payload payload          // says where the watch goes on
	seen    func(rev uint64) // notes in payload that all up to a revision has been seen
	window  uint64           // answers that may be on their way or waiting in the client

	client *Client
	parent context.Context // what the watch was given
	ctx    context.Context // ends with parent and with cancel
	cancel context.CancelFunc
	ready  []wire.Response
	used   uint64 // credits to be granted anew

	mu   sync.Mutex // held when what follows is written, and by who reads it on another goroutine
	conn *conn
	call *call
}

// begin waits until the watch stands.
func (w *watching) begin(ctx context.Context, client *Client) error {
	w.parent = ctx
	w.ctx, w.cancel = context.WithCancel(ctx)
	w.client = client.With(w.ctx)
	for try := 0; ; try++ {
		err := w.open()
		if err == nil {
			context.AfterFunc(w.ctx, w.withdraw) // it may be that nobody follows it
			return nil
		}
		if !w.client.again(&call{op: w.op, read: true}, err, try) {
			w.cancel()
			return err
		}
	}
}

// follow hands each answer to fn until that returns false, the watch is closed or fails. Why it has failed is said to failed.
func (w *watching) follow(fn func(resp *wire.Response) bool, failed func(error)) {
	defer w.end()
	for {
		resp, err := w.next()
		if err != nil {
			if w.ctx.Err() == nil || w.parent.Err() != nil {
				failed(err)
			}
			return
		}
		if !fn(&resp) {
			return
		}
		w.seen(resp.Rev)
		if w.used++; w.used >= w.window/2 {
			w.conn.credit(w.call, w.used)
			w.used = 0
		}
	}
}

// open asks for the watch and waits for its first answer, for which it takes the time of a call.
func (w *watching) open() error {
	client, ctx := w.client, w.ctx
	if limit := client.pool.opts.Timeout; limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(w.ctx, limit)
		defer cancel()
		client = client.With(ctx)
	}
	k := &call{done: make(chan struct{}, 1), op: w.op, read: true, payload: w.payload, feed: newFeed()}
	cn, err := client.enter(k, wire.Clock())
	if err != nil {
		return err
	}
	cn.credit(k, w.window)
	w.mu.Lock()
	w.conn, w.call = cn, k
	w.mu.Unlock()
	w.used, w.ready = 0, nil
	if w.ctx.Err() != nil { // who was to withdraw it may have come before it was there
		w.withdraw()
	}
	ended, err := w.receive(ctx)
	if err != nil {
		return err
	}
	if ended {
		return w.reason()
	}
	first := w.ready[0]
	if len(first.Body) == 0 { // it says only that the watch stands
		w.seen(first.Rev)
		w.ready = w.ready[1:]
		w.used++
	}
	return nil
}

// receive returns when ready has something, or the stream has ended and nothing is left of it.
func (w *watching) receive(ctx context.Context) (ended bool, err error) {
	for {
		if w.ready, ended = w.call.feed.take(); len(w.ready) > 0 {
			return false, nil
		}
		if ended {
			return true, nil
		}
		select {
		case <-w.call.feed.wake:
		case <-ctx.Done():
			w.conn.abandon(w.call)
			return false, w.client.over(w.call, false, context.Cause(ctx))
		}
	}
}

// reason returns why the stream has ended.
func (w *watching) reason() error {
	<-w.call.done
	if w.call.lost != nil {
		return &brokenError{cause: w.call.lost, op: w.op, read: true}
	}
	if err := w.call.resp.Err(); err != nil {
		return err
	}
	return wire.Errorf(wire.Internal, "flin: the server ended the watch")
}

// next returns the next answer, of a new connection if need be.
func (w *watching) next() (wire.Response, error) {
	for len(w.ready) == 0 {
		ended, err := w.receive(w.ctx)
		if err != nil {
			return wire.Response{}, err
		}
		if !ended {
			continue
		}
		if err := w.reopen(w.reason()); err != nil {
			return wire.Response{}, err
		}
	}
	resp := w.ready[0]
	w.ready = w.ready[1:]
	return resp, nil
}

// reopen begins the watch anew where it was if it has ended for want of a server, and returns err if for another reason.
func (w *watching) reopen(err error) error {
	for try := 0; ; try++ {
		switch {
		case w.client.closed.Load():
			return ErrClosed
		case w.ctx.Err() != nil:
			return w.client.over(w.call, false, context.Cause(w.ctx))
		case !errors.Is(err, ErrUnavailable) && !errors.Is(err, ErrNotLeader) && !errors.Is(err, ErrTimeout) && !errors.Is(err, ErrBusy):
			return err
		}
		if try > 0 {
			w.client.pool.pause(min(minBackoff<<min(try, 10), maxBackoff))
		}
		if err = w.open(); err == nil {
			return nil
		}
	}
}

// end ends the watch.
func (w *watching) end() {
	w.cancel()
	w.withdraw()
}

// withdraw tells the server that the watch is over. Once more does no harm.
func (w *watching) withdraw() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conn.abandon(w.call)
}
