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

type (
	command = machinetest.Command
	entry   = machinetest.Entry
)

// bench is a machine over a store, with somebody who plays the log.
type bench struct {
	*machinetest.Bench
	m     *Machine
	ready map[string]int // what OnReady said of the last entry
}

func newBench(t testing.TB, o store.Options) *bench {
	t.Helper()
	b := &bench{ready: map[string]int{}}
	b.Bench = machinetest.NewBench(t, o, machinetest.Spec{
		Make: func(st *store.Store) (replica.Machine, error) {
			return NewMachine(st, Options{OnReady: func(q string, n int) { b.ready[q] = n }})
		},
		Reads:   func(op wire.Op) bool { return KindOf(op) == Read },
		Summary: func(m replica.Machine) string { return summary(m.(*Machine)) },
		Forget:  func() { clear(b.ready) },
		Show:    brief,
		Shown:   200,
	})
	b.m = b.Machine.(*Machine)
	return b
}

// Check compares the counts of every queue with its messages, and what memory has with what a restart would have.
func (b *bench) Check() {
	b.T.Helper()
	if b.m.now == b.Now { // otherwise no command has told it of the time yet
		b.Bench.Check()
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
