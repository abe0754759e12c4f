package conf

import (
	"fmt"
	"slices"
	"strings"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Engines says which engines a process has. It is a flag value.
type Engines struct {
	All    bool            // those that the program links
	Near   []wire.EngineID // these of them, without All
	Remote bool            // the others are expected over the bus
}

// AllEngines returns the default: everything in one process.
func AllEngines() *Engines { return &Engines{All: true} }

// choices are the engines that can be named.
var choices = []wire.EngineID{wire.EngineKV, wire.EngineQueue, wire.EngineStream, wire.EngineDoc}

// Set parses s.
func (e *Engines) Set(s string) error {
	if s == "all" {
		*e = Engines{All: true}
		return nil
	}
	var to Engines
	for name := range strings.SplitSeq(s, ",") {
		at := slices.IndexFunc(choices, func(id wire.EngineID) bool { return id.String() == name })
		switch {
		case name == "remote":
			to.Remote = true
		case at < 0:
			return fmt.Errorf("%q is not an engine: choose all, or some of kv, queue, stream, doc and remote by comma", name)
		case !slices.Contains(to.Near, choices[at]):
			to.Near = append(to.Near, choices[at])
		}
	}
	*e = to
	return nil
}

// String returns the engines as Set takes them.
func (e *Engines) String() string {
	if e.All {
		return "all"
	}
	names := make([]string, 0, len(e.Near)+1)
	for _, id := range e.Near {
		names = append(names, id.String())
	}
	if e.Remote {
		names = append(names, "remote")
	}
	return strings.Join(names, ",")
}

// Has reports whether the process has the engine itself.
func (e *Engines) Has(id wire.EngineID) bool { return e.All || slices.Contains(e.Near, id) }

// Any reports whether the process has an engine itself.
func (e *Engines) Any() bool { return e.All || len(e.Near) > 0 }
