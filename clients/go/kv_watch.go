package flin

import (
	"context"
	"iter"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// kvWindow is how many answers of a watch of keys may be on their way or waiting in the client.
const kvWindow = 64

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
	watching
	m wire.KVWatch
}

// Watch follows the changes of the keys that begin with prefix, in their order and without gaps. When it returns the
// watch stands: no later change is missed. When its connection is lost it goes on where it was. It ends with ctx.
func (kv *KV) Watch(ctx context.Context, prefix string, opts ...WatchOption) (*Watcher, error) {
	w := &Watcher{m: wire.KVWatch{DB: kv.db, Prefix: []byte(prefix)}}
	for _, o := range opts {
		o(&w.m)
	}
	w.watching = watching{op: wire.OpKVWatch, payload: &w.m, window: kvWindow, seen: func(rev uint64) { w.m.From = max(w.m.From, rev+1) }}
	if err := w.begin(ctx, kv.client); err != nil {
		return nil, err
	}
	return w, nil
}

// Close ends the watch: Events ends its loop.
func (w *Watcher) Close() { w.end() }

// Revision returns the newest revision whose changes have all been seen. FromRevision(w.Revision()+1) goes on behind it.
func (w *Watcher) Revision() uint64 { return max(w.m.From, 1) - 1 }

// Events returns the changes as they come. Leaving the loop or closing the watch ends it; so does an error, which comes
// last. ErrCompacted means that changes were missed while the connection was lost: read the keys anew, and watch again.
func (w *Watcher) Events() iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		w.follow(func(resp *wire.Response) bool { return w.each(resp, yield) }, func(err error) { yield(Event{}, err) })
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
