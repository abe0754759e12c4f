// Streamd is the stream engine as a program of its own: its store, its Raft group, its port.
package main

import (
	"os"

	"github.com/skshohagmiah/flin/pkg/conf"
	"github.com/skshohagmiah/flin/pkg/node"
	"github.com/skshohagmiah/flin/streamd/hosted"
)

func main() {
	config := conf.Default(":7483", ":8483", ":9483", "./data/streamd")
	config.AutoTopics = new(true)
	os.Exit(node.Main(node.Program{
		Name:    "streamd",
		Usage:   "the stream engine of Flin, alone",
		Group:   "stream-0",
		Config:  config,
		Engines: []node.Hosted{hosted.Engine()},
		Stderr:  os.Stderr,
		Exit:    os.Exit,
	}, os.Args))
}
