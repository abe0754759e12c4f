package store

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/store/internal/blob"
)

// journal stands for the Raft log: what was written, entry by entry, so that a store can be fed again from where it is.
type journal [][]write

type write struct {
	key, head, body string
	dead            bool
}

// feed applies the entries that the store does not have.
func (j journal) feed(s *Store) {
	for i := s.Applied().Index; i < uint64(len(j)); i++ {
		b := s.Begin()
		for _, w := range j[i] {
			if w.dead {
				b.Delete([]byte(w.key))
			} else {
				b.Set([]byte(w.key), []byte(w.head), []byte(w.body))
			}
		}
		b.Commit()
		s.Advance(Position{Index: i + 1, Term: 1, Revision: i + 1, Time: int64(i + 1), Conf: []byte("conf"), ConfIndex: 1})
	}
}

// at is what a store should hold after n entries.
func (j journal) at(n uint64) model {
	m := model{}
	for _, e := range j[:n] {
		for _, w := range e {
			if delete(m, w.key); !w.dead {
				m[w.key] = [2]string{w.head, w.body}
			}
		}
	}
	return m
}

func large(c string) string { return strings.Repeat(c, 3000) }

// base is what is on disk before the flush that is cut short, and the change what that flush writes: sets, overwrites and
// deletions of small and large values, each by each.
func crashJournal() (base, change journal) {
	var first, second []write
	for _, was := range []string{"none", "small", "large", "deleted"} {
		for _, will := range []string{"none", "small", "large", "deleted"} {
			key := was + " to " + will
			put := func(e []write, kind, c string) []write {
				switch kind {
				case "small":
					return append(e, write{key: key, head: "h" + c, body: c})
				case "large":
					return append(e, write{key: key, head: "H" + c, body: large(c)})
				case "deleted":
					return append(e, write{key: key, body: c}, write{key: key, dead: true})
				}
				return e
			}
			first = put(first, was, "1")
			second = put(second, will, "2")
		}
	}
	return journal{first, {{key: "", body: "the empty key"}}}, journal{second, {{key: "last", body: "x"}}}
}

// bulky is an entry that does not fit one transaction of crashOptions.
func bulky() []write {
	var e []write
	for i := range 3500 {
		e = append(e, write{key: fmt.Sprintf("bulk%05d", i), body: strings.Repeat("b", 200)})
	}
	return append(e, write{key: "bulk large", body: large("b")}, write{key: "small to none", dead: true})
}

func crashOptions(dir string) Options {
	o := manual(dir)
	o.CacheSize = 32 << 20
	o.hooks.memTable = 4 << 20
	return o
}

// noLimits leave it to the test when there is a flush.
var noLimits = limits{bytes: 1 << 40, lsmBytes: 1 << 40, lsmCount: 1 << 30}

// crash is one interrupted piece of work.
type crash struct {
	name   string
	change journal
	do     func(s *Store) error // with everything applied
}

func crashes() []crash {
	_, change := crashJournal()
	rotate := func(s *Store) error { return <-s.Rotate() }
	snapshot := snapshotOf(journal{{{key: "installed", body: large("i")}, {key: "small to small", body: "i"}}})
	return []crash{
		{"flush", change, rotate},
		{"marker only", journal{nil}, rotate},
		{"flush in parts", append(journal{bulky()}, change...), rotate},
		{"install", change, func(s *Store) error { return s.Install(bytes.NewReader(snapshot)) }},
		{"rebuild", nil, (*Store).rebuild},
		{"reclaim", nil, (*Store).reclaimOldest},
	}
}

// reclaimOldest goes over the oldest blob file, however alive it is.
func (s *Store) reclaimOldest() error {
	s.flushMu.Lock()
	defer s.flushMu.Unlock()
	if err := s.base.blobs.Roll(); err != nil {
		return err
	}
	for no := range s.base.blobs.Next() {
		if f := s.space.files[no]; f != nil && f.retired == 0 {
			s.reclaiming = reclaiming{file: no, off: blob.First}
			return s.reclaim()
		}
	}
	return nil
}

func snapshotOf(j journal) []byte {
	s, err := Open(Options{Memory: true})
	if err != nil {
		panic(err)
	}
	j.feed(s)
	s.Advance(Position{Index: 1000, Term: 2, Revision: 1000})
	v := s.PinFlushed()
	defer v.Close()
	var b bytes.Buffer
	if _, err := v.WriteTo(&b); err != nil {
		panic(err)
	}
	return b.Bytes()
}

// prepared brings a store to where c can be done, with steps watched from then on.
func (c *crash) prepared(t *testing.T, dir string, step func(name string) error) (*Store, journal) {
	t.Helper()
	var armed atomic.Bool
	o := crashOptions(dir)
	o.hooks.step = func(name string) error {
		if !armed.Load() {
			return nil
		}
		return step(name)
	}
	s := opened(t, o)
	s.limits = noLimits
	base, _ := crashJournal()
	base.feed(s)
	flushed(t, s)
	j := append(base, c.change...)
	j.feed(s)
	armed.Store(true)
	return s, j
}

// TestAStoreIsAtAMarkerWhereverItStops stops each kind of work after each of its steps, opens what is left, and then does
// each kind of work to the end.
func TestAStoreIsAtAMarkerWhereverItStops(t *testing.T) {
	t.Parallel()
	for _, c := range crashes() {
		var steps []string
		s, _ := c.prepared(t, t.TempDir(), func(name string) error { steps = append(steps, name); return nil })
		if err := c.do(s); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		if err := s.Close(); err != nil { // and with it the step after the flush
			t.Fatal(err)
		}
		for i, name := range steps {
			t.Run(fmt.Sprintf("%s/%d %s", c.name, i, name), func(t *testing.T) {
				t.Parallel()
				c.stopAt(t, i)
			})
		}
	}
}

