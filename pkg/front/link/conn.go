// Package link is a client's connection as the protocols see it: input that one goroutine parses in place, and output
// that any goroutine appends to and that leaves in as few system calls as the traffic allows.
package link

import (
	"errors"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

const (
	smallInput = 4 << 10   // what a silent connection holds
	largeInput = 128 << 10 // what a busy one reads at once
	keepOutput = 256 << 10 // output buffers over this size are not kept
	// flushAt is how much output the reader lets gather before it writes in the middle of its input.
	flushAt = 128 << 10
)

// ErrSlowClient closes a connection whose client does not read what it is sent.
var ErrSlowClient = errors.New("the client does not read its answers")

// ErrTooLong is what Fill reports when a request does not end within the limit.
var ErrTooLong = &wire.Error{Code: wire.TooLarge, Msg: "request is over the limit (-max-request)"}

// Limits bound what one connection may hold.
type Limits struct {
	MaxInput    int // bytes of one request; more is ErrTooLong
	MaxOutput   int // bytes of answers not yet taken by the kernel; over it the connection is closed with ErrSlowClient
	MaxInFlight int // unanswered requests after which the reader stops reading
}

// Conn is one client's connection. Fill, Buffered, Discard, Drain and Await belong to the one goroutine that reads; every
// other method may be called from anywhere.
type Conn struct {
	nc      net.Conn
	limits  Limits
	id      uint64
	created time.Time

	// The reader's alone.
	in   []byte
	r, w int // in[r:w] is read and not yet consumed

	inFlight atomic.Int64
	awaited  atomic.Int64 // the reader waits until inFlight is no more than this; -1: it does not wait
	written  atomic.Int64 // bytes handed to the kernel
	stalled  atomic.Int64 // wire.Clock when the write under way began; 0: none

	mu       sync.Mutex // guards what follows; never held across a system call
	out      []byte     // answers nobody has begun to write
	awake    bool       // the reader is running and will write what is in out before it sleeps
	flushing bool       // a goroutine is writing and will take what is in out before it stops
	parked   bool       // the reader waits on room
	closed   error      // why the connection is over
	room     sync.Cond  // the reader waits here for answers to go out
}

// New returns a Conn over nc. The caller is its reader. id names the connection in lists and logs.
func New(nc net.Conn, id uint64, limits Limits) *Conn {
	c := &Conn{nc: nc, id: id, limits: limits, created: time.Now(), in: make([]byte, smallInput), awake: true}
	c.room.L = &c.mu
	c.awaited.Store(-1)
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

// Buffered returns the input that has not been consumed. It is valid until the next Fill.
func (c *Conn) Buffered() []byte { return c.in[c.r:c.w] }

// Discard consumes n bytes of what Buffered returned.
func (c *Conn) Discard(n int) { c.r += n }

// Fill writes what is waiting to go out, then reads at least one more byte behind what is buffered. Requests that are
// parsed in place hold back the space they take: a request over MaxInput is ErrTooLong.
func (c *Conn) Fill() error {
	if err := c.sleep(); err != nil {
		return err
	}
	c.makeRoom()
	if c.w == len(c.in) {
		c.wake()
		return ErrTooLong
	}
	n, err := c.nc.Read(c.in[c.w:])
	c.wake()
	c.w += n
	if n > 0 {
		return nil
	}
	if err == nil {
		err = errors.New("read of no bytes")
	}
	return err
}

// makeRoom leaves free space behind the buffered input, in a buffer that fits the traffic.
func (c *Conn) makeRoom() {
	n := c.w - c.r
	switch {
	case n == 0 && len(c.in) > largeInput:
		c.in = make([]byte, largeInput) // one huge request does not make the buffer huge for ever
	case n == 0 && len(c.in) == largeInput && c.w < smallInput/2:
		putInput(c.in)
		c.in = make([]byte, smallInput)
	case c.w == len(c.in) && c.r < len(c.in)/2 && len(c.in) < c.limits.MaxInput+wire.LenSize:
		old := c.in
		c.in = append(growInput(len(old), c.limits.MaxInput+wire.LenSize), old[c.r:c.w]...)
		c.in = c.in[:cap(c.in)]
		if len(old) == largeInput {
			putInput(old)
		}
		c.r, c.w = 0, n
		return
	case c.w < len(c.in) && c.r < len(c.in)/2:
		return
	default:
		copy(c.in, c.in[c.r:c.w])
	}
	c.r, c.w = 0, n
}

func growInput(have, limit int) []byte {
	if have < largeInput && largeInput <= limit {
		return inputs.Get().([]byte)[:0] //nolint:forcetypeassert // the pool holds nothing else
	}
	return make([]byte, 0, min(2*have, limit))
}

// inputs holds buffers of largeInput bytes: a connection has one only while it is busy.
var inputs = sync.Pool{New: func() any { return make([]byte, largeInput) }} //nolint:gochecknoglobals // a pool

func putInput(b []byte) { inputs.Put(b[:largeInput]) } //nolint:staticcheck // 24 bytes against 128 KiB

// Begin locks the output and returns the buffer to append to. End must follow soon, with the longer buffer.
func (c *Conn) Begin() []byte {
	c.mu.Lock()
	if c.out == nil {
		c.out = getOutput()
	}
	return c.out
}

// End gives the buffer back and sees to it that it is written: by the reader if it is awake, else by a goroutine that
// is already at it or is started now.
func (c *Conn) End(b []byte) {
	c.out = b
	if c.closed != nil {
		c.out = b[:0]
		c.mu.Unlock()
		return
	}
	if len(b) > c.limits.MaxOutput {
		c.mu.Unlock()
		c.Close(ErrSlowClient)
		return
	}
	start := !c.awake && !c.flushing && len(b) > 0
	if start {
		c.flushing = true
	}
	c.mu.Unlock()
	if start {
		go c.flush()
	}
}

// Pending returns how many bytes wait to be written. Between Begin and End it must not be called.
func (c *Conn) Pending() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.out)
}

