package enginetest

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Payload is any message of pkg/wire.
type Payload interface{ Append(b []byte) []byte }

// Start opens an engine with its store below dir and runs it, as Boot does. cfg is its package's default, and o the store's part of
// it; change and changeGroup, which may be nil, change them and the group's.
func Start[C any, E Hosted](t testing.TB, dir string, cfg *C, o *store.Options, open func(C) (E, error), change func(*C), changeGroup func(*replica.Config)) (E, *Node) {
	t.Helper()
	o.Dir, o.MinFree, o.CacheSize = filepath.Join(dir, "store"), 1, 32<<20
	if change != nil {
		change(cfg)
	}
	e, err := open(*cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e, Boot(t, dir, e, func(c *replica.Config) {
		c.Memory = o.Memory
		if changeGroup != nil {
			changeGroup(c)
		}
	})
}

// Do asks for one operation and waits.
func Do(e engine.Engine, op wire.Op, m Payload, flags wire.Flags) wire.Response {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	resp, _ := engine.Do(ctx, e, wire.Request{Op: op, Flags: flags, Body: m.Append(nil)})
	return resp
}

// Must is Do for an operation that has to succeed.
func Must(t testing.TB, e engine.Engine, op wire.Op, m Payload) wire.Response {
	t.Helper()
	resp := Do(e, op, m, 0)
	if err := resp.Err(); err != nil {
		t.Fatalf("%v: %v", op, err)
	}
	return resp
}
