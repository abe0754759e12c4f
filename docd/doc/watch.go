package doc

import (
	"bytes"
	"time"

	"github.com/skshohagmiah/flin/docd/doc/internal/fsm"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/hub"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// watcher is the source of one OpDocWatch. But for its name it belongs to the goroutine that feeds.
type watcher struct {
	feed *feeder
	name wire.DocName // of memory of its own; an empty Coll is all of the database

	at      fsm.Place // all before it has been sent or was passed over; Rev 0: from now on
	skipped int       // bytes passed over since the last answer
}

// When a watch for which there is nothing is told how far it is, so that it can go on there when what it has passed over has been
// trimmed.
const (
	tellBytes = 4 << 20 // passed over
	tellEvery = 10 * time.Second
)

// watch serves OpDocWatch: once what is committed here may be read, and changes are recorded.
func (e *Engine) watch(g *replica.Group, req *wire.Request, r engine.Replier) {
	var m wire.DocWatch
	_ = m.Decode(req.Body) // it was checked
	x := &watcher{
		feed: &e.feed, at: fsm.Place{Rev: m.Rev, Event: m.Event},
		name: wire.DocName{DB: bytes.Clone(m.Name.DB), Coll: bytes.Clone(m.Name.Coll)},
	}
	w, err := e.hub.Open(r, req.Tag, x)
	if err != nil {
		r.Reply(req.Tag, wire.Fail(err))
		return
	}
	rev, deadline := m.Rev, req.Deadline
	g.WhenCurrent(req, &barrier, r, func(err error) {
		if err != nil || rev != 0 || e.machine.Recorded(&x.name) {
			e.hub.Stand(w, err)
			return
		}
		cmd := wire.DocFeed{Name: x.name}
		g.Propose(&wire.Request{Op: wire.OpDocFeed, Deadline: deadline, Body: cmd.Append(nil)}, false, recording{e.hub, w})
	})
}

// recording takes the answer to an OpDocFeed in the name of a watch, which stands when its changes are recorded.
type recording struct {
	h *hub.Hub
	w *hub.Watch
}

// Reply lets the watch stand, or ends it.
func (x recording) Reply(_ uint64, resp wire.Response) {
	if resp.Code == wire.OutcomeUnknown {
		resp.Code = wire.Unavailable // to ask again for what is recorded already changes nothing
	}
	x.h.Stand(x.w, resp.Err())
}

// Stand finds the watch's place.
func (w *watcher) Stand() (rev uint64, err error) {
	rev = w.at.Rev - 1
	if w.at.Rev == 0 {
		rev = w.feed.machine.Newest()
		w.at = fsm.After(rev)
	}
	if !w.feed.machine.Kept(&w.name, w.at) {
		return 0, w.compacted()
	}
	return rev, nil
}

// Next gathers events from what is recorded. An answer is empty if the watch has passed over much, or has to be told how far it is.
func (w *watcher) Next(tick bool) (resp wire.Response, send, more bool, err error) {
	f, from := w.feed, w.at
	most := tellBytes
	if tick {
		most = 1
	}
	rev, more, err := f.gather(w)
	switch {
	case err != nil:
		return resp, false, false, err
	case !f.machine.Kept(&w.name, from):
		w.at = from
		return resp, false, false, w.compacted()
	case len(f.out) == 0 && w.skipped < most:
		return resp, false, more, nil
	}
	w.skipped = 0
	return wire.Response{Rev: rev, Body: f.out}, true, more, nil
}

// wants reports whether the watch is for an event of a collection.
func (w *watcher) wants(n *wire.DocName) bool {
	return bytes.Equal(w.name.DB, n.DB) && (len(w.name.Coll) == 0 || bytes.Equal(w.name.Coll, n.Coll))
}

// compacted says that a watch cannot go on.
func (w *watcher) compacted() error {
	name := string(w.name.DB)
	if len(w.name.Coll) > 0 {
		name += "." + string(w.name.Coll)
	}
	return wire.Errorf(wire.Compacted, "changes of %s behind event %d of revision %d are not kept, or have not been recorded: "+
		"begin a new watch, then read the documents anew", name, w.at.Event, w.at.Rev)
}
