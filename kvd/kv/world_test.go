package kv

import (
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
	if resp := w.do(wire.OpKVExists, &wire.KVKeys{}, wire.FlagOrdered); resp.Code != wire.OK {
		w.t.Fatalf("the group does not answer: %v %s", resp.Code, resp.Body)
	}
}

type payload = enginetest.Payload

// do asks for one operation and waits.
func (w *world) do(op wire.Op, m payload, flags wire.Flags) wire.Response {
	return enginetest.Do(w, op, m, flags)
}

func (w *world) must(op wire.Op, m payload) wire.Response {
	w.t.Helper()
	return enginetest.Must(w.t, w, op, m)
}

func (w *world) set(key, value string) uint64 {
	w.t.Helper()
	return w.must(wire.OpKVSet, &wire.KVSet{Key: []byte(key), Value: []byte(value)}).Rev
}

func (w *world) get(key string) (string, bool) {
	w.t.Helper()
	resp := w.do(wire.OpKVGet, &wire.KVKey{Key: []byte(key)}, 0)
	if resp.Code == wire.NotFound {
		return "", false
	}
	if err := resp.Err(); err != nil {
		w.t.Fatal(err)
	}
	return string(resp.Body), true
}
