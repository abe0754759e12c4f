package machinetest

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Command is one command of a log.
type Command struct {
	Op   wire.Op
	Body []byte
}

// Payload is what a command's body is made of.
type Payload interface{ Append(b []byte) []byte }

// Limit is the payload of most commands that an engine gives itself.
type Limit int

// Append appends the limit to b.
func (n Limit) Append(b []byte) []byte { return wire.AppendLimit(b, int(n)) }

// Spec says what machines a bench is for.
type Spec struct {
	// Make makes a machine of what a store has.
	Make func(st *store.Store) (replica.Machine, error)
	// Reads reports whether an operation is a read, which takes no revision.
	Reads func(op wire.Op) bool
	// Summary shows all that a machine has in memory and that influences answers; nil: Same compares stores alone, and Check nothing.
	Summary func(m replica.Machine) string
	// Forget, where it is not nil, forgets what hooks of the machine were told of the entry before.
	Forget func()
	// Show writes an answer for people; nil: as it is.
	Show func(op wire.Op, ans *wire.Response) string
	// Shown is how many characters of each value Dump shows; 0 is no limit.
	Shown int
}

// Bench is a machine over a store, with somebody who plays the log. The tests of an engine have it in a bench of their own.
type Bench struct {
	T       testing.TB
	Store   *store.Store
	Machine replica.Machine
	Index   uint64 // of the last entry
	Rev     uint64 // of the last command
	Now     int64  // the time of the next entry

	spec Spec
}

// NewBench opens a store that is content with little room, and makes a machine of it.
func NewBench(t testing.TB, o store.Options, s Spec) *Bench {
	t.Helper()
	o.MinFree, o.CacheSize = 1, 32<<20
	st, err := store.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	m, err := s.Make(st)
	if err != nil {
		t.Fatal(err)
	}
	b := &Bench{T: t, Store: st, Machine: m, spec: s}
	b.Begin()
	return b
}

// Under is the bench itself, whatever it is embedded in.
func (b *Bench) Under() *Bench { return b }

// Begin goes on behind the last entry that the store has.
func (b *Bench) Begin() {
	pos := b.Store.Applied()
	b.Index, b.Rev, b.Now = pos.Index, pos.Revision, pos.Time
}

// Close closes the store. What was not flushed is gone.
func (b *Bench) Close() {
	b.T.Helper()
	if err := b.Store.Close(); err != nil {
		b.T.Errorf("closing the store: %v", err)
	}
}

// Apply executes the commands as one entry, at time b.Now.
func (b *Bench) Apply(cmds ...Command) (list []wire.Response) {
	b.T.Helper()
	b.Index++
	for _, c := range cmds {
		list = append(list, b.Execute(c, b.spec.Reads(c.Op)))
	}
	if len(cmds) > 0 {
		b.Seal()
	}
	b.Finish()
	return list
}

// Execute executes a command of the entry b.Index and returns its answer.
func (b *Bench) Execute(cmd Command, read bool) (ans wire.Response) {
	b.T.Helper()
	if !read {
		b.Rev++
	}
	c := replica.Command{Op: cmd.Op, Body: cmd.Body, Index: b.Index, Revision: b.Rev, Time: b.Now, Read: read, Wanted: true}
	if err := b.Machine.Apply(&c, &ans); err != nil {
		b.T.Fatalf("%v: fault: %v", c.Op, err)
	}
	ans.Body = append([]byte(nil), ans.Body...)
	return ans
}

// Seal has a machine that gathers what the commands of an entry have in common write it.
func (b *Bench) Seal() {
	if s, ok := b.Machine.(replica.Sealer); ok {
		if err := s.Seal(); err != nil {
			b.T.Fatalf("sealing entry %d: %v", b.Index, err)
		}
	}
}

// Finish ends an entry.
func (b *Bench) Finish() {
	if b.spec.Forget != nil {
		b.spec.Forget()
	}
	p := store.Position{Index: b.Index, Term: 1, Revision: b.Rev, Time: b.Now}
	b.Store.Advance(p)
	b.Machine.Applied(p)
}

// One executes a command as an entry of its own.
func (b *Bench) One(op wire.Op, m Payload) wire.Response {
	b.T.Helper()
	return b.Apply(Command{Op: op, Body: m.Append(nil)})[0]
}

// Must is One for a command that has to succeed.
func (b *Bench) Must(op wire.Op, m Payload) wire.Response {
	b.T.Helper()
	ans := b.One(op, m)
	if err := ans.Err(); err != nil {
		b.T.Fatalf("%v: %v", op, err)
	}
	return ans
}

// Reset has the machine forget what it has in memory, and read the store.
func (b *Bench) Reset() {
	b.T.Helper()
	if err := b.Machine.Reset(); err != nil {
		b.T.Fatal(err)
	}
}

// Snapshot flushes the store and returns what a replica is sent of it.
func (b *Bench) Snapshot() *bytes.Buffer {
	b.T.Helper()
	if err := <-b.Store.Rotate(); err != nil {
		b.T.Fatal(err)
	}
	stream := new(bytes.Buffer)
	v := b.Store.PinFlushed()
	defer v.Close()
	if _, err := v.WriteTo(stream); err != nil {
		b.T.Fatal(err)
	}
	return stream
}

// Dump lists all that is in the store.
func (b *Bench) Dump() string {
	b.T.Helper()
	var out strings.Builder
	format := "%q %x %q\n"
	if b.spec.Shown > 0 {
		format = fmt.Sprintf("%%q %%x %%.%dq\n", b.spec.Shown)
	}
	v := b.Store.View()
	defer v.Close()
	err := v.Iterate(nil, nil, store.IterOptions{}, func(key []byte, v store.Value) bool {
		fmt.Fprintf(&out, format, key, v.Head, v.Body)
		return true
	})
	if err != nil {
		b.T.Fatal(err)
	}
	return out.String()
}

// Hash is a number for all that is in the store.
func (b *Bench) Hash() uint64 {
	b.T.Helper()
	h, err := b.Store.Hash()
	if err != nil {
		b.T.Fatal(err)
	}
	return h
}

// Check compares what memory has with what a restart would have.
func (b *Bench) Check() {
	b.T.Helper()
	if b.spec.Summary == nil {
		return
	}
	again, err := b.spec.Make(b.Store)
	if err != nil {
		b.T.Fatal(err)
	}
	if got, want := b.spec.Summary(b.Machine), b.spec.Summary(again); got != want {
		b.T.Fatalf("entry %d at %d: memory has\n%s\na restart would have\n%s", b.Index, b.Now, Without(got, want), Without(want, got))
	}
}
