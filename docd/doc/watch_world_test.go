package doc

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/fsm"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// listener is the client of one watch. It keeps copies of the answers.
type listener struct {
	t    testing.TB
	mu   sync.Mutex // guards what follows
	cond *sync.Cond
	all  []wire.Response
}

func newListener(t testing.TB) *listener {
	l := &listener{t: t}
	l.cond = sync.NewCond(&l.mu)
	return l
}

// Reply keeps a copy of the answer.
func (l *listener) Reply(_ uint64, resp wire.Response) {
	resp.Body = slices.Clone(resp.Body)
	l.mu.Lock()
	l.all = append(l.all, resp)
	l.mu.Unlock()
	l.cond.Broadcast()
}

// until returns the answers once they are enough.
func (l *listener) until(enough func(all []wire.Response) bool) []wire.Response {
	l.t.Helper()
	late := false
	timer := time.AfterFunc(30*time.Second, func() {
		l.mu.Lock()
		late = true
		l.mu.Unlock()
		l.cond.Broadcast()
	})
	defer timer.Stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	for !enough(l.all) {
		if late {
			l.t.Fatalf("%d answers in 30 s, the last is %+v", len(l.all), l.all[max(0, len(l.all)-1):])
		}
		l.cond.Wait()
	}
	return slices.Clone(l.all)
}

// answer returns the nth answer, from 0 on.
func (l *listener) answer(n int) wire.Response {
	l.t.Helper()
	return l.until(func(all []wire.Response) bool { return len(all) > n })[n]
}

// last returns the last answer, which says why the watch has ended.
func (l *listener) last() wire.Response {
	l.t.Helper()
	all := l.until(func(all []wire.Response) bool { return len(all) > 0 && !all[len(all)-1].More })
	return all[len(all)-1]
}

// changes returns the events that have come once they are at least n.
func (l *listener) changes(n int) []wire.DocEvent {
	l.t.Helper()
	return eventsOf(l.t, l.until(func(all []wire.Response) bool {
		return len(eventsOf(l.t, all)) >= n || len(all) > 0 && !all[len(all)-1].More
	}))
}

// through returns the events that have come once one is for the document id of a collection, and of a kind.
func (l *listener) through(coll string, kind wire.DocEventKind, id string) []wire.DocEvent {
	l.t.Helper()
	return eventsOf(l.t, l.until(func(all []wire.Response) bool {
		return slices.ContainsFunc(eventsOf(l.t, all), func(e wire.DocEvent) bool {
			return string(e.Name.Coll) == coll && e.Kind == kind && shownID(&e) == id
		})
	}))
}

// eventsOf decodes what answers tell.
func eventsOf(t testing.TB, answers []wire.Response) (all []wire.DocEvent) {
	t.Helper()
	for _, resp := range answers {
		if resp.Code != wire.OK {
			continue
		}
		for r := wire.NewReader(resp.Body); r.Len() > 0; {
			var e wire.DocEvent
			if wire.TakeDocEvent(&r, &e); r.Err() != nil {
				t.Fatal(r.Err())
			}
			all = append(all, e)
		}
	}
	return all
}

// shownID shows the _id of an event's document.
func shownID(e *wire.DocEvent) string {
	if len(e.ID) == 0 {
		return ""
	}
	v := bsoncore.Value{Type: bsoncore.Type(e.ID[0]), Data: e.ID[1:]}
	if n, ok := v.AsInt64OK(); ok {
		return fmt.Sprint(n)
	}
	return v.String()
}

// shownEvent shows an event without its revision and its time.
func shownEvent(t testing.TB, e *wire.DocEvent) string {
	t.Helper()
	s := fmt.Sprintf("%s %s.%s %s", [...]string{"?", "insert", "update", "delete", "drop"}[e.Kind], e.Name.DB, e.Name.Coll, shownID(e))
	if len(e.Doc) > 0 {
		s += " " + text(t, e.Doc)
	}
	return s
}

func shownEvents(t testing.TB, events []wire.DocEvent) (all []string) {
	t.Helper()
	for i := range events {
		all = append(all, shownEvent(t, &events[i]))
	}
	return all
}

// watching begins a watch with credits and returns its client.
func (w *world) watching(m *wire.DocWatch, credits int) *listener {
	w.T.Helper()
	l := newListener(w.T)
	w.Submit(wire.Request{Op: wire.OpDocWatch, Tag: 1, Body: m.Append(nil)}, l)
	w.Credit(l, 1, credits)
	return l
}

// stands begins a watch of what comes from now on, and waits until it stands.
func (w *world) stands(n wire.DocName, credits int) *listener {
	w.T.Helper()
	l := w.watching(&wire.DocWatch{Name: n}, credits)
	if first := l.answer(0); !first.More || first.Rev == 0 || len(first.Body) != 0 {
		w.T.Fatalf("the first answer is %+v", first)
	}
	w.Credit(l, 1, credits)
	return l
}

// behind watches on behind an event.
func (w *world) behind(n wire.DocName, e *wire.DocEvent) *listener {
	w.T.Helper()
	return w.watching(&wire.DocWatch{Name: n, Rev: e.Rev, Event: e.Event}, 1<<20)
}

// ordered checks that events are in their order, each once.
func ordered(t testing.TB, events []wire.DocEvent) {
	t.Helper()
	var at fsm.Place
	for i := range events {
		e := &events[i]
		if at.Passed(e) {
			t.Fatalf("event %d is %d of revision %d, behind %+v", i, e.Event, e.Rev, at)
		}
		at = fsm.Place{Rev: e.Rev, Event: e.Event}
	}
}

// replayed makes of events the documents that they leave, by collection and _id.
func replayed(t testing.TB, events []wire.DocEvent) map[string]string {
	t.Helper()
	docs := map[string]string{}
	for i := range events {
		e := &events[i]
		key := string(e.Name.Coll) + " " + shownID(e)
		_, there := docs[key]
		if e.Kind != wire.DocEventDrop && there == (e.Kind == wire.DocEventInsert) {
			t.Fatalf("event %d is %s, and its document was there before: %v", i, shownEvent(t, e), there)
		}
		switch e.Kind {
		case wire.DocEventInsert, wire.DocEventUpdate:
			docs[key] = text(t, e.Doc)
		case wire.DocEventDelete:
			delete(docs, key)
		case wire.DocEventDrop:
			for k := range docs {
				if len(k) > len(e.Name.Coll) && k[:len(e.Name.Coll)+1] == key {
					delete(docs, k)
				}
			}
		}
	}
	return docs
}
