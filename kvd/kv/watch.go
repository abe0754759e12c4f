package kv

import (
	"bytes"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// watcher is one OpKVWatch. Its first answer is free; every other with More takes a credit.
type watcher struct {
	origin origin
	db     byte // or wire.AllDatabases
	from   uint64
	prefix []byte

	// Guarded by hub.mu.
	stands  bool // the first answer has been sent
	busy    bool // an answer is being sent, by whoever set it
	ended   bool // no answer is sent any more but the last
	last    *wire.Error
	credits int

	// Of the goroutine that feeds.
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
	w := &watcher{origin: origin{r, req.Tag}, db: m.DB, from: m.From, prefix: bytes.Clone(m.Prefix)}
	if err := e.hub.add(w); err != nil {
		r.Reply(req.Tag, wire.Fail(err))
		return
	}
	g.WhenCurrent(&req, &barrier, r, func(err error) {
		if err != nil {
			e.hub.end(w, asError(err))
			return
		}
		e.hub.stand(w)
	})
}

func asError(err error) *wire.Error { return wire.Errorf(wire.CodeOf(err), "%v", err) }

// wants reports whether the watch is for this event.
func (w *watcher) wants(ev *wire.KVEvent) bool {
	if w.db != wire.AllDatabases && w.db != ev.DB || ev.Rev < w.from {
		return false
	}
	return ev.Kind == wire.EventFlush || bytes.HasPrefix(ev.Key, w.prefix)
}
