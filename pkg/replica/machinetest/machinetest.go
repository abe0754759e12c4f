// Package machinetest is what the tests of all state machines do alike: playing a log to a machine over a store, holding a machine
// that was fed again against one that was not, running scripts of commands, and measuring.
package machinetest

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Equal reports whether two answers are the same.
func Equal(a, b *wire.Response) bool {
	return a.Code == b.Code && a.Rev == b.Rev && a.Num == b.Num && bytes.Equal(a.Body, b.Body)
}

// Without returns the lines of a that b has not.
func Without(a, b string) string {
	lines := slices.Collect(strings.Lines(a))
	return strings.Join(slices.DeleteFunc(lines, func(line string) bool { return strings.Contains(b, line) }), "")
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
				flush(t, l.Store)
			}
		}
		last = to == n
		l.End(last)
	}
}
