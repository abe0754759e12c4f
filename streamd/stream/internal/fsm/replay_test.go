package fsm

import (
	"math/rand/v2"
	"testing"

	"github.com/skshohagmiah/flin/pkg/replica/machinetest"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// play plays an entry again and compares the answers.
func (b *bench) play(i int, e *entry) {
	b.t.Helper()
	b.now = e.time
	for k, got := range b.apply(e.cmds...) {
		want := e.answers[k]
		if !machinetest.Equal(&got, &want) {
			b.t.Fatalf("entry %d, command %d (%v %.200q) was answered\n%+v %q\nand is now answered\n%+v %q",
				i, k, e.cmds[k].op, e.cmds[k].body, want, want.Body, got, got.Body)
		}
	}
}

func (b *bench) same(other *bench) {
	b.t.Helper()
	if b.hash() != other.hash() {
		b.t.Fatalf("the stores differ:\n%s\nand\n%s", b.dump(), other.dump())
	}
	if got, want := summary(b.m), summary(other.m); got != want {
		b.t.Fatalf("what is in memory differs:\n%s\nand\n%s", machinetest.Without(got, want), machinetest.Without(want, got))
	}
}

func TestTheSameLogTwiceGivesTheSameStoreAndAnswers(t *testing.T) {
	var all []entry
	for seed := range uint64(3) {
		first := newBench(t, store.Options{Memory: true})
		log := newPlayer(seed).record(first, 800)
		all = append(all, log...)
		second := newBench(t, store.Options{Dir: t.TempDir()})
		for i := range log {
			second.play(i, &log[i])
			if i%200 == 199 {
				<-second.st.Rotate()
			}
		}
		first.same(second)
		first.close()
		second.close()
	}
	tally(t, all)
}

// tally holds the random log against being about nothing.
func tally(t *testing.T, log []entry) {
	ok, refused := map[wire.Op]int{}, map[wire.Op]int{}
	for _, e := range log {
		for i, ans := range e.answers {
			if ans.Code == wire.OK {
				ok[e.cmds[i].op]++
			} else {
				refused[e.cmds[i].op]++
			}
		}
	}
	for _, op := range []wire.Op{
		wire.OpStreamAppend, wire.OpStreamCommit, wire.OpStreamSubscribe, wire.OpStreamUnsubscribe, wire.OpStreamEvict, wire.OpStreamRetain,
		wire.OpStreamExpire, wire.OpStreamCollect, wire.OpStreamDelete, wire.OpStreamAlter, wire.OpStreamCreate, wire.OpStreamReset, wire.OpStreamDeleteGroup,
	} {
		if ok[op] == 0 {
			t.Errorf("%v never succeeded in the random log (%d refusals)", op, refused[op])
		}
	}
}

func TestAMachineThatForgetsEverythingBetweenEntriesAnswersTheSame(t *testing.T) {
	for seed := range uint64(4) {
		first := newBench(t, store.Options{Memory: true})
		log := newPlayer(100+seed).record(first, 500)
		second := newBench(t, store.Options{Memory: true})
		r := rand.New(rand.NewPCG(seed, 9))
		for i := range log {
			second.play(i, &log[i])
			if r.IntN(4) == 0 {
				second.check()
			}
			if r.IntN(3) == 0 {
				if err := second.m.Reset(); err != nil {
					t.Fatal(err)
				}
			}
		}
		first.same(second)
		first.close()
		second.close()
	}
}

func TestALogThatIsFedAgainFromTheLastFlushGivesTheSameStoreAndAnswers(t *testing.T) {
	for seed := range uint64(4) {
		whole := newBench(t, store.Options{Memory: true})
		log := newPlayer(200+seed).record(whole, 700)
		dir := t.TempDir()
		machinetest.Refeed(t, seed, len(log), 250, func() machinetest.Life {
			b := newBench(t, store.Options{Dir: dir})
			return machinetest.Life{
				Store: b.st,
				Begin: int(b.index),
				Play:  func(i int) { b.play(i, &log[i]) },
				End: func(last bool) {
					if last {
						whole.same(b)
					}
					b.close() // what was not flushed is gone
				},
			}
		})
		whole.close()
	}
}

func TestASnapshotAndTheLogBehindItGiveWhatTheWholeLogGives(t *testing.T) {
	for seed := range uint64(3) {
		whole := newBench(t, store.Options{Dir: t.TempDir()})
		p := newPlayer(300 + seed)
		p.record(whole, 300)
		stream := machinetest.Snapshot(t, whole.st)
		rest := p.record(whole, 300)
		// A replica that had gone another way before: nothing of that must be left.
		late := newBench(t, store.Options{Dir: t.TempDir()})
		newPlayer(900+seed).record(late, 200)
		if err := late.st.Install(stream); err != nil {
			t.Fatal(err)
		}
		if err := late.m.Reset(); err != nil {
			t.Fatal(err)
		}
		late.begin()
		for i := range rest {
			late.play(i, &rest[i])
		}
		whole.same(late)
		whole.close()
		late.close()
	}
}
