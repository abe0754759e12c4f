package machinetest

import (
	"math/rand/v2"
	"testing"

	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Entry is an entry of a log, with what it was answered.
type Entry struct {
	Time    int64
	Cmds    []Command
	Answers []wire.Response
}

// Play plays an entry again, the i-th of its log, and compares the answers.
func (b *Bench) Play(i int, e *Entry) {
	b.T.Helper()
	b.Now = e.Time
	for k, got := range b.Apply(e.Cmds...) {
		want := e.Answers[k]
		if Equal(&got, &want) {
			continue
		}
		op, body := e.Cmds[k].Op, e.Cmds[k].Body
		if show := b.spec.Show; show != nil {
			b.T.Fatalf("entry %d, command %d (%v %.200q) was answered\n%s\nand is now answered\n%s", i, k, op, body, show(op, &want), show(op, &got))
		}
		b.T.Fatalf("entry %d, command %d (%v %.200q) was answered\n%+v %q\nand is now answered\n%+v %q", i, k, op, body, want, want.Body, got, got.Body)
	}
}

// Same compares what two replicas of a log have, stored and in memory.
func (b *Bench) Same(other *Bench) {
	b.T.Helper()
	if b.Hash() != other.Hash() {
		b.T.Fatalf("the stores differ:\n%s\nand\n%s", b.Dump(), other.Dump())
	}
	if b.spec.Summary == nil {
		return
	}
	if got, want := b.spec.Summary(b.Machine), b.spec.Summary(other.Machine); got != want {
		b.T.Fatalf("what is in memory differs:\n%s\nand\n%s", Without(got, want), Without(want, got))
	}
}

// Replica is a Bench in one of an engine's own, which may check more.
type Replica interface {
	Under() *Bench
	Check()
}

// Replay is what the tests that play a random log twice need of an engine.
type Replay[B Replica] struct {
	Open func(t testing.TB, o store.Options) B
	// Player returns a function that makes up n entries at each call, plays them and returns them. The same seed makes the same.
	Player func(seed uint64) func(b B, n int) []Entry
	// Tighten, where it is not nil, gives a machine little memory.
	Tighten func(b B)
}

// Runs is how long a test takes.
type Runs struct {
	Seeds   uint64
	Entries int // of the log
	Behind  int // entries behind a snapshot
	Astray  int // entries of the log that is thrown away for it
	Check   int // Check is called once in so many entries; 0: never
}

// Twice plays each log twice, in memory and over a store with files that is flushed now and then, and returns what was played.
func (p *Replay[B]) Twice(t *testing.T, n Runs) (all []Entry) {
	t.Helper()
	for seed := range n.Seeds {
		first := p.Open(t, store.Options{Memory: true})
		log := p.Player(seed)(first, n.Entries)
		all = append(all, log...)
		if n.Check > 0 {
			first.Check()
		}
		second := p.Open(t, store.Options{Dir: t.TempDir()})
		for i := range log {
			second.Under().Play(i, &log[i])
			if i%200 == 199 {
				flush(t, second.Under().Store)
			}
			if n.Check > 0 && i%n.Check == 0 {
				second.Check()
			}
		}
		same(first, second)
		first.Under().Close()
		second.Under().Close()
	}
	return all
}

// Forgetting plays each log to a machine that forgets all it has in memory now and then.
func (p *Replay[B]) Forgetting(t *testing.T, n Runs) {
	t.Helper()
	for seed := range n.Seeds {
		first := p.Open(t, store.Options{Memory: true})
		log := p.Player(100+seed)(first, n.Entries)
		second := p.Open(t, store.Options{Memory: true})
		if p.Tighten != nil {
			p.Tighten(second)
		}
		r := rand.New(rand.NewPCG(seed, 9))
		for i := range log {
			second.Under().Play(i, &log[i])
			if n.Check == 1 || n.Check > 1 && r.IntN(n.Check) == 0 {
				second.Check()
			}
			if r.IntN(3) == 0 {
				second.Under().Reset()
			}
		}
		same(first, second)
		first.Under().Close()
		second.Under().Close()
	}
}

// Refed plays each log to a replica that is started again and again, and fed from its last flush on.
func (p *Replay[B]) Refed(t *testing.T, n Runs) {
	t.Helper()
	for seed := range n.Seeds {
		whole := p.Open(t, store.Options{Memory: true})
		log := p.Player(200+seed)(whole, n.Entries)
		dir := t.TempDir()
		Refeed(t, seed, len(log), 250, func() Life {
			b := p.Open(t, store.Options{Dir: dir})
			return Life{
				Store: b.Under().Store,
				Begin: int(b.Under().Index),
				Play:  func(i int) { b.Under().Play(i, &log[i]) },
				End: func(last bool) {
					if last {
						same(whole, b)
						if n.Check > 0 {
							b.Check()
						}
					}
					b.Under().Close() // what was not flushed is gone
				},
			}
		})
		whole.Under().Close()
	}
}

// Installed sends a replica that had gone another way a snapshot and the log behind it.
func (p *Replay[B]) Installed(t *testing.T, n Runs) {
	t.Helper()
	for seed := range n.Seeds {
		whole := p.Open(t, store.Options{Dir: t.TempDir()})
		play := p.Player(300 + seed)
		play(whole, n.Entries)
		stream := whole.Under().Snapshot()
		rest := play(whole, n.Behind)
		// Nothing of what it had before must be left.
		late := p.Open(t, store.Options{Dir: t.TempDir()})
		p.Player(900+seed)(late, n.Astray)
		if err := late.Under().Store.Install(stream); err != nil {
			t.Fatal(err)
		}
		late.Under().Reset()
		late.Under().Begin()
		for i := range rest {
			late.Under().Play(i, &rest[i])
		}
		same(whole, late)
		whole.Under().Close()
		late.Under().Close()
	}
}

func flush(t testing.TB, st *store.Store) {
	t.Helper()
	if err := <-st.Rotate(); err != nil {
		t.Errorf("flushing the store: %v", err)
	}
}

func same[B Replica](a, b B) { a.Under().Same(b.Under()) }
