// Docd is the document engine as a program of its own: its store, its Raft group, its port.
package main

import (
	"os"

	"github.com/skshohagmiah/flin/docd/hosted"
	"github.com/skshohagmiah/flin/pkg/conf"
	"github.com/skshohagmiah/flin/pkg/node"
)

func main() {
	os.Exit(node.Main(node.Program{
		Name:    "docd",
		Usage:   "the document engine of Flin, alone",
		Group:   "doc-0",
		Config:  conf.Default(":7484", ":8484", ":9484", "./data/docd"),
		Engines: []node.Hosted{hosted.Engine()},
		Stderr:  os.Stderr,
		Exit:    os.Exit,
	}, os.Args))
}
