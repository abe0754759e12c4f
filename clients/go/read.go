package flin

import (
	"fmt"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// answer is a frame that was read and not yet handed out.
type answer struct {
	tag    uint64
	resp   wire.Response
	call   *call
	stream *stream
}

// maxAnswer is the longest answer that a client takes: a server that sends more is broken.
const maxAnswer = 1 << 30

// read is the reader: it hands answers out until the connection ends, and returns why.
func (c *conn) read() error {
	buf := make([]byte, readSize)
	r, w := 0, 0
	var batch [128]answer
	for {
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
		a := &into[count]
		if a.tag, err = wire.DecodeResponse(p[used+wire.LenSize:used+wire.LenSize+n], &a.resp); err != nil {
			return used, count, fmt.Errorf("flin: the server sent a bad frame: %w", err)
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
		a.call, a.stream = nil, nil
		i := uint32(a.tag)
		if int(i) >= len(c.places) {
			continue
		}
		at := &c.places[i]
		if at.call == nil || at.use != uint32(a.tag>>32) {
			continue // it was abandoned
		}
		a.call, a.stream = at.call, at.call.stream
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
			if a.stream != nil && !closed {
				a.stream.push(a.resp)
			}
		case a.call != nil:
			a.call.resp = a.resp
			a.call.resp.Body = append([]byte{}, a.resp.Body...) // never nil: an empty value is a value
			if a.stream != nil {
				a.stream.end()
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
