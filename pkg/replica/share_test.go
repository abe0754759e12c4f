package replica

import (
	"bytes"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// pen is a Source whose commands are the letters of all who share them.
type pen struct{ begun int }

func (p *pen) Begin() Shared {
	p.begun++
	return &sentence{}
}

type sentence struct{ items []*letter }

func (s *sentence) Add(it Item) { s.items = append(s.items, it.(*letter)) }

func (s *sentence) Finish(b []byte) []byte {
	for _, l := range s.items {
		b = append(b, l.text...)
	}
	return b
}

// Reply gives each its part of the answer.
func (s *sentence) Reply(tag uint64, resp wire.Response) {
	for i, l := range s.items {
		r := resp
		r.Rev = uint64(i)
		l.c.Reply(l.tag, r)
	}
}

// letter is an Item whose answers go to a collector.
type letter struct {
	c    *collector
	tag  uint64
	text string
}

func (l *letter) Reply(_ uint64, resp wire.Response) { l.c.Reply(l.tag, resp) }
func (l *letter) Lane() wire.Replier                 { return l.c }
func (l *letter) Size() int                          { return len(l.text) }

func (w *workbench) write(p *pen, c *collector, tag uint64, text string, deadline int64) {
	w.share(p, opSet, deadline, &letter{c, tag, text})
}

// bodies answers an entry and returns the bodies of its commands.
func (w *workbench) bodies(h *handEntry) (all []string) {
	w.t.Helper()
	_, cmds, err := readEntry(h.data)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, c := range cmds {
		all = append(all, string(c.Body))
	}
	w.apply(h)
	return all
}

// busy puts an entry in flight, so that the next one stays open until it is applied.
func (w *workbench) busy(c *collector) *handEntry {
	w.elect()
	w.put(c, 1000, 1, 0)
	return <-w.entries
}

func TestThoseWhoComeWhileAnEntryIsOpenShareACommandOfTheirSource(t *testing.T) {
	w, c := newWorkbench(t), newCollector()
	first := w.busy(c)
	a, b := &pen{}, &pen{}
	w.write(a, c, 1, "one ", 0)
	w.write(b, c, 2, "two", 0)
	w.write(a, c, 3, "three", 0)
	w.apply(first)
	if got := w.bodies(<-w.entries); !slices.Equal(got, []string{"one three", "two"}) {
		t.Fatalf("the entry has %q", got)
	}
	for tag, place := range map[uint64]uint64{1: 0, 2: 0, 3: 1} {
		if r := c.wait(t, tag); r.Code != wire.OK || r.Rev != place {
			t.Errorf("item %d was answered %v", tag, r)
		}
	}
	w.write(a, c, 4, "four", 0)
	if got := w.bodies(<-w.entries); !slices.Equal(got, []string{"four"}) || a.begun != 2 {
		t.Fatalf("the next entry has %q, of %d commands begun", got, a.begun)
	}
}

func TestACommandComesBehindWhatWasSharedBeforeIt(t *testing.T) {
	w, c := newWorkbench(t), newCollector()
	first := w.busy(c)
	p := &pen{}
	w.write(p, c, 1, "before", 0)
	w.propose(&wire.Request{Op: opSet, Tag: 2, Body: []byte("between")}, false, c)
	w.write(p, c, 3, "behind", 0)
	w.propose(&wire.Request{Op: wire.OpQueuePush, Tag: 4, Body: []byte("another engine")}, false, c)
	w.write(p, c, 5, " it", 0)
	w.apply(first)
	if got := w.bodies(<-w.entries); !slices.Equal(got, []string{"before", "between", "another engine", "behind it"}) {
		t.Fatalf("the entry has %q", got)
	}
}

func TestAnItemThatDoesNotFitHasACommandOfItsOwn(t *testing.T) {
	w, c := newWorkbench(t, func(cfg *Config) { cfg.EntryBytes = 1 << 10; cfg.InFlight = 1 }), newCollector()
	first := w.busy(c)
	p := &pen{}
	const n = 40
	for i := range uint64(n) {
		w.write(p, c, i, fmt.Sprintf("%0100d", i), 0)
	}
	w.apply(first)
	var all []string
	for len(all) < n {
		h := <-w.entries
		if len(h.data) > 1200 {
			t.Errorf("an entry has %d bytes", len(h.data))
		}
		for _, body := range w.bodies(h) {
			for ; len(body) > 0; body = body[100:] {
				all = append(all, body[:100])
			}
		}
	}
	for i := range uint64(n) {
		if want := fmt.Sprintf("%0100d", i); all[i] != want {
			t.Fatalf("number %d is %s", i, all[i])
		}
		if r := c.wait(t, i); r.Code != wire.OK {
			t.Fatalf("item %d: %v", i, r)
		}
	}
	if w.lanes.bytes != 0 || w.lanes.live != 0 {
		t.Errorf("%d bytes of %d commands are left", w.lanes.bytes, w.lanes.live)
	}
}

func TestWhatIsSharedIsRefusedWhenAnotherNodeLeads(t *testing.T) {
	w, c := newWorkbench(t), newCollector()
	first := w.busy(c)
	p := &pen{}
	w.write(p, c, 1, "a", 0)
	w.write(p, c, 2, "b", 0)
	w.lead(false, "node2")
	for tag := range uint64(2) {
		code(t, c, tag+1, wire.NotLeader)
	}
	w.write(p, c, 3, "c", 0)
	code(t, c, 3, wire.NotLeader)
	first.err <- raft.ErrNotLeader
	code(t, c, 1000, wire.NotLeader)
}

func TestWhatIsSharedWaitsForALeader(t *testing.T) {
	w, c := newWorkbench(t), newCollector()
	first := w.busy(c)
	p := &pen{}
	w.write(p, c, 1, "a", 0)
	w.lead(false, "")
	w.write(p, c, 2, "b", 0)
	w.apply(first)
	w.lead(true, "")
	if got := w.bodies(<-w.entries); !slices.Equal(got, []string{"a", "b"}) {
		t.Fatalf("the entry has %q", got)
	}
	code(t, c, 1, wire.OK)
	code(t, c, 2, wire.OK)
}

func TestASharedCommandIsLateWithTheLastOfItsItems(t *testing.T) {
	past, later := wire.Clock()-1, wire.DeadlineAfter(time.Hour)
	for _, test := range []struct {
		deadlines [2]int64
		want      wire.Code
	}{{[2]int64{past - 1, past}, wire.Timeout}, {[2]int64{past, later}, wire.OK}, {[2]int64{past, 0}, wire.OK}, {[2]int64{0, past}, wire.OK}} {
		w, c := newWorkbench(t), newCollector()
		first := w.busy(c)
		p := &pen{}
		w.write(p, c, 1, "a", test.deadlines[0])
		w.write(p, c, 2, "b", test.deadlines[1])
		w.apply(first)
		if test.want == wire.OK {
			w.apply(<-w.entries)
		}
		code(t, c, 1, test.want)
		code(t, c, 2, test.want)
	}
}

func TestWhatIsSharedIsRefusedInTimeThoughTheEntryBeforeHangs(t *testing.T) {
	w, c := newWorkbench(t), newCollector()
	first := w.busy(c)
	w.write(&pen{}, c, 1, "a", wire.DeadlineAfter(time.Millisecond))
	code(t, c, 1, wire.Timeout)
	w.apply(first)
}

func TestAnItemThatNoCommandCouldHoldIsRefused(t *testing.T) {
	w, c := newWorkbench(t), newCollector()
	w.elect()
	w.write(&pen{}, c, 1, string(make([]byte, wire.MaxCommand)), 0)
	code(t, c, 1, wire.TooLarge)
}

func TestItemsOfManySourcesAndCallersAreEachThereOnce(t *testing.T) {
	w := newWorkbench(t, func(cfg *Config) { cfg.EntryBytes = 8 << 10 })
	w.elect()
	const callers, each, sources = 16, 200, 40
	pens := make([]pen, sources)
	seen := map[string]int{}
	var wg sync.WaitGroup
	done := make(chan struct{})
	for i := range callers {
		wg.Go(func() {
			c := newCollector()
			for n := range uint64(each) {
				text := fmt.Sprintf("%02d-%04d.", i, n)
				if n%7 == 0 {
					w.propose(&wire.Request{Op: opSet, Tag: n, Body: []byte(text)}, false, c)
				} else {
					w.write(&pens[(i+int(n))%sources], c, n, text, 0)
				}
				if n%5 == 0 {
					c.wait(t, n)
				}
			}
			for n := range uint64(each) {
				if r := c.wait(t, n); r.Code != wire.OK {
					t.Errorf("caller %d, item %d: %v", i, n, r)
				}
			}
		})
	}
	go func() { wg.Wait(); close(done) }()
	for {
		select {
		case h := <-w.entries:
			for _, body := range w.bodies(h) {
				for text := range bytes.SplitSeq([]byte(body), []byte(".")) {
					if s := string(text); s != "" {
						seen[s]++
					}
				}
			}
			continue
		case <-done:
		}
		break
	}
	if len(seen) != callers*each {
		t.Fatalf("%d of %d items are in the log", len(seen), callers*each)
	}
	for s, n := range seen {
		if n != 1 {
			t.Errorf("item %s is in the log %d times", s, n)
		}
	}
}
