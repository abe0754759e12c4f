package link

import (
	"errors"
	"io"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// input is what has been read and not yet consumed. While nothing is, a connection that can tell readiness from data
// holds no buffer: ten thousand silent clients cost ten thousand goroutines and nothing else.
type input struct {
	raw   syscall.RawConn            // nil: nc is no socket and is read the plain way
	ready func(fd uintptr) (ok bool) // tryRead, for raw
	got   int                        // what tryRead read
	fail  error                      // or why it did not

	in       []byte
	r, w     int               // in[r:w] is read and not yet consumed
	pooled   *[largeInput]byte // in is this
	endAtEOF bool              // EndAtEOF was called
	onStop   func()            // of OnStop
	charged  int64             // bytes of in that the Budget granted
}

// inputs holds buffers of largeInput bytes: a connection has one only while it is busy.
var inputs = sync.Pool{New: func() any { return new([largeInput]byte) }} // a pool

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
	if c.stopping.Load() {
		c.wake()
		return c.stop()
	}
	n, err := c.read()
	c.wake()
	c.w += n
	if n > 0 {
		return nil
	}
	if c.stopping.Load() && errors.Is(err, os.ErrDeadlineExceeded) {
		return c.stop()
	}
	if errors.Is(err, io.EOF) && !c.endAtEOF {
		c.answerTheRest()
	}
	return err
}

// EndAtEOF makes Fill report the end of the input at once, for protocols whose clients stay until they have their answers.
// Without it Fill first waits a while for the answers of what was read, since the client may have said all it wanted and
// still be reading; whether it has gone altogether cannot be told.
func (c *Conn) EndAtEOF() { c.endAtEOF = true }

// OnStop has fn called by the reader once Stop was called, before Fill waits for the answers of what was read: it may
// withdraw what would take long.
func (c *Conn) OnStop(fn func()) { c.onStop = fn }

// answerTheRest waits at most halfOpen for answers and sees them written.
func (c *Conn) answerTheRest() {
	if c.inFlight.Load() > 0 {
		late := time.AfterFunc(halfOpen, func() { c.Close(io.EOF) })
		defer late.Stop()
		if c.Await(0) != nil {
			return
		}
	}
	c.finishOutput()
}

// stop waits for the answers of what was read and sees them written.
func (c *Conn) stop() error {
	if c.onStop != nil {
		c.onStop()
	}
	if err := c.Await(0); err != nil {
		return err
	}
	c.finishOutput()
	if err := c.Err(); err != nil {
		return err
	}
	return ErrStopping
}

func (c *Conn) read() (int, error) {
	if c.raw == nil {
		if err := c.makeRoom(); err != nil {
			return 0, err
		}
		n, err := c.nc.Read(c.in[c.w:])
		if n == 0 && err == nil {
			err = io.ErrNoProgress
		}
		return n, err
	}
	c.got, c.fail = 0, nil
	if err := c.raw.Read(c.ready); err != nil {
		return 0, err
	}
	return c.got, c.fail
}

// tryRead is called when the socket may have something; false waits until it has.
func (c *Conn) tryRead(fd uintptr) bool {
	if c.fail = c.makeRoom(); c.fail != nil {
		return true
	}
	n, err := readSocket(fd, c.in[c.w:])
	if err == syscall.EAGAIN { //nolint:errorlint // an errno as the kernel gave it
		c.shrink()
		return false
	}
	c.got = max(n, 0)
	switch {
	case err != nil:
		c.fail = os.NewSyscallError("read", err)
	case n == 0:
		c.fail = io.EOF
	}
	return true
}

// limit is the most that a buffer holds: one request of the greatest size.
func (c *Conn) limit() int { return c.limits.MaxInput + wire.LenSize }

// makeRoom leaves free space behind the buffered input, in a buffer that fits the traffic.
func (c *Conn) makeRoom() error {
	n := c.w - c.r
	switch {
	case c.in == nil || n == 0 && len(c.in) > largeInput:
		c.replace(min(largeInput, c.limit()))
	case c.w < len(c.in) && c.r < len(c.in)/2 && len(c.in) != smallInput:
	case c.r >= len(c.in)/2 && c.r > 0 || c.r > 0 && len(c.in) >= c.limit():
		copy(c.in, c.in[c.r:c.w]) // one huge request does not make the buffer huge for ever
		c.r, c.w = 0, n
	case len(c.in) >= c.limit():
		if c.w == len(c.in) {
			return ErrTooLong
		}
	case len(c.in) < largeInput:
		c.replace(min(largeInput, c.limit()))
	default: // a request longer than the buffer: it grows with what has really been sent
		if grow := min(2*len(c.in), c.limit()); !c.limits.Budget.Take(int64(grow)) {
			return ErrNoMemory
		} else { //nolint:revive // grow is needed in both arms
			c.replace(grow)
			c.charged = int64(grow)
		}
	}
	return nil
}

// shrink gives back what a connection does not need while it waits.
func (c *Conn) shrink() {
	switch n := c.w - c.r; {
	case n == 0:
		c.release()
	case n < smallInput && len(c.in) > smallInput:
		c.replace(smallInput)
	}
}

// replace moves the buffered input to a buffer of size bytes.
func (c *Conn) replace(size int) {
	old, pooled, charged := c.in[c.r:c.w], c.pooled, c.charged
	c.pooled, c.charged = nil, 0
	if size == largeInput {
		c.pooled = inputs.Get().(*[largeInput]byte) // the pool holds nothing else
		c.in = c.pooled[:]
	} else {
		c.in = make([]byte, size)
	}
	c.r, c.w = 0, copy(c.in, old)
	c.giveBack(pooled, charged)
}

func (c *Conn) release() {
	c.giveBack(c.pooled, c.charged)
	c.in, c.pooled, c.charged = nil, nil, 0
	c.r, c.w = 0, 0
}

func (c *Conn) giveBack(pooled *[largeInput]byte, charged int64) {
	if pooled != nil {
		inputs.Put(pooled)
	}
	c.limits.Budget.Give(charged)
}
