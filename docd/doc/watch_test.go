package doc

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/skshohagmiah/flin/pkg/engine/enginetest"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestAWatchTellsWhatHappensToDocuments(t *testing.T) {
	w := worlds.New(t, nil)
	w.insert("c", `{"_id": 0}`)
	l := w.stands(name("c"), 100)
	w.insert("c", `{"_id": 1}`, `{"_id": 2, "a": 1}`)
	w.insert("other", `{"_id": 1}`)
	w.update("c", `{"a": 1}`, `{"$inc": {"a": 1}}`, 0)
	w.update("c", `{"a": 1}`, `{"$inc": {"a": 1}}`, 0) // finds nothing
	w.update("c", `{"_id": 3}`, `{"$set": {"a": 3}}`, wire.DocUpsert)
	w.update("c", `{"_id": 0}`, `{"b": 1}`, 0)
	w.Must(wire.OpDocWrite, &wire.DocWrite{Writes: []wire.DocWriteOp{
		{Op: wire.OpDocInsert, DocUpdate: wire.DocUpdate{Name: name("c"), Update: js(t, `{"_id": 4}`)}},
		{Op: wire.OpDocInsert, DocUpdate: wire.DocUpdate{Name: name("other"), Update: js(t, `{"_id": 4}`)}},
		{Op: wire.OpDocDelete, DocUpdate: wire.DocUpdate{Name: name("c"), Filter: js(t, `{"_id": 1}`)}},
	}})
	w.remove("c", `{"a": {"$gt": 0}}`, wire.DocMulti)
	w.index("c", wire.DocIndexSpec{Flags: wire.DocIndexTTL, Fields: []wire.DocIndexField{{Path: []byte("at")}}})
	w.insert("c", `{"_id": 5, "at": {"$date": "2020-01-01T00:00:00Z"}}`)
	l.through("c", wire.DocEventDelete, "5")
	drop := name("c")
	w.Must(wire.OpDocDrop, &drop)
	got := shownEvents(t, l.changes(12))
	want := []string{
		`insert test.c 1 {"_id":1}`,
		`insert test.c 2 {"_id":2,"a":1}`,
		`update test.c 2 {"_id":2,"a":2}`,
		`insert test.c 3 {"_id":3,"a":3}`,
		`update test.c 0 {"_id":0,"b":1}`,
		`delete test.c 1`, // a batch removes first
		`insert test.c 4 {"_id":4}`,
		`delete test.c 2`,
		`delete test.c 3`,
		`insert test.c 5 {"_id":5,"at":{"$date":"2020-01-01T00:00:00Z"}}`,
		`delete test.c 5`,
		`drop test.c `,
	}
	if !slices.Equal(got, want) {
		t.Errorf("the watch told\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	ordered(t, l.changes(12))
	w.verify()
}

// bustle has clients write to few documents at the same time.
func (w *world) bustle(clients, each int) {
	w.T.Helper()
	var wg sync.WaitGroup
	for c := range clients {
		wg.Go(func() {
			coll := []string{"c", "d"}[c%2]
			for i := range each {
				id := fmt.Sprintf(`{"_id": %d}`, (c/2+i)%7)
				switch i % 4 {
				case 0, 1:
					w.update(coll, id, fmt.Sprintf(`{"$set": {"by": %d}, "$inc": {"n": 1}}`, c), wire.DocUpsert)
				case 2:
					w.update(coll, fmt.Sprintf(`{"by": {"$ne": %d}}`, c), `{"$inc": {"n": 1}}`, wire.DocMulti)
				case 3:
					w.remove(coll, id, 0)
				}
			}
		})
	}
	wg.Wait()
	for _, coll := range []string{"c", "d"} {
		w.insert(coll, `{"_id": 1000}`)
	}
}

// documents returns what collections have, as replayed does.
func (w *world) documents(colls ...string) map[string]string {
	w.T.Helper()
	docs := map[string]string{}
	for _, coll := range colls {
		for _, d := range w.find(coll, `{}`) {
			var id int
			if _, err := fmt.Sscanf(d, `{"_id":%d`, &id); err != nil {
				w.T.Fatalf("%s: %v", d, err)
			}
			docs[fmt.Sprint(coll, " ", id)] = d
		}
	}
	return docs
}

func TestTheChangesMakeTheCollectionsThatThereAre(t *testing.T) {
	w := worlds.New(t, nil)
	one, whole := w.stands(name("c"), 1<<20), w.stands(wire.DocName{DB: []byte("test")}, 1<<20)
	w.bustle(8, 40)
	for _, x := range []struct {
		l     *listener
		colls []string
	}{{one, []string{"c"}}, {whole, []string{"c", "d"}}} {
		var got []wire.DocEvent
		for _, coll := range x.colls {
			got = x.l.through(coll, wire.DocEventInsert, "1000")
		}
		ordered(t, got)
		if docs, want := replayed(t, got), w.documents(x.colls...); !maps.Equal(docs, want) {
			t.Errorf("the changes of %v make\n%v\nthere is\n%v", x.colls, docs, want)
		}
	}
}

// resumes checks that a watch that goes on behind any of the events gets those behind it, and nothing else.
func (w *world) resumes(n wire.DocName, events []wire.DocEvent) {
	w.T.Helper()
	all := shownEvents(w.T, events)
	for i := range events {
		if i%5 != 0 && i < len(events)-5 {
			continue
		}
		l := w.behind(n, &events[i])
		if got := shownEvents(w.T, l.changes(len(events)-i-1)); !slices.Equal(got, all[i+1:]) {
			w.T.Fatalf("behind event %d came\n%v\nwant\n%v", i, got, all[i+1:])
		}
		w.Cancel(l, 1)
		if resp := l.last(); resp.Code != wire.Canceled {
			w.T.Fatalf("a watch that was withdrawn ended with %+v", resp)
		}
	}
}

func TestAWatchGoesOnBehindAnyEventAlsoAfterARestart(t *testing.T) {
	dir := t.TempDir()
	w := worlds.Start(t, dir, nil)
	n := name("c")
	l := w.stands(n, 1<<20)
	w.bustle(4, 20)
	events := l.through("c", wire.DocEventInsert, "1000")
	w.resumes(n, events)
	w.Stop()
	w = worlds.Start(t, dir, nil)
	w.verify()
	w.resumes(n, events)
	w.insert("c", `{"_id": 1001}`)
	late := w.behind(n, &events[len(events)-1])
	if got := shownEvents(t, late.changes(1)); !slices.Equal(got, []string{`insert test.c 1001 {"_id":1001}`}) {
		t.Errorf("after the restart came %v", got)
	}
}

func TestAWatchGoesOnAtTheNextLeader(t *testing.T) {
	all := worlds.Three(t)
	old, n := all[0], name("c")
	l := old.stands(n, 1<<20)
	old.bustle(4, 10)
	events := l.through("c", wire.DocEventInsert, "1000")
	if resp := all[1].watching(&wire.DocWatch{Name: n}, 1).answer(0); resp.Code != wire.NotLeader {
		t.Errorf("a watch at a follower was answered %+v", resp)
	}
	if err := old.Group.TransferLeadership(""); err != nil {
		t.Fatal(err)
	}
	next := enginetest.NextLeader(t, all[1:]...)
	next.resumes(n, events)
	next.insert("c", `{"_id": 1001}`)
	want := []string{`insert test.c 1001 {"_id":1001}`}
	if got := shownEvents(t, next.behind(n, &events[len(events)-1]).changes(1)); !slices.Equal(got, want) {
		t.Errorf("at the next leader came %v", got)
	}
	// Who watches at the old leader, a follower now, is told as well.
	if got := shownEvents(t, l.through("c", wire.DocEventInsert, "1001")[len(events):]); !slices.Equal(got, want) {
		t.Errorf("at the old leader came %v", got)
	}
}

func TestAWatchOfWhatIsNotKeptIsCompacted(t *testing.T) {
	w := worlds.New(t, func(c *Config) { c.FeedBytes = 20_000 })
	n := name("c")
	before := w.insert("c", `{"_id": 0}`)
	if len(before.Errors) > 0 {
		t.Fatal(before)
	}
	compacted := func(l *listener) {
		t.Helper()
		if resp := l.last(); resp.Code != wire.Compacted || resp.More {
			t.Errorf("the watch ended with %+v", resp)
		}
	}
	compacted(w.watching(&wire.DocWatch{Name: n, Rev: 1}, 1)) // nothing is recorded yet
	l, slow := w.stands(n, 1<<20), w.stands(n, 0)
	long := strings.Repeat("x", 1000)
	for i := range 100 {
		w.insert("c", fmt.Sprintf(`{"_id": %d, "s": "%s"}`, i+1, long))
	}
	events := l.changes(100)
	w.trim(t.Context())
	compacted(w.behind(n, &events[50]))
	if got := w.behind(n, &events[90]).changes(9); len(got) != 9 {
		t.Errorf("behind what is kept came %d events", len(got))
	}
	w.Credit(slow, 1, 1)
	compacted(slow)
	w.verify()
	off := &wire.DocFeed{Name: n, Off: true}
	if resp := w.Must(wire.OpDocFeed, off); resp.Num != 1 {
		t.Errorf("turning the feed off was answered %+v", resp)
	}
	compacted(l)
	compacted(w.behind(n, &events[90]))
	w.insert("c", `{"_id": 200}`)
	again := w.stands(n, 1<<20)
	compacted(w.behind(n, &events[90]))
	w.insert("c", `{"_id": 201}`)
	if got := shownEvents(t, again.changes(1)); !slices.Equal(got, []string{`insert test.c 201 {"_id":201}`}) {
		t.Errorf("after it was turned on again came %v", got)
	}
}

func TestAWatchBeginsWithWhatWasNotAnsweredBeforeIt(t *testing.T) {
	w := worlds.New(t, nil)
	w.stands(name("c"), 0)
	for i := range 50 {
		w.insert("c", fmt.Sprintf(`{"_id": %d}`, 2*i))
		l := w.stands(name("c"), 100)
		w.insert("c", fmt.Sprintf(`{"_id": %d}`, 2*i+1))
		if got := l.changes(1); shownID(&got[0]) != fmt.Sprint(2*i+1) {
			t.Fatalf("round %d: %v came first", i, shownEvents(t, got))
		}
		w.Cancel(l, 1)
	}
}

func TestAWatchWithoutCreditIsToldNothing(t *testing.T) {
	w := worlds.New(t, nil)
	l := w.stands(name("c"), 0)
	long := strings.Repeat("x", 100_000)
	for i := range 10 {
		w.insert("c", fmt.Sprintf(`{"_id": %d, "s": "%s"}`, i, long))
	}
	other := w.stands(name("c"), 1<<20)
	w.insert("c", `{"_id": 10}`)
	other.changes(1) // who came later has been told by now
	told := 0
	for n := 1; told < 11; n++ {
		if all := l.until(func([]wire.Response) bool { return true }); len(all) != n {
			t.Fatalf("%d answers for %d credits", len(all)-1, n-1)
		}
		w.Credit(l, 1, 1)
		resp := l.answer(n)
		if len(resp.Body) > answerBytes || len(resp.Body) == 0 {
			t.Errorf("an answer has %d bytes", len(resp.Body))
		}
		events := eventsOf(t, []wire.Response{resp})
		if last := &events[len(events)-1]; resp.Rev > last.Rev || last.Rev > resp.Rev+1 {
			t.Errorf("an answer up to event %d of revision %d covers revision %d", last.Event, last.Rev, resp.Rev)
		}
		told += len(events)
	}
}

func TestAWatchOfWhatDoesNotChangeIsToldHowFarItIs(t *testing.T) {
	w := worlds.New(t, nil)
	w.stands(wire.DocName{DB: []byte("test")}, 0)
	l := w.stands(name("quiet"), 100)
	long := strings.Repeat("x", 1<<20)
	for i := range 6 {
		w.insert("loud", fmt.Sprintf(`{"_id": %d, "s": "%s"}`, i, long))
	}
	if resp := l.answer(1); !resp.More || len(resp.Body) != 0 || resp.Rev <= l.answer(0).Rev {
		t.Errorf("it was told %+v", resp)
	}
}

func TestThereMayBeOnlySoManyWatches(t *testing.T) {
	w := worlds.New(t, func(c *Config) { c.MaxWatches = 1 })
	l := w.stands(name("c"), 1)
	if resp := w.watching(&wire.DocWatch{Name: name("c")}, 1).last(); resp.Code != wire.Busy {
		t.Errorf("one more was answered %+v", resp)
	}
	w.Cancel(l, 1)
	if resp := l.last(); resp.Code != wire.Canceled {
		t.Errorf("the watch ended with %+v", resp)
	}
	w.stands(name("c"), 1)
}

func TestWatchesEndWhenTheEngineStops(t *testing.T) {
	w := worlds.Start(t, t.TempDir(), nil)
	l := w.stands(name("c"), 1)
	w.Stop()
	if resp := l.last(); resp.Code != wire.Unavailable {
		t.Errorf("the watch ended with %+v", resp)
	}
}

func TestAWatchIsWithdrawnBeforeItStands(t *testing.T) {
	w := worlds.New(t, nil)
	for i := range 50 {
		l := newListener(t)
		m := wire.DocWatch{Name: name(fmt.Sprint("c", i))}
		w.Submit(wire.Request{Op: wire.OpDocWatch, Tag: 1, Body: m.Append(nil)}, l)
		w.Cancel(l, 1)
		if resp := l.last(); resp.Code != wire.Canceled {
			t.Fatalf("watch %d ended with %+v", i, resp)
		}
	}
	if n := w.hub.Count(); n != 0 {
		t.Errorf("%d watches are left", n)
	}
}

func TestAWatchIsToldOfATransactionWhenItIsCommitted(t *testing.T) {
	w := worlds.New(t, nil)
	l := w.stands(name("c"), 100)
	given, kept := w.begin(), w.begin()
	given.insert("c", `{"_id": 1}`)
	kept.insert("c", `{"_id": 2}`)
	kept.update("c", `{"_id": 2}`, `{"$set": {"a": 1}}`, 0)
	kept.insert("c", `{"_id": 3}`)
	w.insert("c", `{"_id": 4}`)
	given.abort()
	kept.commits()
	w.insert("c", `{"_id": 5}`)
	events := l.through("c", wire.DocEventInsert, "5")
	want := []string{`insert test.c 4 {"_id":4}`, `insert test.c 2 {"_id":2,"a":1}`, `insert test.c 3 {"_id":3}`, `insert test.c 5 {"_id":5}`}
	if got := shownEvents(t, events); !slices.Equal(got, want) {
		t.Fatalf("the watch told %v, want %v", got, want)
	}
	if events[1].Rev != events[2].Rev {
		t.Errorf("the events of a transaction are of revisions %d and %d", events[1].Rev, events[2].Rev)
	}
	w.resumes(name("c"), events)
}
