package link

import (
	"errors"
	"os"
	"time"
)

// readAhead is how much input AwaitReading takes in before it stops reading.
const readAhead = 64 << 10

var longAgo = time.Unix(1, 0) //nolint:gochecknoglobals // a constant: a deadline that ends a read at once

// Started counts a request that will be answered later, before it is handed on.
func (c *Conn) Started() { c.inFlight.Add(1) }

// Finished counts the last answer of a request. It is called after the answer was appended.
func (c *Conn) Finished() {
	if c.inFlight.Add(-1) <= c.awaited.Load() {
		c.mu.Lock()
		if c.rouse {
			_ = c.nc.SetReadDeadline(longAgo) // fails on a closed connection only
		}
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
	if !c.full.Load() {
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

// AwaitReading is Await(0) for answers that may take long: it reads on meanwhile, so that a client that leaves is noticed at
// once. What the client sends ahead is buffered behind what is there; over 64 KiB of it the client is left alone. After
// an error the answers are still to come: io.EOF says that the client has left or will say no more, ErrStopping that Stop
// was called.
func (c *Conn) AwaitReading() error {
	for c.inFlight.Load() > 0 {
		if c.stopping.Load() {
			return ErrStopping
		}
		if c.w-c.r >= readAhead {
			return c.Await(0)
		}
		if err := c.readOn(); err != nil {
			return err
		}
	}
	return nil
}

// readOn reads until the last answer has come, or some input.
func (c *Conn) readOn() error {
	if err := c.sleep(); err != nil {
		c.wake()
		return err
	}
	c.mu.Lock()
	c.rouse = true
	c.awaited.Store(0)
	c.mu.Unlock()
	var n int
	var err error
	if c.inFlight.Load() > 0 { // else it may be too late to be roused
		n, err = c.read()
	}
	c.mu.Lock()
	c.rouse = false
	c.awaited.Store(-1)
	c.awake = true
	if !c.stopping.Load() {
		_ = c.nc.SetReadDeadline(time.Time{}) // fails on a closed connection only
	}
	c.mu.Unlock()
	c.w += n
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil
	}
	return err
}
