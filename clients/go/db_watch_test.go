package flin

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// changeServer answers watches of documents: revisions up to last, each with two events, of which it drops the connection before some.
// It returns what it was asked for.
func changeServer(t *testing.T, f *fake, last uint64, dropAt ...wire.DocWatch) func() []wire.DocWatch {
	t.Helper()
	var mu sync.Mutex // guards what follows
	var asked []wire.DocWatch
	f.onRequest(func(fc *fakeConn, req *wire.Request) bool {
		if req.Op != wire.OpDocWatch {
			return req.Op == wire.OpCancel || req.Op == wire.OpCredit
		}
		var m wire.DocWatch
		if err := m.Decode(slices.Clone(req.Body)); err != nil {
			t.Error(err)
		}
		mu.Lock()
		asked = append(asked, m)
		mu.Unlock()
		if m.Rev == 0 {
			m.Rev = 10
		}
		fc.answer(req.Tag, wire.Response{More: true, Rev: m.Rev - 1})
		for rev := m.Rev; rev <= last; rev++ {
			for event := uint64(1); event <= 2; event++ {
				if rev == m.Rev && event <= m.Event {
					continue
				}
				mu.Lock()
				i := slices.IndexFunc(dropAt, func(d wire.DocWatch) bool { return d.Rev == rev && d.Event == event })
				if i >= 0 {
					dropAt = slices.Delete(dropAt, i, i+1)
				}
				mu.Unlock()
				if i >= 0 {
					_ = fc.nc.Close()
					return true
				}
				fc.answer(req.Tag, wire.Response{More: true, Rev: rev - 1, Body: changeEvent(t, rev, event)})
			}
		}
		fc.answer(req.Tag, wire.Response{More: true, Rev: last + 5})
		return true
	})
	return func() []wire.DocWatch {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(asked)
	}
}

// changeEvent is an update and, as second of a revision, a removal.
func changeEvent(t *testing.T, rev, event uint64) []byte {
	t.Helper()
	id := append([]byte{byte(bson.TypeInt64)}, byte(rev), 0, 0, 0, 0, 0, 0, 0)
	e := wire.DocEvent{
		Kind: wire.DocEventUpdate, Rev: rev, Event: event, Time: 1_000_000, ID: id,
		Name: wire.DocName{DB: []byte("default"), Coll: []byte("users")},
	}
	if event == 2 {
		e.Kind = wire.DocEventDelete
		return wire.AppendDocEvent(nil, &e)
	}
	doc, err := bson.Marshal(bson.D{{Key: "_id", Value: int64(rev)}, {Key: "email", Value: fmt.Sprint(rev)}})
	if err != nil {
		t.Fatal(err)
	}
	e.Doc = doc
	return wire.AppendDocEvent(nil, &e)
}

func TestAWatchOfDocumentsGoesOnWhereItWasWhenItsConnectionIsLost(t *testing.T) {
	f := newFake(t)
	drops := []wire.DocWatch{{Rev: 10, Event: 1}, {Rev: 15, Event: 2}, {Rev: 100, Event: 1}}
	asked := changeServer(t, f, 120, slices.Clone(drops)...)
	w, err := connect(t, f.addr()).DB.Watch(t.Context(), "users")
	must(t, err)
	rev, event := uint64(10), uint64(1)
	for c, err := range w.Changes() {
		must(t, err)
		want := Change{Token: tokenOf(rev, event), Kind: DocumentUpdated, Database: "default", Collection: "users", ID: int64(rev), Time: time.UnixMilli(1_000_000)}
		if event == 2 {
			want.Kind = DocumentDeleted
		}
		if c.Token != want.Token || c.Kind != want.Kind || c.Database != want.Database || c.Collection != want.Collection || c.ID != want.ID || !c.Time.Equal(want.Time) {
			t.Fatalf("%+v, want %+v", c, want)
		}
		var user struct{ Email string }
		switch err := c.Decode(&user); {
		case event == 1 && (err != nil || user.Email != fmt.Sprint(rev) || c.Document["email"] != user.Email):
			t.Fatalf("%v: %+v %v", err, user, c.Document)
		case event == 2 && (!errors.Is(err, ErrNotFound) || c.Document != nil):
			t.Fatalf("%v: %v", err, c.Document)
		}
		if w.Token() != c.Token {
			t.Fatalf("the watch is at %s, its change at %s", w.Token(), c.Token)
		}
		if rev == 120 && event == 2 {
			break
		}
		if event++; event > 2 {
			rev, event = rev+1, 1
		}
	}
	all := asked()
	if len(all) != 1+len(drops) {
		t.Fatalf("it asked %d times", len(all))
	}
	for i, m := range all[1:] { // what was on its way may have been lost with the connection
		if d := drops[i]; m.Rev > d.Rev || m.Rev == d.Rev && m.Event >= d.Event {
			t.Errorf("after the connection was lost at %+v it went on behind %d of %d", d, m.Event, m.Rev)
		}
	}
}

