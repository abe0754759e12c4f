// Package hosted makes the key-value engine part of a process, for kvd and for the platform's one binary alike.
package hosted

import (
	"github.com/skshohagmiah/flin/kvd/kv"
	"github.com/skshohagmiah/flin/pkg/node"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Engine returns the key-value engine for a node.Program.
func Engine() node.Hosted {
	return node.Hosted{ID: wire.EngineKV, Open: func(c node.EngineConfig) (node.Engine, error) {
		return kv.Open(kv.Config{Store: c.Store, Workers: c.Workers, MaxValue: c.MaxValue, Log: c.Log})
	}}
}
