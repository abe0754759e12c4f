package kv

import (
	"github.com/skshohagmiah/flin/kvd/kv/internal/fsm"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// How much goes into one answer, and how much is looked at for it. An answer ends between two revisions, unless a single
// one is larger than answerMost.
const (
	answerBytes = 256 << 10
	answerMost  = 8 << 20
	feedBytes   = 4 << 20
)

// feeder gathers events for one answer after the other, of whichever watch. Its memory is used again.
type feeder struct {
	ring  *fsm.Ring
	rev   func() uint64 // the newest revision that can be read
	stale int64         // bytes of events passed over after which a watch is told how far it is

	out     []byte
	current uint64 // revision of the last event that was looked at; 0 is none
}

// gather fills f.out with the events that w wants from its place in the ring on and moves the place. rev is the newest
// revision that has been looked at whole; more says that there is more to look at. ok is false if events have gone that
// the watch has not seen: then nothing must be sent any more.
func (f *feeder) gather(w *watcher) (rev uint64, more, ok bool) {
	if cap(f.out) > answerMost {
		f.out = nil
	}
	f.out, f.current = f.out[:0], 0
	looked := int64(0)
	last := w.told
	for {
		s, ok := f.ring.Read(w.at)
		if !ok {
			return 0, false, false
		}
		n, cut := f.take(s.Events, w, looked, &last)
		f.ring.Release(s)
		w.at += int64(n)
		w.skipped += int64(n)
		looked += int64(n)
		switch {
		case cut:
			return last, true, true
		case s.Last:
			return max(s.Rev, w.told), false, true
		}
	}
}

// take copies what w wants out of a run of events. It returns how many bytes it has looked at, and whether it stopped
// because the answer is full; last is then the newest revision that has been looked at whole.
func (f *feeder) take(events []byte, w *watcher, looked int64, last *uint64) (n int, cut bool) {
	r := wire.NewReader(events)
	for r.Len() > 0 {
		at := len(events) - r.Len()
		ev := wire.TakeKVEvent(&r)
		if full := len(f.out) >= answerBytes || looked+int64(at) >= feedBytes; full && ev.Rev > f.current {
			*last = ev.Rev - 1
			return at, true
		}
		f.current = ev.Rev
		if !w.wants(&ev) {
			continue
		}
		f.out = append(f.out, events[at:len(events)-r.Len()]...)
		if len(f.out) > answerMost {
			*last = ev.Rev - 1
			return len(events) - r.Len(), true
		}
	}
	return len(events), false
}
