package native_test

import (
	"runtime"
	"sync"
	"testing"

	flin "github.com/skshohagmiah/flin/clients/go"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// later answers what has gathered from a goroutine of its own, as a group does when an entry has been applied.
type later struct {
	mu    sync.Mutex // guards queue
	queue []waiting
	wake  chan struct{}
	body  []byte // what Submit copies requests to, as a proposer does
}

type waiting struct {
	r   engine.Replier
	tag uint64
}

func newLater(tb testing.TB) *later {
	e := &later{wake: make(chan struct{}, 1)}
	var all sync.WaitGroup
	all.Go(e.run)
	tb.Cleanup(func() {
		close(e.wake)
		all.Wait()
	})
	return e
}

func (e *later) Submit(req wire.Request, r engine.Replier) {
	e.mu.Lock()
	e.body = append(e.body, req.Body...)
	e.queue = append(e.queue, waiting{r, req.Tag})
	first := len(e.queue) == 1
	e.mu.Unlock()
	if first {
		e.wake <- struct{}{}
	}
}

func (e *later) run() {
	var taken []waiting
	for range e.wake {
		runtime.Gosched()
		e.mu.Lock()
		taken, e.queue = e.queue, taken[:0]
		e.body = e.body[:0]
		e.mu.Unlock()
		for _, w := range taken {
			w.r.Reply(w.tag, wire.Response{Rev: 1})
		}
	}
}

func (*later) Cancel(engine.Replier, uint64)      {}
func (*later) Credit(engine.Replier, uint64, int) {}

// BenchmarkAnswersFromElsewhere is BenchmarkBlockingCallers with an engine that answers from another goroutine.
func BenchmarkAnswersFromElsewhere(b *testing.B) {
	c, err := flin.NewClient(flin.DefaultOptions(serve(b, newLater(b))))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = c.Close() })
	value := make([]byte, 1024)
	b.Run("op=set/size=1024/callers=256", func(b *testing.B) {
		b.ReportAllocs()
		callMany(b, 256, func(int64) error { return c.KV.Set("key", value) })
	})
}
