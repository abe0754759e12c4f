package queue

import (
	"fmt"
	"testing"

	"go.uber.org/goleak"

	"github.com/skshohagmiah/flin/pkg/engine/enginetest"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is an engine over a real group of one voter.
type world struct {
	*Engine
	*enginetest.Node
	t testing.TB
}

// newWorld starts an engine in a temporary folder and stops it when the test ends.
func newWorld(t testing.TB, change func(*Config)) *world {
	t.Helper()
	return startWorld(t, t.TempDir(), change)
}

// startWorld starts an engine in dir and stops it when the test ends.
func startWorld(t testing.TB, dir string, change func(*Config)) *world {
	t.Helper()
	w := bootNode(t, dir, change, nil)
	w.ready()
	return w
}

// bootNode starts an engine in dir, perhaps as one node of several, and does not wait for a leader.
func bootNode(t testing.TB, dir string, change func(*Config), changeGroup func(*replica.Config)) *world {
	t.Helper()
	cfg := Default()
	e, node := enginetest.Start(t, dir, &cfg, &cfg.Store, Open, change, changeGroup)
	return &world{Engine: e, Node: node, t: t}
}

// ready waits until the group serves: when an ordered read comes back.
func (w *world) ready() {
	w.t.Helper()
	if resp := w.do(wire.OpQueueLen, name("none"), wire.FlagOrdered); resp.Code != wire.OK {
		w.t.Fatalf("the group does not answer: %v %s", resp.Code, resp.Body)
	}
}

type payload = enginetest.Payload

func name(queue string) *wire.QueueName { return &wire.QueueName{Queue: []byte(queue)} }

// do asks for one operation and waits.
func (w *world) do(op wire.Op, m payload, flags wire.Flags) wire.Response {
	return enginetest.Do(w, op, m, flags)
}

func (w *world) must(op wire.Op, m payload) wire.Response {
	w.t.Helper()
	return enginetest.Must(w.t, w, op, m)
}

// push pushes the bodies in one command.
func (w *world) push(queue string, bodies ...string) {
	w.t.Helper()
	m := wire.QueuePush{Queue: []byte(queue)}
	for _, b := range bodies {
		m.Messages = append(m.Messages, wire.QueueMessage{Body: []byte(b)})
	}
	w.must(wire.OpQueuePush, &m)
}

// numbered returns the bodies first … last.
func numbered(first, last int) (bodies []string) {
	for i := first; i <= last; i++ {
		bodies = append(bodies, fmt.Sprint(i))
	}
	return bodies
}

func (w *world) info(queue string) (info wire.QueueInfo) {
	w.t.Helper()
	resp := w.must(wire.OpQueueInfo, name(queue))
	if err := info.Decode(resp.Body); err != nil {
		w.t.Fatal(err)
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
	w.t.Helper()
	for {
		resp := w.do(wire.OpQueuePop, &wire.QueuePop{Queue: []byte(queue), Count: 100}, 0)
		if resp.Code == wire.Empty {
			return all
		}
		all = append(all, bodies(w.t, &resp)...)
	}
}
