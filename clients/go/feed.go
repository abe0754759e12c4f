package flin

import (
	"sync"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// feed holds the answers of a request that has many. The credits that the client grants bound how many wait in it.
type feed struct {
	mu    sync.Mutex // guards what follows
	queue []wire.Response
	ended bool
	wake  chan struct{} // has an element when there is something to look at
}

func newFeed() *feed { return &feed{wake: make(chan struct{}, 1)} }

// push adds a copy of an answer.
func (s *feed) push(resp wire.Response) {
	resp.Body = append([]byte{}, resp.Body...)
	s.mu.Lock()
	s.queue = append(s.queue, resp)
	s.mu.Unlock()
	s.signal()
}

// end says that no further answer will come; the last one is in the call.
func (s *feed) end() {
	s.mu.Lock()
	s.ended = true
	s.mu.Unlock()
	s.signal()
}

func (s *feed) signal() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// take returns what has arrived.
func (s *feed) take() (resps []wire.Response, ended bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	resps, s.queue = s.queue, nil
	return resps, s.ended
}
