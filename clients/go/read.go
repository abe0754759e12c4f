package flin

import (
	"fmt"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// answer is a frame that was read and not yet handed out.
type answer struct {
	tag  uint64
	resp wire.Response
	call *call
	feed *feed
	own  bool // resp lies in memory of its own
}

// maxAnswer is the longest answer that a client takes: a server that sends more is broken.
const maxAnswer = 1 << 30

// read is the reader: it hands answers out until the connection ends, and returns why.
func (c *conn) read() error {
	buf := make([]byte, readSize)
	r, w := 0, 0
	var batch [128]answer
	for {
		if n, ok := wire.FrameLen(buf[r:w]); ok && n >= longAnswer && n <= wire.MaxRequest && w-r < n+wire.LenSize {
			if err := c.readLong(buf[r+wire.LenSize:w], n); err != nil {
				return err
			}
			r, w = 0, 0
			continue
		}
		if w == len(buf) || r == w {
			buf = roomFor(buf, r, w)
			r, w = 0, w-r
		}
		n, err := c.nc.Read(buf[w:])
		w += n
		if n > 0 {
			c.heard.Store(wire.Clock())
		}
		for more := true; more; {
			used, count, perr := parse(buf[r:w], batch[:])
			r += used
			if derr := c.deliver(batch[:count]); derr != nil {
				return derr
			}
			if perr != nil {
				return perr
			}
			more = count == len(batch)
		}
		if err != nil {
			return err
		}
	}
}

// longAnswer is from how many bytes on an answer that has not arrived whole is read into memory of its own.
const longAnswer = readSize / 4

// readLong reads an answer of n bytes, which begin with head, into memory that its caller gets, and hands it out.
func (c *conn) readLong(head []byte, n int) error {
	frame := make([]byte, n)
	for at := copy(frame, head); at < n; {
		k, err := c.nc.Read(frame[at:])
		at += k
		if k > 0 {
			c.heard.Store(wire.Clock())
		}
		if err != nil && at < n {
			return err
		}
	}
	a := [1]answer{{own: true}}
	if err := a[0].decode(frame); err != nil {
		return err
	}
	return c.deliver(a[:])
}

// decode reads a frame without its length.
func (a *answer) decode(frame []byte) (err error) {
	if a.tag, err = wire.DecodeResponse(frame, &a.resp); err != nil {
		return fmt.Errorf("flin: the server sent a bad frame: %w", err)
	}
	return nil
}

// roomFor returns a buffer that begins with the bytes of buf[r:w] and has room behind them: enough for the frame that they
// begin, or at least as much again as has arrived of it.
func roomFor(buf []byte, r, w int) []byte {
	size := readSize
	if n, ok := wire.FrameLen(buf[r:w]); ok {
		size = max(size, min(n+wire.LenSize, 2*max(w-r, readSize)))
	}
	next := buf
	if size != len(buf) {
		next = make([]byte, size)
	}
	copy(next, buf[r:w])
	return next
}

// parse takes whole frames from the front of p and returns how many bytes and frames it took.
func parse(p []byte, into []answer) (used, count int, err error) {
	for count < len(into) {
		n, ok := wire.FrameLen(p[used:])
		if !ok {
			return used, count, nil
		}
		if n < wire.MinResponse || n > maxAnswer {
			return used, count, fmt.Errorf("flin: the server sent a frame of %d bytes", n)
		}
		if len(p)-used-wire.LenSize < n {
			return used, count, nil
		}
		if err := into[count].decode(p[used+wire.LenSize : used+wire.LenSize+n]); err != nil {
			return used, count, err
		}
		used += wire.LenSize + n
		count++
	}
	return used, count, nil
}

// deliver finds the calls of a batch of answers under one lock, then wakes them.
func (c *conn) deliver(batch []answer) error {
	if len(batch) == 0 {
		return nil
	}
	c.mu.Lock()
	c.pinged = 0
	for n := range batch {
		a := &batch[n]
		a.call, a.feed = nil, nil
		i := uint32(a.tag)
		if int(i) >= len(c.places) {
			continue
		}
		at := &c.places[i]
		if at.call == nil || at.use != uint32(a.tag>>32) {
			continue // it was abandoned
		}
		a.call, a.feed = at.call, at.call.feed
		if !a.resp.More {
			c.leave(i)
		}
	}
	closed := c.closed != nil
	c.mu.Unlock()
	for n := range batch {
		a := &batch[n]
		switch {
		case a.call != nil && a.resp.More:
			if a.feed != nil && !closed {
				a.feed.push(a.resp)
			}
		case a.call != nil:
			a.call.resp = a.resp
			if !a.own {
				a.call.resp.Body = append([]byte{}, a.resp.Body...) // never nil: an empty value is a value
			}
			if a.feed != nil {
				a.feed.end()
			}
			a.call.finish()
		case a.tag == wire.ConnTag:
			return c.lastWord(&a.resp)
		}
	}
	return nil
}

// lastWord takes what the server says of the whole connection.
func (c *conn) lastWord(resp *wire.Response) error {
	err := resp.Err()
	if err == nil {
		return fmt.Errorf("flin: the server answered a request that was not made")
	}
	if resp.Code == wire.Unavailable {
		c.mu.Lock()
		c.refuse = true
		c.mu.Unlock()
	}
	return err
}
