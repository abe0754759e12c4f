// Queued is the message queue engine as a program of its own: its store, its Raft group, its port.
package main

import (
	"os"

	"github.com/skshohagmiah/flin/pkg/conf"
	"github.com/skshohagmiah/flin/pkg/node"
	"github.com/skshohagmiah/flin/queued/hosted"
)

func main() {
	os.Exit(node.Main(node.Program{
		Name:    "queued",
		Usage:   "the message queue engine of Flin, alone",
		Group:   "queue-0",
		Config:  conf.Default(":7482", ":8482", ":9482", "./data/queued"),
		Engines: []node.Hosted{hosted.Engine()},
		Stderr:  os.Stderr,
		Exit:    os.Exit,
	}, os.Args))
}
