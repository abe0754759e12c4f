package doc

import (
	"bytes"

	"github.com/skshohagmiah/flin/docd/doc/internal/fsm"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// watcher is one OpDocWatch. Its first answer is free; every other with More takes a credit.
type watcher struct {
	origin origin
	name   wire.DocName // of memory of its own; an empty Coll is all of the database
	from   fsm.Place    // where it is to begin; Rev 0: from now on

	// Guarded by hub.mu.
	stands  bool // the first answer has been sent
	busy    bool // an answer is being sent, by whoever set it
	ended   bool // no answer is sent any more but the last
	last    *wire.Error
	credits int

	// Of the goroutine that feeds.
	at      fsm.Place // all before it has been sent or was passed over
	skipped int       // bytes passed over since the last answer
}

// origin names a request: who asked, and the tag it gave.
type origin struct {
	r   engine.Replier
	tag uint64
}

// watch serves OpDocWatch: once what is committed here may be read, and changes are recorded.
func (e *Engine) watch(g *replica.Group, req *wire.Request, r engine.Replier) {
	var m wire.DocWatch
	_ = m.Decode(req.Body) // it was checked
	w := &watcher{
		origin: origin{r, req.Tag}, from: fsm.Place{Rev: m.Rev, Event: m.Event},
		name: wire.DocName{DB: bytes.Clone(m.Name.DB), Coll: bytes.Clone(m.Name.Coll)},
	}
	if err := e.hub.add(w); err != nil {
		r.Reply(req.Tag, wire.Fail(err))
		return
	}
	deadline := req.Deadline
	g.WhenCurrent(req, &barrier, r, func(err error) {
		switch {
		case err != nil:
			e.hub.end(w, asError(err))
		case m.Rev != 0 || e.machine.Recorded(&w.name):
			e.hub.stand(w)
		default:
			e.record(g, w, deadline)
		}
	})
}

// record has the changes recorded that a watch is for. It stands when they are.
func (e *Engine) record(g *replica.Group, w *watcher, deadline int64) {
	cmd := wire.DocFeed{Name: w.name}
	g.Propose(&wire.Request{Op: wire.OpDocFeed, Deadline: deadline, Body: cmd.Append(nil)}, false, recording{e.hub, w})
}

// recording takes the answer to an OpDocFeed in the name of a watch.
type recording struct {
	h *hub
	w *watcher
}

// Reply lets the watch stand, or ends it.
func (x recording) Reply(_ uint64, resp wire.Response) {
	if err := resp.Err(); err != nil {
		x.h.end(x.w, asError(err))
		return
	}
	x.h.stand(x.w)
}

func asError(err error) *wire.Error { return wire.Errorf(wire.CodeOf(err), "%v", err) }

// wants reports whether the watch is for an event of a collection.
func (w *watcher) wants(n *wire.DocName) bool {
	return bytes.Equal(w.name.DB, n.DB) && (len(w.name.Coll) == 0 || bytes.Equal(w.name.Coll, n.Coll))
}

// compacted says that a watch cannot go on.
func (w *watcher) compacted() *wire.Error {
	name := string(w.name.DB)
	if len(w.name.Coll) > 0 {
		name += "." + string(w.name.Coll)
	}
	return wire.Errorf(wire.Compacted, "changes of %s behind event %d of revision %d are not kept, or have not been recorded: "+
		"begin a new watch, then read the documents anew", name, w.at.Event, w.at.Rev)
}