// Started counts a request that will be answered later, before it is handed on.
func (c *Conn) Started() { c.inFlight.Add(1) }

// Finished counts the last answer of a request. It is called after the answer was appended.
func (c *Conn) Finished() {
	if c.inFlight.Add(-1) <= c.awaited.Load() {
		c.mu.Lock()
		c.room.Signal()
		c.mu.Unlock()
	}
}

// InFlight returns the number of requests that have not been answered.
func (c *Conn) InFlight() int { return int(c.inFlight.Load()) }

// Drain is called by the reader between two requests: it writes when much has gathered, and waits while too many
// requests are unanswered. That is how a connection stops being read.
func (c *Conn) Drain() error {
	if c.inFlight.Load() >= int64(c.limits.MaxInFlight) {
		return c.Await(c.limits.MaxInFlight - 1)
	}
	c.mu.Lock()
	full := len(c.out) >= flushAt
	c.mu.Unlock()
	if !full {
		return nil
	}
	err := c.sleep()
	c.wake()
	return err
}

// Await writes what is waiting to go out and returns when no more than n requests are unanswered.
func (c *Conn) Await(n int) error {
	if c.inFlight.Load() <= int64(n) {
		return nil
	}
	if err := c.sleep(); err != nil {
		c.wake()
		return err
	}
	c.awaited.Store(int64(n))
	c.mu.Lock()
	for c.closed == nil && c.inFlight.Load() > int64(n) {
		c.room.Wait()
	}
	c.awaited.Store(-1)
	c.awake = true
	err := c.closed
	c.mu.Unlock()
	return err
}

// sleep writes what is waiting to go out and marks the reader as asleep: from here on others write.
func (c *Conn) sleep() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.closed == nil && len(c.out) > 0 {
		if c.flushing { // it takes everything; but this much waits for the client, and so does the reader
			if len(c.out) < flushAt {
				break
			}
			c.parked = true
			c.room.Wait()
			c.parked = false
			continue
		}
		c.flushing = true
		c.writeOut()
		c.flushing = false
	}
	if len(c.out) == 0 && c.out != nil && !c.flushing {
		putOutput(c.out)
		c.out = nil
	}
	c.awake = false
	return c.closed
}

func (c *Conn) wake() {
	c.mu.Lock()
	c.awake = true
	c.mu.Unlock()
}

// flush writes until nothing is left. It gives way once first, so that answers given together leave together.
func (c *Conn) flush() {
	runtime.Gosched()
	c.mu.Lock()
	for c.closed == nil && len(c.out) > 0 {
		c.writeOut()
	}
	c.flushing = false
	if len(c.out) == 0 && c.out != nil && !c.awake {
		putOutput(c.out)
		c.out = nil
	}
	if c.parked {
		c.room.Signal()
	}
	c.mu.Unlock()
}

// writeOut writes what is in out. It is called with mu held and flushing set, and gives mu up meanwhile.
func (c *Conn) writeOut() {
	b := c.out
	c.out = getOutput()
	c.mu.Unlock()
	c.stalled.Store(wire.Clock())
	n, err := c.nc.Write(b)
	c.stalled.Store(0)
	c.written.Add(int64(n))
	putOutput(b)
	if err != nil {
		c.Close(err)
	}
	c.mu.Lock()
	if c.parked {
		c.room.Signal()
	}
}

// Stalled returns for how long the client has been keeping a write from finishing.
func (c *Conn) Stalled() time.Duration {
	at := c.stalled.Load()
	if at == 0 {
		return 0
	}
	return time.Duration(wire.Clock() - at)
}

// Written returns how many bytes of answers the kernel has taken.
func (c *Conn) Written() int64 { return c.written.Load() }

// Close ends the connection because of err; the reader's next call reports it. Only the first call counts.
func (c *Conn) Close(err error) {
	c.mu.Lock()
	first := c.closed == nil
	if first {
		if err == nil {
			err = net.ErrClosed
		}
		c.closed = err
		c.out = c.out[:0]
		c.room.Broadcast()
	}
	c.mu.Unlock()
	if first {
		_ = c.nc.Close() // nothing is left to be said to this client
	}
}

// CloseAfterFlush writes what is waiting, then closes. The reader calls it to end a connection with a last word.
func (c *Conn) CloseAfterFlush(err error) {
	_ = c.nc.SetWriteDeadline(time.Now().Add(5 * time.Second))
	_ = c.sleep()
	c.mu.Lock()
	for c.flushing && c.closed == nil {
		c.parked = true
		c.room.Wait()
	}
	c.parked = false
	c.mu.Unlock()
	c.Close(err)
}

// Err returns why the connection is over, nil while it is not.
func (c *Conn) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closed
}

// outputs holds output buffers: a connection has one only while it has something to say.
var outputs = sync.Pool{New: func() any { b := make([]byte, 0, 16<<10); return &b }} //nolint:gochecknoglobals // a pool

func getOutput() []byte { return *outputs.Get().(*[]byte) } //nolint:forcetypeassert // the pool holds nothing else

func putOutput(b []byte) {
	if cap(b) > keepOutput {
		return
	}
	b = b[:0]
	outputs.Put(&b)
}
