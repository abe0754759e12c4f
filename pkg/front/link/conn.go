// Package link is a client's connection as the protocols see it: input that one goroutine parses in place, and output
// that any goroutine appends to and that leaves in as few system calls as the traffic allows.
package link

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

const (
	smallInput = 4 << 10   // what a partial request is kept in while its rest is awaited
	largeInput = 128 << 10 // what is read at once
	keepOutput = 256 << 10 // bytes of output that no budget is asked for
	// poolOutput is the largest output buffer that is used again: long answers are as common as short ones where records are read.
	poolOutput = 1 << 20
	// flushAt is how much output the reader lets gather before it writes in the middle of its input.
	flushAt = 128 << 10
	// CloseAfterFlush takes at most so long to write, and then to see that the client has read it.
	lastWord = 2 * time.Second
	linger   = 500 * time.Millisecond
	halfOpen = 5 * time.Second // how long a client that says no more is given its answers
)

var (
	// ErrSlowClient closes a connection whose client does not read what it is sent.
	ErrSlowClient = errors.New("the client does not read its answers")
	// ErrTooLong is what Fill reports when a request does not end within the limit.
	ErrTooLong = &wire.Error{Code: wire.TooLarge, Msg: "request is over the limit (-max-request)"}
	// ErrStopping is what Fill reports once Stop was called and every request has been answered.
	ErrStopping = &wire.Error{Code: wire.Unavailable, Msg: "the server is stopping"}
	// ErrNoMemory ends a connection that wants more memory than the Budget of all connections has left.
	ErrNoMemory = &wire.Error{Code: wire.Busy, Msg: "all connections together hold more than the server grants them; try again"}
)

// Limits bound what one connection may hold.
type Limits struct {
	MaxInput    int // bytes of one request; more is ErrTooLong
	MaxOutput   int // bytes of answers not yet taken by the kernel; over it, by more than one answer, the connection is closed with ErrSlowClient
	MaxInFlight int // unanswered requests after which the reader stops reading
	// Budget is shared by all connections and bounds what they hold beyond their ordinary buffers; nil is no bound.
	Budget *Budget
}

// Conn is one client's connection. Fill, Buffered, Discard, Drain, Await, AwaitReading, CloseAfterFlush, Detach and Release
// belong to the one goroutine that reads; every other method may be called from anywhere.
type Conn struct {
	nc      net.Conn
	limits  Limits
	id      uint64
	created time.Time

	input // the reader's alone

	inFlight atomic.Int64
	awaited  atomic.Int64 // the reader waits until inFlight is no more than this; -1: it does not wait
	written  atomic.Int64 // bytes handed to the kernel
	stalled  atomic.Int64 // wire.Clock when the write under way began; 0: none
	stopping atomic.Bool  // Stop was called
	detached atomic.Bool  // Detach was called
	full     atomic.Bool  // flushAt bytes wait to be written

	mu sync.Mutex // guards what follows; never held across a system call
	output
	parked bool      // the reader waits on room
	rouse  bool      // the reader reads while it waits for answers: the last of them ends its read
	closed error     // why the connection is over
	room   sync.Cond // the reader waits here for answers to go out
}

// New returns a Conn over nc. The caller is its reader. id names the connection in lists and logs.
func New(nc net.Conn, id uint64, limits Limits) *Conn {
	c := &Conn{nc: nc, id: id, limits: limits, created: time.Now()}
	c.awake = true
	c.room.L = &c.mu
	c.awaited.Store(-1)
	if sc, ok := nc.(syscall.Conn); ok && sockets {
		if raw, err := sc.SyscallConn(); err == nil {
			c.raw = raw
			c.ready = c.tryRead // made once: a method value allocates
		}
	}
	return c
}

// ID returns the connection's number.
func (c *Conn) ID() uint64 { return c.id }

// Created returns when the connection was accepted.
func (c *Conn) Created() time.Time { return c.created }

// NetConn returns the connection underneath, for its addresses and socket options.
func (c *Conn) NetConn() net.Conn { return c.nc }

// Limits returns the bounds that New was given.
func (c *Conn) Limits() Limits { return c.limits }

// Stop asks the reader to end the connection: its Fill waits until what was read has been answered and written, then
// reports ErrStopping. Requests that were not read stay unread. Close bounds the wait. A detached connection ignores it.
func (c *Conn) Stop() {
	if c.detached.Load() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.stopping.Store(true)
	_ = c.nc.SetReadDeadline(time.Unix(1, 0)) // fails on a closed connection only
}

// ReadBy sets the time by which Fill must have read something; the zero time is never. It does not disturb Stop.
func (c *Conn) ReadBy(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.stopping.Load() {
		_ = c.nc.SetReadDeadline(t) // fails on a closed connection only
	}
}

// Detach gives the connection to someone who reads and writes it by himself, with the input that was already read. Only
// Close, Release, Err and the getters of c may be used afterwards.
func (c *Conn) Detach() (net.Conn, []byte) {
	c.detached.Store(true)
	head := bytes.Clone(c.in[c.r:c.w])
	c.release()
	return c.nc, head
}

// Release gives the input's memory back. It is the reader's last call, after Close.
func (c *Conn) Release() { c.release() }

// Close ends the connection because of err; the reader's next call reports it. Only the first call counts.
func (c *Conn) Close(err error) {
	c.mu.Lock()
	first := c.closed == nil
	if first {
		if err == nil {
			err = net.ErrClosed
		}
		c.closed = err
		c.dropOutput()
		c.room.Broadcast()
	}
	c.mu.Unlock()
	if first {
		_ = c.nc.Close() // nothing is left to be said to this client
	}
}

// CloseAfterFlush writes what is waiting, then closes because of err. The reader calls it to end a connection with a
// last word: input that the client is still sending is read and thrown away for a moment, because a close with unread
// input is a reset, which would take the word from the client's hands.
func (c *Conn) CloseAfterFlush(err error) {
	_ = c.nc.SetWriteDeadline(time.Now().Add(lastWord)) // fails on a closed connection only
	c.finishOutput()
	if half, ok := c.nc.(interface{ CloseWrite() error }); ok && c.Err() == nil && half.CloseWrite() == nil {
		_ = c.nc.SetReadDeadline(time.Now().Add(linger))
		_, _ = io.CopyN(io.Discard, c.nc, int64(c.limits.MaxInput)+largeInput) // ends at the client's end, or when it takes too long
	}
	c.Close(err)
}

// Err returns why the connection is over, nil while it is not.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}
