package kv

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/skshohagmiah/flin/pkg/engine"
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
	cfg.Store.Dir = dir + "/store"
	cfg.Store.MinFree = 1
	cfg.Store.CacheSize = 32 << 20
	if change != nil {
		change(&cfg)
	}
	e, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	node := enginetest.Boot(t, dir, e, func(c *replica.Config) {
		c.Memory = cfg.Store.Memory
		if changeGroup != nil {
			changeGroup(c)
		}
	})
	return &world{Engine: e, Node: node, t: t}
}

// ready waits until the group serves: when an ordered read comes back.
func (w *world) ready() {
	w.t.Helper()
	if resp := w.do(wire.OpKVExists, &wire.KVKeys{}, wire.FlagOrdered); resp.Code != wire.OK {
		w.t.Fatalf("the group does not answer: %v %s", resp.Code, resp.Body)
	}
}

// payload is any message of pkg/wire.
type payload interface{ Append(b []byte) []byte }

// do asks for one operation and waits.
func (w *world) do(op wire.Op, m payload, flags wire.Flags) wire.Response {
	w.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	resp, _ := engine.Do(ctx, w, wire.Request{Op: op, Flags: flags, Body: m.Append(nil)})
	return resp
}

func (w *world) must(op wire.Op, m payload) wire.Response {
	w.t.Helper()
	resp := w.do(op, m, 0)
	if err := resp.Err(); err != nil {
		w.t.Fatalf("%v: %v", op, err)
	}
	return resp
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
