// Flin-server is the platform in one process: every engine behind one port, replicated by one group or by one each. With -engines
// some or all of them are other processes, which it reaches over the bus.
package main

import (
	"os"

	doc "github.com/skshohagmiah/flin/docd/hosted"
	kv "github.com/skshohagmiah/flin/kvd/hosted"
	"github.com/skshohagmiah/flin/pkg/conf"
	"github.com/skshohagmiah/flin/pkg/node"
	queue "github.com/skshohagmiah/flin/queued/hosted"
	stream "github.com/skshohagmiah/flin/streamd/hosted"
)

func main() {
	config := conf.Default(":7380", ":8080", ":9080", "./data")
	config.Engines = conf.AllEngines()
	config.Groups = conf.GroupsShared
	config.AutoTopics = new(true)
	os.Exit(node.Main(node.Program{
		Name:    "flin-server",
		Usage:   "the Flin data platform on one port",
		Group:   "all-0",
		Config:  config,
		Engines: []node.Hosted{kv.Engine(), queue.Engine(), stream.Engine(), doc.Engine()},
		Stderr:  os.Stderr,
		Exit:    os.Exit,
	}, os.Args))
}
