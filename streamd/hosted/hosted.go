// Package hosted makes the stream engine part of a process, for streamd and for the platform's one binary alike.
package hosted

import (
	"github.com/skshohagmiah/flin/pkg/node"
	"github.com/skshohagmiah/flin/pkg/wire"
	"github.com/skshohagmiah/flin/streamd/stream"
)

// readCache is how many bytes of the process's read cache the engine's store has at most: batches are read in their order,
// those that were written lately from memory anyway.
const readCache = 32 << 20

// Engine returns the stream engine for a node.Program.
func Engine() node.Hosted {
	return node.Hosted{ID: wire.EngineStream, Open: func(c node.EngineConfig) (node.Engine, error) {
		c.Store.CacheSize = min(c.Store.CacheSize, readCache)
		c.Store.Turns = c.Turns // who reads a topic from its start has time, who publishes waits
		return stream.Open(stream.Config{
			Store: c.Store, Workers: c.Workers, MaxRecord: c.MaxValue, AutoTopics: c.AutoTopics, Log: c.Log,
		})
	}}
}
