package stream

import "sync"

// crew runs work on a bounded number of goroutines, which are there only while there is some. What waits for one waits in the
// order in which it came; how much that may be is its owner's to bound.
type crew[T any] struct {
	limit int
	do    func(T)

	mu      sync.Mutex
	queue   []T
	running int
	closed  bool
	wg      sync.WaitGroup
}

func newCrew[T any](limit int, do func(T)) *crew[T] { return &crew[T]{limit: limit, do: do} }

// add queues x. It is false if the crew has been closed.
func (c *crew[T]) add(x T) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return false
	}
	c.queue = append(c.queue, x)
	if c.running < c.limit {
		c.running++
		c.wg.Go(c.work)
	}
	return true
}

// work does what is queued until there is nothing.
func (c *crew[T]) work() {
	for {
		c.mu.Lock()
		if len(c.queue) == 0 {
			c.running--
			c.mu.Unlock()
			return
		}
		x := c.queue[0]
		clear(c.queue[:1])
		c.queue = c.queue[1:]
		c.mu.Unlock()
		c.do(x)
	}
}

// close returns what nobody has begun, and waits for the rest.
func (c *crew[T]) close() (left []T) {
	c.mu.Lock()
	c.closed = true
	left, c.queue = c.queue, nil
	c.mu.Unlock()
	c.wg.Wait()
	return left
}

// load returns how much waits and how much is being done.
func (c *crew[T]) load() (waiting, running int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.queue), c.running
}
