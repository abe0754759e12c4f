package node

import (
	"runtime"
	"runtime/metrics"
	"testing"
)

func goal() uint64 {
	runtime.GC()
	sample := []metrics.Sample{{Name: "/gc/heap/goal:bytes"}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}

func TestTheCollectorRestsWhileLittleIsInUse(t *testing.T) {
	defer func() { heapFloor = nil }()
	for _, set := range []string{"GOGC", "GOMEMLIMIT"} {
		t.Run(set, func(t *testing.T) {
			t.Setenv(set, "100")
			if raiseHeapFloor(); heapFloor != nil {
				t.Error("there is a floor although the environment says how the collector is to run")
			}
		})
	}
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	before := goal()
	raiseHeapFloor()
	if least := before + uint64(len(heapFloor)); len(heapFloor) == 0 || goal() < least {
		t.Errorf("the collector runs at %d bytes of heap, want at least %d", goal(), least)
	}
}
