// Flin-server is the platform in one process: every engine behind one port, replicated by one group.
package main

import (
	"os"

	"github.com/skshohagmiah/flin/kvd/hosted"
	"github.com/skshohagmiah/flin/pkg/conf"
	"github.com/skshohagmiah/flin/pkg/node"
)

func main() {
	os.Exit(node.Main(node.Program{
		Name:    "flin-server",
		Usage:   "the Flin data platform on one port",
		Group:   "all-0",
		Config:  conf.Default(":7380", ":8080", ":9080", "./data"),
		Engines: []node.Hosted{hosted.Engine()},
		Stderr:  os.Stderr,
		Exit:    os.Exit,
	}, os.Args))
}
