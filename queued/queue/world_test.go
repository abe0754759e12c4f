package queue

import (
	"fmt"
	"testing"

	"go.uber.org/goleak"

	"github.com/skshohagmiah/flin/pkg/engine/enginetest"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is an engine over a real group.
type world struct {
	*Engine
	*enginetest.World
}

// worlds makes them, for a test.
var worlds = enginetest.Worlds[Config, *Engine, *world]{
	Default: Default,
	Store:   func(cfg *Config) *store.Options { return &cfg.Store },
	Open:    Open,
	Wrap:    func(e *Engine, w *enginetest.World) *world { return &world{e, w} },
	Ready:   wire.Request{Op: wire.OpQueueLen, Body: name("none").Append(nil)},
}

type payload = enginetest.Payload

func name(queue string) *wire.QueueName { return &wire.QueueName{Queue: []byte(queue)} }

// push pushes the bodies in one command.
func (w *world) push(queue string, bodies ...string) {
	w.T.Helper()
	m := wire.QueuePush{Queue: []byte(queue)}
	for _, b := range bodies {
		m.Messages = append(m.Messages, wire.QueueMessage{Body: []byte(b)})
	}
	w.Must(wire.OpQueuePush, &m)
}

// numbered returns the bodies first … last.
func numbered(first, last int) (bodies []string) {
	for i := first; i <= last; i++ {
		bodies = append(bodies, fmt.Sprint(i))
	}
	return bodies
}

func (w *world) info(queue string) (info wire.QueueInfo) {
	w.T.Helper()
	resp := w.Must(wire.OpQueueInfo, name(queue))
	if err := info.Decode(resp.Body); err != nil {
		w.T.Fatal(err)
	}
	return info
}

// deliveries decodes what a pop was answered with.
func deliveries(t testing.TB, resp *wire.Response) (all []wire.QueueDelivery) {
	t.Helper()
	if err := resp.Err(); err != nil {
		t.Fatal(err)
	}
	r := wire.NewReader(resp.Body)
	for r.Len() > 0 {
		var d wire.QueueDelivery
		wire.TakeDelivery(&r, &d)
		all = append(all, d)
	}
	if err := r.Err(); err != nil || int64(len(all)) != resp.Num {
		t.Fatalf("%d deliveries in an answer of %d: %v", len(all), resp.Num, err)
	}
	return all
}

// bodies decodes what a pop was answered with.
func bodies(t testing.TB, resp *wire.Response) (all []string) {
	t.Helper()
	for _, d := range deliveries(t, resp) {
		all = append(all, string(d.Body))
	}
	return all
}

// drain takes everything that is ready and returns the bodies.
func (w *world) drain(queue string) (all []string) {
	w.T.Helper()
	for {
		resp := w.Do(wire.OpQueuePop, &wire.QueuePop{Queue: []byte(queue), Count: 100}, 0)
		if resp.Code == wire.Empty {
			return all
		}
		all = append(all, bodies(w.T, &resp)...)
	}
}
