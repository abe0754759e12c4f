package node

import (
	"os"

	"github.com/skshohagmiah/flin/pkg/conf"
)

// heapFloor is what the garbage collector takes for being in use from the start. It runs when the heap has doubled: of a process that
// keeps little, as a router does, dozens of times a second, which costs a fifth of what it can serve. These bytes are never
// touched, so that they take no memory; the heap grows by as many more at most before it is looked at.
var heapFloor []byte

const (
	mostFloor = 64 << 20
	floorPart = 64 // of the machine's memory
)

// raiseHeapFloor makes the floor, unless the environment says how the collector is to run.
func raiseHeapFloor() {
	if os.Getenv("GOGC") == "" && os.Getenv("GOMEMLIMIT") == "" && heapFloor == nil {
		heapFloor = make([]byte, min(mostFloor, conf.MemoryTotal()/floorPart))
	}
}
