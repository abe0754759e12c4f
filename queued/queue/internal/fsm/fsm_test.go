package fsm

import (
	"flag"
	"fmt"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/replica/machinetest"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestMain(m *testing.M) {
	flag.Parse()
	goleak.VerifyTestMain(m)
}

// command is one command of a log.
type command struct {
	op   wire.Op
	body []byte
}

// bench is a machine over a store, with somebody who plays the log.
type bench struct {
	t     testing.TB
	st    *store.Store
	m     *Machine
	index uint64
	rev   uint64
	now   int64
	ready map[string]int // what OnReady said of the last entry
}

func newBench(t testing.TB, o store.Options) *bench {
	t.Helper()
	st := machinetest.Open(t, o)
	b := &bench{t: t, st: st, ready: map[string]int{}}
	var err error
	b.m, err = NewMachine(st, Options{OnReady: func(q string, n int) { b.ready[q] = n }})
	if err != nil {
		t.Fatal(err)
	}
	b.begin()
	return b
}

func (b *bench) begin() {
	pos := b.st.Applied()
	b.index, b.rev, b.now = pos.Index, pos.Revision, pos.Time
}

func (b *bench) close() { machinetest.Close(b.t, b.st) }

// apply executes the commands as one entry, at time b.now.
func (b *bench) apply(cmds ...command) (list []wire.Response) {
	b.t.Helper()
	b.index++
	clear(b.ready)
	for _, cmd := range cmds {
		read := KindOf(cmd.op) == Read
		if !read {
			b.rev++
		}
		c := replica.Command{Op: cmd.op, Body: cmd.body, Index: b.index, Revision: b.rev, Time: b.now, Read: read, Wanted: true}
		list = append(list, machinetest.Execute(b.t, b.m, &c))
	}
	b.finish(len(cmds) > 0)
	return list
}

// finish ends an entry.
func (b *bench) finish(seal bool) {
	if seal {
		if err := b.m.Seal(); err != nil {
			b.t.Fatalf("sealing entry %d: %v", b.index, err)
		}
	}
	machinetest.Finish(b.st, b.m, store.Position{Index: b.index, Revision: b.rev, Time: b.now})
}

// one executes a command as an entry of its own.
func (b *bench) one(op wire.Op, m interface{ Append(b []byte) []byte }) wire.Response {
	b.t.Helper()
	return b.apply(command{op, m.Append(nil)})[0]
}

// dump lists all that is in the store.
func (b *bench) dump() string { return machinetest.Dump(b.t, b.st, 200) }

// hash is a number for all that is in the store.
func (b *bench) hash() uint64 { return machinetest.Hash(b.t, b.st) }

// check compares the counts of every queue with its messages, and what memory has with what a restart would have.
func (b *bench) check() {
	b.t.Helper()
	if b.m.now != b.now {
		return // no command has told it of the time yet
	}
	again, err := NewMachine(b.st, Options{})
	if err != nil {
		b.t.Fatal(err)
	}
	if got, want := summary(b.m), summary(again); got != want {
		b.t.Fatalf("entry %d at %d: memory has\n%s\na restart would have\n%s", b.index, b.now, machinetest.Without(got, want), machinetest.Without(want, got))
	}
}

// summary says what a machine has in memory.
func summary(m *Machine) string {
	var out strings.Builder
	for _, q := range m.sorted {
		fmt.Fprintf(&out, "%s qid=%d ready=%d delayed=%d leased=%d plain=%d free=%d dedup=%d turn=%d/%d\n",
			q.name, q.qid, q.ready, q.delayed, q.leased, q.plain, q.free, q.dedup.count, q.turn, q.plainTurn)
		var counts [gone + 1]int
		for _, l := range q.lanes {
			open := 0
			for _, blk := range l.blocks {
				for i := range blk {
					open += summarize(&out, &blk[i], &counts)
				}
			}
			if open < l.open {
				fmt.Fprintf(&out, "priority %d: %d messages are counted as open, at most %d are\n", l.prio, l.open, open)
			}
		}
		if counts[ready] != q.ready || counts[delayed] != q.delayed || counts[leased]+counts[doomed] != q.leased {
			fmt.Fprintf(&out, "the counts are wrong: %v\n", counts)
		}
		names := []string{}
		for name, g := range q.groups {
			ids := []uint64{}
			for _, l := range g.lists {
				ids = append(ids, l.ids.all()...)
			}
			names = append(names, fmt.Sprintf("%s turn=%d alive=%d blocked=%v waits=%v %d", name, g.turn, g.alive, g.blocked, g.pos >= 0, ids))
		}
		for _, name := range sortedStrings(names) {
			fmt.Fprintln(&out, "group", name)
		}
	}
	for _, t := range m.trash {
		fmt.Fprintf(&out, "trash %q %q\n", t.key, t.mark)
	}
	return out.String()
}

func summarize(out *strings.Builder, d *desc, counts *[gone + 1]int) (open int) {
	c := d.c
	fmt.Fprintf(out, " chunk %d n=%d flags=%x", d.first, d.n(), d.flags())
	for i := range d.n() {
		s := ready
		if c != nil {
			s = c.status(i)
			if c.ext != nil && s != gone && c.ext[i] != (ext{}) {
				fmt.Fprintf(out, " %d:%+v", i, c.ext[i])
			}
		}
		counts[s]++
		if s == gone {
			fmt.Fprintf(out, " -%d", i)
		}
		if s == ready {
			open++
		}
	}
	fmt.Fprintln(out)
	return open
}
