package kv

import (
	"bytes"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// watcher is the source of one OpKVWatch. But for what never changes it belongs to the goroutine that feeds.
type watcher struct {
	feed   *feeder
	db     byte // or wire.AllDatabases
	from   uint64
	prefix []byte

	at      int64  // place in the ring
	told    uint64 // Rev of the last answer
	skipped int64  // bytes passed over since
}

// watch opens a watch once what is committed here may be read.
func (e *Engine) watch(g *replica.Group, req wire.Request, r engine.Replier) {
	var m wire.KVWatch
	if err := m.Decode(req.Body); err != nil {
		r.Reply(req.Tag, wire.Fail(err))
		return
	}
	if m.DB >= wire.KVDatabases && m.DB != wire.AllDatabases {
		r.Reply(req.Tag, wire.Failf(wire.Invalid, "DB index is out of range"))
		return
	}
	w, err := e.hub.Open(r, req.Tag, &watcher{feed: &e.feed, db: m.DB, from: m.From, prefix: bytes.Clone(m.Prefix)})
	if err != nil {
		r.Reply(req.Tag, wire.Fail(err))
		return
	}
	g.WhenCurrent(&req, &barrier, r, func(err error) { e.hub.Stand(w, err) })
}

// Stand finds the watch's place in the ring.
func (w *watcher) Stand() (rev uint64, err error) {
	at, before, ok := w.feed.ring.Seek(w.from)
	if !ok {
		return 0, compacted(w.from)
	}
	if w.from == 0 {
		// Commands may have been answered whose entry is not published yet: they are not from now on. That the place was
		// taken before leaves none out.
		before = w.feed.rev()
		w.from = before + 1
	}
	w.at, w.told = at, before
	return before, nil
}

// Next gathers events from the ring. What has gone from it that the watch has not seen ends the watch.
func (w *watcher) Next(bool) (resp wire.Response, send, more bool, err error) {
	f := w.feed
	rev, more, ok := f.gather(w)
	switch {
	case !ok:
		return resp, false, false, compacted(max(w.from, w.told+1))
	case len(f.out) == 0 && w.skipped < f.stale:
		return resp, false, more, nil
	}
	w.told, w.skipped = rev, 0
	return wire.Response{Rev: rev, Body: f.out}, true, more, nil
}

func compacted(from uint64) error {
	return wire.Errorf(wire.Compacted, "changes from revision %d on are not kept any more: read the keys and watch from the revision read", from)
}

// wants reports whether the watch is for this event.
func (w *watcher) wants(ev *wire.KVEvent) bool {
	if w.db != wire.AllDatabases && w.db != ev.DB || ev.Rev < w.from {
		return false
	}
	return ev.Kind == wire.EventFlush || bytes.HasPrefix(ev.Key, w.prefix)
}
