// Package machinetest is what the tests of all state machines do alike: opening a store, executing commands as entries of a log,
// and holding a machine that was fed again against one that was not.
package machinetest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Machine is what is asked of a machine here.
type Machine interface {
	Apply(c *replica.Command, ans *wire.Response) error
	Applied(p store.Position)
}

// Open opens a store that is content with little room.
func Open(t testing.TB, o store.Options) *store.Store {
	t.Helper()
	o.MinFree, o.CacheSize = 1, 32<<20
	st, err := store.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// Close closes a store. What was not flushed is gone.
func Close(t testing.TB, st *store.Store) {
	t.Helper()
	if err := st.Close(); err != nil {
		t.Errorf("closing the store: %v", err)
	}
}

// Execute has a machine execute a command and returns its answer.
func Execute(t testing.TB, m Machine, c *replica.Command) (ans wire.Response) {
	t.Helper()
	if err := m.Apply(c, &ans); err != nil {
		t.Fatalf("%v: fault: %v", c.Op, err)
	}
	ans.Body = append([]byte(nil), ans.Body...)
	return ans
}

// Finish ends an entry, whose last command was at p.
func Finish(st *store.Store, m Machine, p store.Position) {
	p.Term = 1
	st.Advance(p)
	m.Applied(p)
}

// Dump lists all that is in a store, of each value at most limit characters; 0 is no limit.
func Dump(t testing.TB, st *store.Store, limit int) string {
	t.Helper()
	var out strings.Builder
	format := "%q %x %q\n"
	if limit > 0 {
		format = fmt.Sprintf("%%q %%x %%.%dq\n", limit)
	}
	v := st.View()
	defer v.Close()
	err := v.Iterate(nil, nil, store.IterOptions{}, func(key []byte, v store.Value) bool {
		fmt.Fprintf(&out, format, key, v.Head, v.Body)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// Hash is a number for all that is in a store.
func Hash(t testing.TB, st *store.Store) uint64 {
	t.Helper()
	h, err := st.Hash()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// Equal reports whether two answers are the same.
func Equal(a, b *wire.Response) bool {
	return a.Code == b.Code && a.Rev == b.Rev && a.Num == b.Num && bytes.Equal(a.Body, b.Body)
}

// Without returns the lines of a that b has not.
func Without(a, b string) string {
	lines := slices.Collect(strings.Lines(a))
	return strings.Join(slices.DeleteFunc(lines, func(line string) bool { return strings.Contains(b, line) }), "")
}

// Snapshot flushes a store and returns what a replica is sent of it.
func Snapshot(t testing.TB, st *store.Store) *bytes.Buffer {
	t.Helper()
	if err := <-st.Rotate(); err != nil {
		t.Fatal(err)
	}
	stream := new(bytes.Buffer)
	v := st.PinFlushed()
	defer v.Close()
	if _, err := v.WriteTo(stream); err != nil {
		t.Fatal(err)
	}
	return stream
}

// Life is a replica between its start and its end.
type Life struct {
	Store *store.Store
	Begin int             // the entry of the log that is to come next
	Play  func(entry int) // plays an entry
	End   func(last bool) // closes the store; last: the whole log has been played
}

// Refeed plays a log of n entries to a replica that lives for at most most of them, flushes at three quarters, and is started again by
// start with what it has flushed, until it comes to the end.
func Refeed(t testing.TB, seed uint64, n, most int, start func() Life) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 2))
	for last := false; !last; {
		l := start()
		to := min(l.Begin+1+r.IntN(most), n)
		for i := l.Begin; i < to; i++ {
			l.Play(i)
			if i == l.Begin+(to-l.Begin)*3/4 {
				if err := <-l.Store.Rotate(); err != nil {
					t.Errorf("flushing the store: %v", err)
				}
			}
		}
		last = to == n
		l.End(last)
	}
}
