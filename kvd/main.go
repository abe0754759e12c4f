// Kvd is the key-value engine as a program of its own: its store, its Raft group, its port.
package main

import (
	"os"

	"github.com/skshohagmiah/flin/kvd/hosted"
	"github.com/skshohagmiah/flin/pkg/conf"
	"github.com/skshohagmiah/flin/pkg/node"
)

func main() {
	os.Exit(node.Main(node.Program{
		Name:    "kvd",
		Usage:   "the key-value engine of Flin, alone",
		Group:   "kv-0",
		Config:  conf.Default(":7481", ":8481", ":9481", "./data/kvd"),
		Engines: []node.Hosted{hosted.Engine()},
		Stderr:  os.Stderr,
		Exit:    os.Exit,
	}, os.Args))
}
