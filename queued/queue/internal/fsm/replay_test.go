package fsm

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/skshohagmiah/flin/pkg/replica/machinetest"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// play plays an entry again and compares the answers.
func (b *bench) play(i int, e *entry) {
	b.t.Helper()
	b.now, b.m.sparseBytes = e.time, 20
	for k, got := range b.apply(e.cmds...) {
		want := e.answers[k]
		if !machinetest.Equal(&got, &want) {
			b.t.Fatalf("entry %d, command %d (%v %.200q) was answered\n%s\nand is now answered\n%s",
				i, k, e.cmds[k].op, e.cmds[k].body, brief(e.cmds[k].op, &want), brief(e.cmds[k].op, &got))
		}
	}
}

func (b *bench) same(other *bench) {
	b.t.Helper()
	if b.hash() != other.hash() {
		b.t.Fatalf("the stores differ:\n%s\nand\n%s", b.dump(), other.dump())
	}
}

func TestTheSameLogTwiceGivesTheSameStoreAndAnswers(t *testing.T) {
	for seed := range uint64(3) {
		first := newBench(t, store.Options{Memory: true})
		log := newPlayer(seed).record(first, 800)
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
}

func TestAMachineThatForgetsEverythingBetweenEntriesAnswersTheSame(t *testing.T) {
	for seed := range uint64(6) {
		first := newBench(t, store.Options{Memory: true})
		log := newPlayer(100+seed).record(first, 500)
		second := newBench(t, store.Options{Memory: true})
		second.m.cache.limit = 4 << 10
		r := rand.New(rand.NewPCG(seed, 9))
		for i := range log {
			second.play(i, &log[i])
			second.check()
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

// brief is an answer for people.
func brief(op wire.Op, ans *wire.Response) string {
	text := fmt.Sprintf("%v num=%d rev=%d", ans.Code, ans.Num, ans.Rev)
	switch op {
	case wire.OpQueuePop, wire.OpQueueLease, wire.OpQueuePeek, wire.OpQueueGet:
		if ans.Code != wire.OK {
			break
		}
		for _, d := range deliveries(ans.Body) {
			text += fmt.Sprintf(" [%v attempt=%d nonce=%d state=%d pushed=%d until=%d expires=%d group=%s %s %.12q]",
				d.Receipt.ID, d.Receipt.Attempt, d.Receipt.Nonce, d.State, d.PushedAt, d.Until, d.Expires, d.Group, d.Headers, d.Body)
		}
		return text
	}
	return text + fmt.Sprintf(" %.60q", ans.Body)
}
