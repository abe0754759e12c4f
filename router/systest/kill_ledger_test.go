package systest

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sort"
	"strings"
	"time"
)

// Sizes of values on either side of what the store keeps in its LSM tree.
const (
	smallValue = 128
	largeValue = 64 << 10
)

// clockSlack is how far in milliseconds an expiry may be from what its writer computes from its own clock: both clocks
// are this machine's, and are cut to milliseconds.
const clockSlack = 50

// noise is what the values are made of.
var noise = func() []byte {
	b := make([]byte, 2*largeValue)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(b)
	return b
}()

// payload is the value that the seq-th write of key has. Every byte of it depends on both.
func payload(key string, seq int64, size int) []byte {
	b := make([]byte, 0, size)
	b = fmt.Appendf(b, "%s|%d|%d|", key, seq, size)
	for at := int(seq*8191) % largeValue; len(b) < size; at = 0 {
		b = append(b, noise[at:at+min(size-len(b), largeValue)]...)
	}
	return b
}

// brief describes a value for a failure message.
func brief(v []byte) string {
	if v == nil {
		return "nothing"
	}
	return fmt.Sprintf("%d bytes %q", len(v), v[:min(len(v), 60)])
}

// state is what a key holds after a write: nothing, or its owner's seq-th value, with or without an expiry.
type state struct {
	seq        int64  // 0: the key is not there
	of         string // the key that the value was written to, where it was renamed since
	size       int
	ttl        int64 // milliseconds; 0: for ever
	minExpires int64 // the key cannot have gone before this time (milliseconds since 1970)
	maxExpires int64 // it must have gone by then; 0 while the write is not answered: nobody knows yet
}

// observed is what a read found, between two readings of the clock.
type observed struct {
	value         []byte // nil: the key was not there
	expires       int64  // 0: never
	before, after int64
}

// matches says why o cannot be what a key in this state shows, or nothing.
func (s state) matches(key string, o observed) string {
	switch {
	case s.seq == 0:
		if o.value != nil {
			return "it was deleted, and holds " + brief(o.value)
		}
		return ""
	case o.value == nil:
		if s.ttl == 0 || o.after < s.minExpires-clockSlack {
			return fmt.Sprintf("it is gone; write %d of %d bytes (ttl %d ms) was acknowledged", s.seq, s.size, s.ttl)
		}
		return ""
	}
	if s.of != "" {
		key = s.of
	}
	if !bytes.Equal(o.value, payload(key, s.seq, s.size)) {
		return fmt.Sprintf("it holds %s, not write %d of %d bytes", brief(o.value), s.seq, s.size)
	}
	latest := s.maxExpires
	if latest == 0 {
		latest = o.after + s.ttl
	}
	switch {
	case s.ttl == 0 && o.expires != 0:
		return fmt.Sprintf("it has an expiry (%d), write %d has none", o.expires, s.seq)
	case s.ttl != 0 && o.before > latest+clockSlack:
		return fmt.Sprintf("it is there %d ms after its time", o.before-latest)
	case s.ttl != 0 && (o.expires < s.minExpires-clockSlack || o.expires > latest+clockSlack):
		return fmt.Sprintf("it expires at %d, write %d of ttl %d should at %d to %d", o.expires, s.seq, s.ttl, s.minExpires, latest)
	}
	return ""
}

// change is one command: what it leaves in each key that it writes. All of it happens or nothing.
type change map[string]state

// pledge is a change that was sent, until it is known what became of it and of those before it.
type pledge struct {
	change
	done bool // it was acknowledged, though one before it has no answer
}

// ledger is what the only writer of some keys knows of them: what was acknowledged last, and the commands that were
// sent and not answered, oldest first. The server may have executed any number of those, in this order, each whole.
type ledger struct {
	acked   map[string]state
	pending []pledge
	next    int  // of pending: the oldest whose answer may still come
	holes   bool // any of those without an answer may have been executed, not only the first ones; set by far
	seq     int64
	writes  int // acknowledged
	unknown int // were not answered
}

func newLedger() *ledger { return &ledger{acked: map[string]state{}} }

// sent notes a command that is about to leave.
func (l *ledger) sent(c change) {
	now := time.Now().UnixMilli()
	for k, s := range c {
		if s.ttl != 0 {
			s.minExpires = now + s.ttl
			c[k] = s
		}
	}
	l.pending = append(l.pending, pledge{change: c})
}

