package doc

import (
	"github.com/skshohagmiah/flin/docd/doc/internal/fsm"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// How much goes into one answer, unless a single event is larger, and how much is looked at for it. An answer may end between two events
// of one revision.
const (
	answerBytes = 256 << 10
	lookBytes   = 1 << 20
)

// feeder gathers events for one answer after the other, of whichever watch. Its memory is used again.
type feeder struct {
	machine *fsm.Machine
	out     []byte
	chunks  []fsm.Chunk
}

// gather fills f.out with the events that w wants from its place on and moves the place. rev is the newest revision that has been looked
// at whole; more says that there is more to look at.
func (f *feeder) gather(w *watcher) (rev uint64, more bool, err error) {
	if cap(f.out) > 2*answerBytes {
		f.out = nil
	}
	f.out = f.out[:0]
	f.chunks, rev, more, err = f.machine.Changes(f.chunks[:0], w.at, lookBytes)
	defer clear(f.chunks)
	if err != nil {
		return 0, false, err
	}
	for i := range f.chunks {
		full, err := f.take(f.chunks[i].Events, w)
		if err != nil {
			return 0, false, err
		}
		if full {
			more = true
			break
		}
	}
	if more {
		return w.at.Rev - 1, true, nil // there may be more of the last
	}
	if end := fsm.After(rev); !end.Before(w.at) {
		w.at = end
	}
	return w.at.Rev - 1, false, nil
}

// take copies what w wants out of a run of events. It reports whether the answer is full.
func (f *feeder) take(events []byte, w *watcher) (full bool, err error) {
	r := wire.NewReader(events)
	var e wire.DocEvent
	for r.Len() > 0 {
		at := len(events) - r.Len()
		wire.TakeDocEvent(&r, &e)
		if r.Err() != nil {
			return false, r.Err()
		}
		if w.at.Passed(&e) {
			continue
		}
		event := events[at : len(events)-r.Len()]
		if !w.wants(&e.Name) {
			w.skipped += len(event)
		} else {
			if len(f.out) > 0 && len(f.out)+len(event) > answerBytes {
				return true, nil
			}
			f.out = append(f.out, event...)
		}
		w.at = fsm.Place{Rev: e.Rev, Event: e.Event}
	}
	return false, nil
}
