// Package hosted makes the document engine part of a process, for docd and for the platform's one binary alike.
package hosted

import (
	"github.com/skshohagmiah/flin/docd/doc"
	"github.com/skshohagmiah/flin/pkg/node"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Engine returns the document engine for a node.Program.
func Engine() node.Hosted {
	return node.Hosted{ID: wire.EngineDoc, Open: func(c node.EngineConfig) (node.Engine, error) {
		return doc.Open(doc.Config{Store: c.Store, Workers: c.Workers, Log: c.Log})
	}}
}
