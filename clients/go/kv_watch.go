package flin

import (
	"context"
	"errors"
	"iter"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// window is how many answers of a watch may be on their way or waiting in the client.
const window = 64

// EventKind says what happened to a key.
type EventKind = wire.EventKind

// The kinds of Event.
const (
	EventSet     = wire.EventSet     // it was written
	EventDelete  = wire.EventDelete  // it was deleted
	EventExpire  = wire.EventExpire  // its time had come
	EventFlush   = wire.EventFlush   // its whole database was emptied; Key is empty
	EventRefresh = wire.EventRefresh // its expiry was changed, its value was not
)

// Event is one change of one key.
type Event struct {
	Kind     EventKind
	Database int
	Entry    // Value with EventSet only; Version is the revision that made the change
}

// WatchOption modifies Watch.
type WatchOption func(*wire.KVWatch)

// FromRevision begins with the changes of revision rev instead of those to come. If the server does not have them any
// more Watch reports ErrCompacted.
func FromRevision(rev uint64) WatchOption { return func(m *wire.KVWatch) { m.From = rev } }

// AllDatabases watches every database.
func AllDatabases() WatchOption { return func(m *wire.KVWatch) { m.DB = wire.AllDatabases } }

// Watcher is a watch that stands. It is for one goroutine; Close may be called by any.
type Watcher struct {
	client *Client
	parent context.Context // what Watch was given
	ctx    context.Context // ends with parent and with Close
	cancel context.CancelFunc
	m      wire.KVWatch
	conn   *conn
	call   *call
	ready  []wire.Response
	used   uint64 // credits to be granted anew
}

// Watch follows the changes of the keys that begin with prefix, in their order and without gaps. When it returns the
// watch stands: no later change is missed. When its connection is lost it goes on where it was. It ends with ctx.
func (kv *KV) Watch(ctx context.Context, prefix string, opts ...WatchOption) (*Watcher, error) {
	w := &Watcher{parent: ctx, m: wire.KVWatch{DB: kv.db, Prefix: []byte(prefix)}}
	w.ctx, w.cancel = context.WithCancel(ctx)
	w.client = kv.client.With(w.ctx)
	for _, o := range opts {
		o(&w.m)
	}
	for try := 0; ; try++ {
		err := w.open()
		if err == nil {
			return w, nil
		}
		if !w.client.again(&call{op: wire.OpKVWatch, read: true}, err, try) {
			w.cancel()
			return nil, err
		}
	}
}

// Close ends the watch: Events ends its loop.
func (w *Watcher) Close() { w.cancel() }

// Revision returns the newest revision whose changes have all been seen. FromRevision(w.Revision()+1) goes on behind it.
func (w *Watcher) Revision() uint64 { return max(w.m.From, 1) - 1 }

// Events returns the changes as they come. Leaving the loop or closing the watch ends it; so does an error, which comes
// last. ErrCompacted means that changes were missed while the connection was lost: read the keys anew, and watch again.
func (w *Watcher) Events() iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		defer w.end()
		for {
			resp, err := w.next()
			if err != nil {
				if w.ctx.Err() == nil || w.parent.Err() != nil {
					yield(Event{}, err)
				}
				return
			}
			if !w.each(&resp, yield) {
				return
			}
			w.m.From = max(w.m.From, resp.Rev+1)
			if w.used++; w.used >= window/2 {
				w.conn.credit(w.call, w.used)
				w.used = 0
			}
		}
	}
}

// each yields the events of one answer and reports whether to go on.
func (w *Watcher) each(resp *wire.Response, yield func(Event, error) bool) bool {
	r := wire.NewReader(resp.Body)
	for r.Len() > 0 {
		e := wire.TakeKVEvent(&r)
		if r.Err() != nil {
			break
		}
		event := Event{Kind: e.Kind, Database: int(e.DB), Entry: Entry{Key: string(e.Key), Version: e.Rev, Expires: expires(e.Expires)}}
		if e.Kind == wire.EventSet {
			event.Value = e.Value
		}
		if !yield(event, nil) {
			return false
		}
	}
	if err := r.Err(); err != nil {
		yield(Event{}, badAnswer(wire.OpKVWatch, err))
		return false
	}
	return true
}

// open asks for the watch and waits for its first answer, for which it takes the time of a call.
func (w *Watcher) open() error {
	client, ctx := w.client, w.ctx
	if limit := client.pool.opts.Timeout; limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(w.ctx, limit)
		defer cancel()
		client = client.With(ctx)
	}
	k := &call{done: make(chan struct{}, 1), op: wire.OpKVWatch, read: true, payload: &w.m, feed: newFeed()}
	cn, err := client.enter(k, wire.Clock())
	if err != nil {
		return err
	}
	cn.credit(k, window)
	w.conn, w.call, w.used, w.ready = cn, k, 0, nil
	ended, err := w.receive(ctx)
	if err != nil {
		return err
	}
	if ended {
		return w.reason()
	}
	first := w.ready[0]
	if len(first.Body) == 0 { // it says only that the watch stands
		w.m.From = max(w.m.From, first.Rev+1)
		w.ready = w.ready[1:]
		w.used++
	}
	return nil
}

// receive returns when ready has something, or the stream has ended and nothing is left of it.
func (w *Watcher) receive(ctx context.Context) (ended bool, err error) {
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
func (w *Watcher) reason() error {
	<-w.call.done
	if w.call.lost != nil {
		return &brokenError{cause: w.call.lost, op: wire.OpKVWatch, read: true}
	}
	if err := w.call.resp.Err(); err != nil {
		return err
	}
	return wire.Errorf(wire.Internal, "flin: the server ended the watch")
}

// next returns the next answer, of a new connection if need be.
func (w *Watcher) next() (wire.Response, error) {
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
func (w *Watcher) reopen(err error) error {
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

// end withdraws the watch.
func (w *Watcher) end() {
	w.cancel()
	w.conn.abandon(w.call)
}