// answered notes that the oldest command in flight was acknowledged.
func (l *ledger) answered() {
	l.writes++
	if l.next > 0 {
		l.expiring(l.pending[l.next].change)
		l.pending[l.next].done = true
		l.next++
		return
	}
	l.apply(l.pending[0].change)
	l.pending = l.pending[1:]
}

// refused notes that the oldest command in flight was surely not executed.
func (l *ledger) refused() { l.pending = slices.Delete(l.pending, l.next, l.next+1) }

// lost notes that the oldest command in flight will have no answer, while those behind it may have one: so it is if each was a
// request of its own to an engine that ended and is there again.
func (l *ledger) lost() {
	l.next++
}

// expiring sets by when the keys of a command that was acknowledged now must have gone.
func (l *ledger) expiring(c change) {
	now := time.Now().UnixMilli()
	for k, s := range c {
		if s.ttl != 0 && s.maxExpires == 0 {
			s.maxExpires = now + s.ttl
			c[k] = s
		}
	}
}

func (l *ledger) apply(c change) {
	l.expiring(c)
	maps.Copy(l.acked, c)
}

// now returns what a key will hold when everything in flight has been executed.
func (l *ledger) now(key string) state {
	for i := len(l.pending) - 1; i >= 0; i-- {
		if s, ok := l.pending[i].change[key]; ok {
			return s
		}
	}
	return l.acked[key]
}

// keys returns every key that was ever written, in order.
func (l *ledger) keys() []string {
	all := map[string]bool{}
	for k := range l.acked {
		all[k] = true
	}
	for _, c := range l.pending {
		for k := range c.change {
			all[k] = true
		}
	}
	keys := make([]string, 0, len(all))
	for k := range all {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}

// settle compares what a read of every key found with what may be there, and learns from it how many of the unanswered
// commands were executed. Nothing may be in flight.
func (l *ledger) settle(found map[string]observed) error {
	if l.holes {
		return l.settleHoles(found)
	}
	l.unknown += len(l.pending)
	var complaints []string
	for executed := 0; ; executed++ {
		var wrong []string
		for key, o := range found {
			if why := l.acked[key].matches(key, o); why != "" {
				wrong = append(wrong, fmt.Sprintf("%s: %s", key, why))
			}
		}
		if len(wrong) == 0 {
			l.pending, l.next = nil, 0
			return nil
		}
		sort.Strings(wrong)
		complaints = append(complaints, fmt.Sprintf("with %d of the unanswered commands: %s", executed, strings.Join(wrong[:min(len(wrong), 6)], "; ")))
		if len(l.pending) == 0 {
			break
		}
		l.apply(l.pending[0].change)
		l.pending = l.pending[1:]
	}
	first, last := complaints[0], complaints[len(complaints)-1]
	if len(complaints) == 1 {
		return fmt.Errorf("%s", first)
	}
	return fmt.Errorf("no number of the %d unanswered commands explains what is there:\n  %s\n  %s", len(complaints)-1, first, last)
}

// settleHoles is settle where any of the commands without an answer may have been executed. Of what a key holds only the last command
// says something that was executed and writes it: so they are gone through from the last one. To take one as executed that explains
// all that is left to explain of its keys never makes another impossible.
func (l *ledger) settleHoles(found map[string]observed) error {
	open := maps.Clone(found) // what no command has explained yet
	var wrong []string
	executed := make([]bool, len(l.pending))
	for i, p := range slices.Backward(l.pending) {
		var why []string
		for key, s := range p.change {
			if o, is := open[key]; is {
				if w := s.matches(key, o); w != "" {
					why = append(why, fmt.Sprintf("%s: %s", key, w))
				}
			}
		}
		if p.done {
			wrong = append(wrong, why...)
		} else {
			l.unknown++
		}
		if executed[i] = p.done || len(why) == 0; executed[i] {
			for key := range p.change {
				delete(open, key)
			}
		}
	}
	for key, o := range open {
		if w := l.acked[key].matches(key, o); w != "" {
			wrong = append(wrong, fmt.Sprintf("%s: %s", key, w))
		}
	}
	for i, p := range l.pending {
		if executed[i] {
			l.apply(p.change)
		}
	}
	l.pending, l.next = nil, 0
	if len(wrong) > 0 {
		sort.Strings(wrong)
		return fmt.Errorf("whichever of the unanswered commands were executed: %s", strings.Join(wrong[:min(len(wrong), 6)], "; "))
	}
	return nil
}
