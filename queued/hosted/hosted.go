// Package hosted makes the queue engine part of a process, for queued and for the platform's one binary alike.
package hosted

import (
	"github.com/skshohagmiah/flin/pkg/node"
	"github.com/skshohagmiah/flin/pkg/wire"
	"github.com/skshohagmiah/flin/queued/queue"
)

// readCache is how many bytes of the process's read cache the engine's store has at most: what a pop reads it reads once,
// and the state machine keeps what it has decoded.
const readCache = 32 << 20

// Engine returns the queue engine for a node.Program.
func Engine() node.Hosted {
	return node.Hosted{ID: wire.EngineQueue, Open: func(c node.EngineConfig) (node.Engine, error) {
		c.Store.CacheSize = min(c.Store.CacheSize, readCache)
		return queue.Open(queue.Config{Store: c.Store, Workers: c.Workers, MaxMessage: c.MaxValue, Log: c.Log})
	}}
}
