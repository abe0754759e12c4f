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
		b.t.Fatalf("what is in memory differs:\n%s\nand\n%s", got, want)
	}
}

func TestTheSameLogTwiceGivesTheSameStoreAndAnswers(t *testing.T) {
	var all []entry
	for seed := range uint64(3) {
		first := newBench(t, store.Options{Memory: true})
		log := newPlayer(seed).record(first, 600)
		all = append(all, log...)
		first.check()
		second := newBench(t, store.Options{Dir: t.TempDir()})
		for i := range log {
			second.play(i, &log[i])
			if i%200 == 199 {
				<-second.st.Rotate()
			}
			if i%25 == 0 {
				second.check()
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
	done := map[wire.Op]int{}
	outcomes := map[wire.DocOutcome]int{}
	codes := map[uint32]int{}
	for _, e := range log {
		for i, ans := range e.answers {
			if ans.Code == wire.OK && ans.Num > 0 {
				done[e.cmds[i].op]++
			}
			if ans.Code != wire.OK {
				codes[ans.Sub]++
			}
			if e.cmds[i].op != wire.OpDocApply || ans.Code != wire.OK {
				continue
			}
			for r := wire.NewReader(ans.Body); r.Len() > 0; {
				o := wire.DocOutcome(r.Byte())
				outcomes[o]++
				if o&wire.DocFailed != 0 {
					e := wire.TakeDocError(&r)
					codes[e.Sub]++
				}
			}
		}
	}
	for _, op := range []wire.Op{
		wire.OpDocApply, wire.OpDocIndex, wire.OpDocDropIndex, wire.OpDocBuild, wire.OpDocExpire, wire.OpDocCollect, wire.OpDocDrop, wire.OpDocCreate,
		wire.OpDocFeed, wire.OpDocTrim,
	} {
		if done[op] == 0 {
			t.Errorf("%v never did anything in the random log", op)
		}
	}
	for _, o := range []wire.DocOutcome{
		0, wire.DocMatched | wire.DocChanged, wire.DocInserted, wire.DocMatched | wire.DocDeleted, wire.DocFailed, wire.DocSkipped,
	} {
		if outcomes[o] == 0 {
			t.Errorf("no write came to %d", o)
		}
	}
	for _, code := range []uint32{11000, 112, 171} {
		if codes[code] == 0 {
			t.Errorf("nothing failed with %d", code)
		}
	}
}

func TestAMachineThatForgetsEverythingBetweenEntriesAnswersTheSame(t *testing.T) {
	for seed := range uint64(4) {
		first := newBench(t, store.Options{Memory: true})
		log := newPlayer(100+seed).record(first, 400)
		second := newBench(t, store.Options{Memory: true})
		r := rand.New(rand.NewPCG(seed, 9))
		for i := range log {
			second.play(i, &log[i])
			if r.IntN(8) == 0 {
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
	for seed := range uint64(3) {
		whole := newBench(t, store.Options{Memory: true})
		log := newPlayer(200+seed).record(whole, 500)
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
						b.check()
					}
					b.close() // what was not flushed is gone
				},
			}
		})
		whole.close()
	}
}

func TestASnapshotAndTheLogBehindItGiveWhatTheWholeLogGives(t *testing.T) {
	for seed := range uint64(2) {
		whole := newBench(t, store.Options{Dir: t.TempDir()})
		p := newPlayer(300 + seed)
		p.record(whole, 300)
		stream := machinetest.Snapshot(t, whole.st)
		rest := p.record(whole, 200)
		// A replica that had gone another way before: nothing of that must be left.
		late := newBench(t, store.Options{Dir: t.TempDir()})
		newPlayer(900+seed).record(late, 100)
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
