package people

import (
	"encoding/json"
	"maps"
	"sync"
	"time"

	"github.com/nats-io/nats.go/micro"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// figures are what an endpoint has done so far.
type figures struct {
	mu        sync.Mutex
	requests  int
	errors    int
	time      time.Duration // of all together, from the arrival of each to its answer
	slowest   time.Duration
	lastError string
	codes     map[string]int // how many errors of which kind
}

// note counts a request that has been answered. text is its error, if code is not OK.
func (f *figures) note(took time.Duration, code wire.Code, text string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.requests++
	f.time += took
	f.slowest = max(f.slowest, took)
	if code == wire.OK {
		return
	}
	f.errors++
	f.lastError = text
	if f.codes == nil {
		f.codes = make(map[string]int)
	}
	f.codes[code.String()]++
}

// stats returns the figures as micro services show them.
func (f *figures) stats() micro.EndpointStats {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := micro.EndpointStats{NumRequests: f.requests, NumErrors: f.errors, LastError: f.lastError, ProcessingTime: f.time}
	if f.requests == 0 {
		return s
	}
	s.AverageProcessingTime = f.time / time.Duration(f.requests)
	more := struct {
		Slowest string         `json:"slowest"`
		Errors  map[string]int `json:"errors,omitempty"`
	}{f.slowest.Round(time.Microsecond).String(), maps.Clone(f.codes)}
	s.Data, _ = json.Marshal(more) // nothing in it cannot be marshalled
	return s
}