func (c *crash) stopAt(t *testing.T, stop int) {
	dir := t.TempDir()
	var left image
	n := 0
	stopped := make(chan struct{})
	s, j := c.prepared(t, dir, func(string) error {
		n++
		if n <= stop {
			return nil
		}
		if left == nil {
			left = capture(t, dir)
			close(stopped)
		}
		return errStopped
	})
	done := make(chan error, 1)
	go func() { done <- c.do(s) }()
	select {
	case <-stopped:
	case err := <-done:
		select {
		case <-stopped: // the last step comes after those who wait have been told
		case <-time.After(30 * time.Second):
			t.Fatalf("it ended before step %d: %v", stop, err)
		}
		done <- err
	}
	_ = s.Close() // what it does to its folder is not seen
	<-done
	for _, next := range crashes() {
		dir := t.TempDir()
		left.restore(t, dir)
		c.goOn(t, dir, j, &next)
	}
}

// goOn opens what is left, checks it, feeds it again, does the next work, and checks again.
func (c *crash) goOn(t *testing.T, dir string, j journal, next *crash) {
	s, err := Open(crashOptions(dir))
	if err != nil {
		t.Fatalf("opening what is left: %v", err)
	}
	s.limits = noLimits
	at := s.Durable().Index
	if at == 1000 { // the snapshot was installed
		expectInstalled(t, s)
	} else {
		j.at(at).expect(t, s)
		j.feed(s)
		j.at(uint64(len(j))).expect(t, s)
	}
	if err := next.do(s); err != nil {
		t.Fatalf("then %s: %v", next.name, err)
	}
	if next.name == "install" {
		expectInstalled(t, s)
	} else if at != 1000 {
		j.at(uint64(len(j))).expect(t, s)
	}
	index := s.Durable().Index
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(crashOptions(dir)); err != nil {
		t.Fatalf("opening after %s: %v", next.name, err)
	}
	defer s.Close()
	if s.Durable().Index != index {
		t.Fatalf("after %s the position went from %d to %d", next.name, index, s.Durable().Index)
	}
	if index == 1000 {
		expectInstalled(t, s)
	} else {
		j.at(index).expect(t, s)
	}
}

func expectInstalled(t testing.TB, s *Store) {
	t.Helper()
	model{"installed": {"", large("i")}, "small to small": {"", "i"}}.expect(t, s)
}

// TestAPowerCutLeavesAMarker mixes what the disk held at one step of each kind of work with what it held at the next.
func TestAPowerCutLeavesAMarker(t *testing.T) {
	t.Parallel()
	rounds := 6
	if testing.Short() {
		rounds = 2
	}
	for _, c := range crashes() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			var images []image
			var names []string
			s, j := c.prepared(t, dir, func(name string) error {
				images = append(images, capture(t, dir))
				names = append(names, name)
				return nil
			})
			images = append([]image{capture(t, dir)}, images...)
			if err := c.do(s); err != nil {
				t.Fatal(err)
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			rnd := rand.New(rand.NewPCG(1, uint64(len(c.name))))
			for i := 1; i < len(images); i++ {
				for range rounds {
					dir := t.TempDir()
					powerCut(rnd, images[i-1], images[i]).restore(t, dir)
					s, err := Open(crashOptions(dir))
					if err != nil {
						t.Fatalf("after a power cut before %q: %v", names[i-1], err)
					}
					if at := s.Durable().Index; at == 1000 {
						expectInstalled(t, s)
					} else {
						j.at(at).expect(t, s)
					}
					if err := s.Close(); err != nil {
						t.Fatal(err)
					}
					if err := os.RemoveAll(dir); err != nil {
						t.Fatal(err)
					}
				}
			}
		})
	}
}

// TestAnUndoMayBeCutShort stops a flush of several parts between two of them, and the undoing of it after each step.
func TestAnUndoMayBeCutShort(t *testing.T) {
	t.Parallel()
	c := crashes()[2]
	dir := t.TempDir()
	var left image
	s, j := c.prepared(t, dir, func(name string) error {
		if name == "part" && left == nil {
			left = capture(t, dir)
		}
		if left == nil {
			return nil
		}
		return errStopped
	})
	s.Rotate()
	if err := <-s.Rotate(); err == nil {
		t.Fatal("the flush was not stopped")
	}
	for stop := 0; ; stop++ {
		dir := t.TempDir()
		left.restore(t, dir)
		o := crashOptions(dir)
		n := 0
		o.hooks.step = func(string) error {
			if n++; n > stop {
				return errStopped
			}
			return nil
		}
		s, err := Open(o)
		if err == nil {
			if stop == 0 {
				t.Fatal("there was nothing to undo")
			}
			j.at(2).expect(t, s)
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			return
		}
		if !errors.Is(err, errStopped) {
			t.Fatal(err)
		}
		s = opened(t, crashOptions(dir))
		j.at(s.Durable().Index).expect(t, s)
		j.feed(s)
		flushed(t, s)
		j.at(uint64(len(j))).expect(t, s)
	}
}

func TestEmptyLogsOfBadgerAreRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	base, _ := crashJournal()
	s := opened(t, crashOptions(dir))
	base.feed(s)
	flushed(t, s)
	left := capture(t, dir)
	dir = t.TempDir()
	left.restore(t, dir)
	for _, name := range []string{"00077.mem", "000078.vlog"} {
		if err := os.WriteFile(filepath.Join(dir, generationName(1), name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s = opened(t, crashOptions(dir))
	base.at(2).expect(t, s)
}
