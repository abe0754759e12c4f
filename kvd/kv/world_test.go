package kv

import (
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
	Ready:   wire.Request{Op: wire.OpKVExists, Body: (&wire.KVKeys{}).Append(nil)},
}

type payload = enginetest.Payload

func (w *world) set(key, value string) uint64 {
	w.T.Helper()
	return w.Must(wire.OpKVSet, &wire.KVSet{Key: []byte(key), Value: []byte(value)}).Rev
}

func (w *world) get(key string) (string, bool) {
	w.T.Helper()
	resp := w.Do(wire.OpKVGet, &wire.KVKey{Key: []byte(key)}, 0)
	if resp.Code == wire.NotFound {
		return "", false
	}
	if err := resp.Err(); err != nil {
		w.T.Fatal(err)
	}
	return string(resp.Body), true
}