func TestAWatchOfDocumentsBeginsBehindAToken(t *testing.T) {
	f := newFake(t)
	asked := changeServer(t, f, 20)
	db := connect(t, f.addr()).DB
	w, err := CollectionOf[Document](db, "users").Watch(t.Context(), ResumeAfter("20.1"))
	must(t, err)
	for c, err := range w.Changes() {
		if must(t, err); c.Token != "20.2" {
			t.Errorf("%s came first", c.Token)
		}
		break
	}
	_, err = db.Watch(t.Context(), "", ResumeAfter(""))
	must(t, err)
	if all := asked(); len(all) != 2 || string(all[0].Name.Coll) != "users" || len(all[1].Name.Coll) > 0 || all[1].Rev != 0 {
		t.Errorf("asked for %+v", all)
	}
	for _, token := range []string{"x", "1", "0.1", "1.", "1.2.3", "-1.2"} {
		if _, err := db.Watch(t.Context(), "users", ResumeAfter(token)); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %v", token, err)
		}
	}
}

func TestAWatchOfDocumentsMovesOnWithoutChanges(t *testing.T) {
	f := newFake(t)
	f.onRequest(func(fc *fakeConn, req *wire.Request) bool {
		if req.Op == wire.OpDocWatch {
			for _, resp := range []wire.Response{{Rev: 9}, {Rev: 50}, {Rev: 50, Body: changeEvent(t, 51, 1)}, {Rev: 60}} {
				resp.More = true
				fc.answer(req.Tag, resp)
			}
			fc.answer(req.Tag, wire.Failf(wire.Compacted, "that is not kept"))
		}
		return true
	})
	w, err := connect(t, f.addr()).DB.Watch(t.Context(), "users")
	must(t, err)
	if w.Token() != "10.0" {
		t.Errorf("it begins at %s", w.Token())
	}
	var got []string
	for c, err := range w.Changes() {
		if err != nil {
			if !errors.Is(err, ErrCompacted) {
				t.Error(err)
			}
			break
		}
		got = append(got, c.Token)
	}
	if !slices.Equal(got, []string{"51.1"}) || w.Token() != "61.0" {
		t.Errorf("it told %v, and is at %s", got, w.Token())
	}
}

func TestAWatchOfDocumentsEndsWithItsContextOrClose(t *testing.T) {
	f := newFake(t)
	changeServer(t, f, 10)
	db := connect(t, f.addr()).DB
	for _, byClose := range []bool{false, true} {
		ctx, cancel := context.WithCancel(t.Context())
		w, err := db.Watch(ctx, "users")
		must(t, err)
		var last error
		for _, err := range w.Changes() {
			if last = err; byClose {
				w.Close()
			} else {
				cancel()
			}
		}
		cancel()
		if byClose && last != nil || !byClose && !errors.Is(last, context.Canceled) {
			t.Errorf("close %v: %v", byClose, last)
		}
	}
}

func TestAChangeThatCannotBeReadEndsTheWatch(t *testing.T) {
	good := changeEvent(t, 10, 1)
	bad := wire.AppendDocEvent(nil, &wire.DocEvent{Kind: wire.DocEventInsert, Rev: 10, Event: 1, ID: []byte{byte(bson.TypeInt64), 1}})
	for _, body := range [][]byte{good[:len(good)-1], bad} {
		f := newFake(t)
		f.onRequest(func(fc *fakeConn, req *wire.Request) bool {
			if req.Op == wire.OpDocWatch {
				fc.answer(req.Tag, wire.Response{More: true, Rev: 9})
				fc.answer(req.Tag, wire.Response{More: true, Rev: 9, Body: body})
			}
			return true
		})
		w, err := connect(t, f.addr()).DB.Watch(t.Context(), "users")
		must(t, err)
		n := 0
		for _, err := range w.Changes() {
			if n++; !errors.Is(err, ErrInternal) {
				t.Errorf("it told %v", err)
			}
		}
		if n != 1 {
			t.Errorf("it told %d times", n)
		}
	}
}

func TestAFeedIsTurnedOff(t *testing.T) {
	f := newFake(t)
	got := make(chan wire.DocFeed, 1)
	f.onRequest(func(fc *fakeConn, req *wire.Request) bool {
		if req.Op == wire.OpDocFeed {
			var m wire.DocFeed
			if err := m.Decode(slices.Clone(req.Body)); err != nil {
				t.Error(err)
			}
			got <- m
			fc.answer(req.Tag, wire.Response{Num: 1, Rev: 3})
		}
		return true
	})
	must(t, connect(t, f.addr()).DB.StopFeed("users"))
	if m := <-got; !m.Off || string(m.Name.DB) != "default" || string(m.Name.Coll) != "users" {
		t.Errorf("asked for %+v", m)
	}
}
