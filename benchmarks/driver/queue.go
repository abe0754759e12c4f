package driver

import (
	"errors"
	"time"
)

// Queue is a client of one message queue. All methods but Close may be called by many goroutines at once. Bodies and the
// slices that hold them belong to the caller again when a call has returned. A push returns when the server has
// acknowledged it.
//
// What a client can do beyond pushing depends on its server: see Taker and Leaser.
type Queue interface {
	Push(body []byte) error
	PushBatch(bodies [][]byte) error
	Close() error
}

// Taker is a Queue whose messages can be taken for good.
type Taker interface {
	// Pop takes the next message. If none comes within wait it fails with ErrDrained.
	Pop(wait time.Duration) ([]byte, error)
}

// Leaser is a Queue whose messages are leased first and acknowledged when they have been dealt with.
type Leaser interface {
	// Work leases up to n messages, calls see with the body of each, and acknowledges those for which it returned nil. It
	// returns how many these are. If there is no message it fails with ErrDrained.
	Work(n int, see func(body []byte) error) (int, error)
}

// ErrDrained says that a queue has no message where one was expected.
var ErrDrained = errors.New("the queue is empty")

// OpenQueue connects a client to the server at addr, and makes the queue that it works on if that has to be made. A
// second client that is opened finds what the first has pushed.
type OpenQueue func(addr string) (Queue, error)

// queueName is what the queue of a benchmark is called, on every server.
const queueName = "bench"
