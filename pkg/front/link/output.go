package link

import (
	"net"
	"runtime"
	"sync"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// output is what waits to be written. It is guarded by Conn.mu.
type output struct {
	out      []byte  // answers nobody has begun to write, behind those in queue
	box      *[]byte // where out goes back to when it has been written
	queue    []chunk // answers that are not to be moved again because a buffer grows
	queued   int     // bytes of queue
	granted  int64   // bytes that the Budget granted
	awake    bool    // the reader is running and will write what is in out before it sleeps
	flushing bool    // a goroutine is writing and will take what is in out before it stops
}

// chunk is an output buffer that takes no more answers.
type chunk struct {
	b   []byte
	box *[]byte
}

// waiting returns how many bytes nobody has begun to write.
func (o *output) waiting() int { return o.queued + len(o.out) }

// outputs holds output buffers: a connection has one only while it has something to say.
var outputs = sync.Pool{New: func() any { b := make([]byte, 0, 16<<10); return &b }} // a pool

// Begin locks the output and returns the buffer to append to. End must follow soon, with the longer buffer.
func (c *Conn) Begin() []byte {
	c.mu.Lock()
	if c.out == nil {
		c.newOutput()
	}
	return c.out
}

// End gives the buffer back and sees to it that it is written: by the reader if it is awake, else by a goroutine that
// is already at it or is started now.
func (c *Conn) End(b []byte) {
	before := c.waiting()
	c.out = b
	if c.closed != nil {
		c.dropOutput()
		c.mu.Unlock()
		return
	}
	if c.waiting() >= flushAt {
		c.full.Store(true)
		if err := c.checkOutput(before); err != nil {
			c.mu.Unlock()
			c.Close(err)
			return
		}
	}
	if len(b) >= flushAt {
		c.queue = append(c.queue, chunk{b, c.box})
		c.queued += len(b)
		c.out, c.box = nil, nil
	}
	start := !c.awake && !c.flushing && c.waiting() > 0
	if start {
		c.flushing = true
	}
	c.mu.Unlock()
	if start {
		go c.flush()
	}
}

// checkOutput judges whether the connection may hold what waits to be written, where before bytes were waiting before. A client
// that takes its answers may have one over the limit.
func (c *Conn) checkOutput(before int) error {
	if c.waiting() > c.limits.MaxOutput && before > flushAt {
		return ErrSlowClient
	}
	if more := int64(c.waiting()) - keepOutput - c.granted; more > 0 {
		if !c.limits.Budget.Take(more) {
			return ErrNoMemory
		}
		c.granted += more
	}
	return nil
}

// Pending returns how many bytes wait to be written. Between Begin and End it must not be called.
func (c *Conn) Pending() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.waiting()
}

// sleep writes what is waiting to go out and marks the reader as asleep: from here on others write.
func (c *Conn) sleep() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.closed == nil && c.waiting() > 0 {
		if c.flushing { // it takes everything; but this much waits for the client, and so does the reader
			if c.waiting() < flushAt {
				break
			}
			c.park()
			continue
		}
		c.flushing = true
		c.writeOut()
		c.flushing = false
	}
	if c.waiting() == 0 && !c.flushing {
		c.dropOutput()
	}
	c.awake = false
	return c.closed
}

func (c *Conn) wake() {
	c.mu.Lock()
	c.awake = true
	c.mu.Unlock()
}

// finishOutput returns when nothing is left to be written, or the connection is over.
func (c *Conn) finishOutput() {
	_ = c.sleep() // its error is the connection's, which the caller sees
	c.mu.Lock()
	for c.flushing && c.closed == nil {
		c.park()
	}
	c.awake = true
	c.mu.Unlock()
}

// park waits for a write to end. It is called by the reader with mu held.
func (c *Conn) park() {
	c.parked = true
	c.room.Wait()
	c.parked = false
}

// flush writes until nothing is left. It gives way once first, so that answers given together leave together.
func (c *Conn) flush() {
	runtime.Gosched()
	c.mu.Lock()
	for c.closed == nil && c.waiting() > 0 {
		c.writeOut()
	}
	c.flushing = false
	if c.waiting() == 0 && !c.awake {
		c.dropOutput()
	}
	if c.parked {
		c.room.Signal()
	}
	c.mu.Unlock()
}

// writeOut writes what waits. It is called with mu held and flushing set, and gives mu up meanwhile.
func (c *Conn) writeOut() {
	b, box, queue, granted := c.out, c.box, c.queue, c.granted
	c.out, c.box, c.queue, c.queued, c.granted = nil, nil, nil, 0, 0
	c.full.Store(false)
	c.mu.Unlock()
	c.stalled.Store(wire.Clock())
	n, err := c.write(queue, b)
	c.stalled.Store(0)
	c.written.Add(n)
	for _, x := range queue {
		putOutput(x.box, x.b)
	}
	putOutput(box, b)
	c.limits.Budget.Give(granted)
	if err != nil {
		c.Close(err)
	}
	c.mu.Lock()
	if c.parked {
		c.room.Signal()
	}
}

// write writes what is queued, then b.
func (c *Conn) write(queue []chunk, b []byte) (int64, error) {
	if len(queue) == 0 {
		n, err := c.nc.Write(b)
		return int64(n), err
	}
	all := make(net.Buffers, 0, len(queue)+1)
	for _, x := range queue {
		all = append(all, x.b)
	}
	if len(b) > 0 {
		all = append(all, b)
	}
	return all.WriteTo(c.nc)
}

func (c *Conn) newOutput() {
	c.box = outputs.Get().(*[]byte) // the pool holds nothing else
	c.out = *c.box
}

// dropOutput gives the buffer back without writing it. It is called with mu held.
func (c *Conn) dropOutput() {
	putOutput(c.box, c.out)
	for _, x := range c.queue {
		putOutput(x.box, x.b)
	}
	c.limits.Budget.Give(c.granted)
	c.out, c.box, c.queue, c.queued, c.granted = nil, nil, nil, 0, 0
	c.full.Store(false)
}

// putOutput lets others use a buffer. There may be none.
func putOutput(box *[]byte, b []byte) {
	if box != nil && cap(b) <= poolOutput {
		*box = b[:0]
		outputs.Put(box)
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
