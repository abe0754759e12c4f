package flin

import (
	"net"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/skshohagmiah/flin/pkg/wire"
)

const (
	maxOut    = 4 << 20  // bytes that may wait for the writer; callers wait for room beyond it
	keepOut   = 5 << 20  // output buffers over this size are not kept
	maxPlaces = 64 << 10 // calls in flight on one connection
	readSize  = 128 << 10
)

// conn is one connection. Callers append their frames to out; the writer sends them; the reader hands the answers out.
type conn struct {
	nc      net.Conn
	welcome wire.Welcome
	heard   atomic.Int64 // wire.Clock of the last bytes from the server

	mu     sync.Mutex // guards what follows; never held across a system call
	out    []byte     // frames that the writer has not taken
	spare  []byte     // the writer's other buffer
	taken  int64      // bytes that the writer has taken before out
	idle   bool       // the writer sleeps
	places []placed
	free   []uint32
	busy   int           // places in use
	room   chan struct{} // closed when the writer takes out, or a place is left, if callers wait for that
	closed error         // why the connection is over
	refuse bool          // the server's last word: what it has not answered was not executed
	wakeup chan struct{} // tells the writer that out has something
	pinged int64         // when a ping was sent that has not been answered; 0: none
}

type placed struct {
	call *call // nil: free
	use  uint32
}

func (p *placed) tag(i uint32) uint64 { return uint64(p.use)<<32 | uint64(i) }

// errFull is what send reports when the connection has no room for another call.
var errFull = &Error{Code: wire.Busy, Msg: "flin: too many calls are waiting"}

func newConn(nc net.Conn, welcome wire.Welcome) *conn {
	c := &conn{nc: nc, welcome: welcome, wakeup: make(chan struct{}, 1)}
	c.heard.Store(wire.Clock())
	return c
}

// send appends the call's frame. After an error the request was not sent. With errFull the caller may wait for room.
func (c *conn) send(k *call, now int64) (room <-chan struct{}, err error) {
	c.mu.Lock()
	if c.closed != nil {
		err := c.closed
		c.mu.Unlock()
		return nil, err
	}
	if len(c.out) >= maxOut || c.busy >= maxPlaces {
		if c.room == nil {
			c.room = make(chan struct{})
		}
		room := c.room
		c.mu.Unlock()
		return room, errFull
	}
	i := c.take(k)
	start := len(c.out)
	req := wire.Request{Op: k.op, Flags: k.flags, Tag: c.places[i].tag(i), Deadline: k.deadline}
	c.out = k.payload.Append(wire.AppendRequestHead(c.out, &req, now))
	if size := len(c.out) - start - wire.LenSize; c.welcome.MaxRequest != 0 && uint64(size) > c.welcome.MaxRequest {
		c.out = c.out[:start]
		c.leave(i)
		c.mu.Unlock()
		return nil, wire.Errorf(wire.TooLarge, "flin: request of %d bytes is over the server's limit of %d (-max-request)", size, c.welcome.MaxRequest)
	}
	wire.EndFrame(c.out, start)
	k.place, k.start = i, c.taken+int64(start)
	c.unlockAndWrite()
	return nil, nil
}

// unlockAndWrite gives mu up and sees to it that the writer takes out.
func (c *conn) unlockAndWrite() {
	wake := c.idle
	c.idle = false
	c.mu.Unlock()
	if wake {
		c.wakeup <- struct{}{}
	}
}

func (c *conn) take(k *call) uint32 {
	var i uint32
	if n := len(c.free); n > 0 {
		i = c.free[n-1]
		c.free = c.free[:n-1]
	} else {
		i = uint32(len(c.places))
		c.places = append(c.places, placed{})
	}
	c.places[i].call = k
	c.places[i].use++
	c.busy++
	return i
}

func (c *conn) leave(i uint32) {
	c.places[i].call = nil
	c.free = append(c.free, i)
	c.busy--
	if c.room != nil && len(c.out) < maxOut {
		c.widen()
	}
}

// widen tells callers that there is room, if any wait for it.
func (c *conn) widen() {
	if c.room != nil {
		close(c.room)
		c.room = nil
	}
}

// abandon takes the call out of the connection and tells the server. False: the answer is being handed out already.
func (c *conn) abandon(k *call) bool {
	c.mu.Lock()
	if c.closed != nil || int(k.place) >= len(c.places) || c.places[k.place].call != k {
		c.mu.Unlock()
		return false
	}
	tag := c.places[k.place].tag(k.place)
	k.sent = true
	c.leave(k.place)
	c.control(wire.OpCancel, &wire.Credit{Tag: tag})
	c.unlockAndWrite()
	return true
}

// withdraw asks the server to end the call, which stays in its place: the answer says whether it was executed. False: the
// answer is being handed out already.
func (c *conn) withdraw(k *call) bool {
	c.mu.Lock()
	if c.closed != nil || int(k.place) >= len(c.places) || c.places[k.place].call != k {
		c.mu.Unlock()
		return false
	}
	c.control(wire.OpCancel, &wire.Credit{Tag: c.places[k.place].tag(k.place)})
	c.unlockAndWrite()
	return true
}

// control appends a frame that has no answer of its own. It is called with mu held.
func (c *conn) control(op wire.Op, m *wire.Credit) {
	start := len(c.out)
	req := wire.Request{Op: op, Tag: m.Tag}
	c.out = m.Append(wire.AppendRequestHead(c.out, &req, 0))
	wire.EndFrame(c.out, start)
}

// credit grants the stream of k further answers.
func (c *conn) credit(k *call, n uint64) {
	c.mu.Lock()
	if c.closed != nil || c.places[k.place].call != k {
		c.mu.Unlock()
		return
	}
	c.control(wire.OpCredit, &wire.Credit{Tag: c.places[k.place].tag(k.place), N: n})
	c.unlockAndWrite()
}

// write is the writer: it gives way once before it takes what has gathered, so that calls pending together leave together.
func (c *conn) write() {
	for {
		runtime.Gosched()
		c.mu.Lock()
		for len(c.out) == 0 && c.closed == nil {
			c.idle = true
			c.mu.Unlock()
			<-c.wakeup
			runtime.Gosched()
			c.mu.Lock()
		}
		if c.closed != nil {
			c.mu.Unlock()
			return
		}
		b := c.out
		c.out, c.spare = c.spare[:0], nil
		before := c.taken
		c.taken += int64(len(b))
		c.widen()
		c.mu.Unlock()
		n, err := c.nc.Write(b)
		c.mu.Lock()
		if cap(b) <= keepOut {
			c.spare = b
		}
		if err != nil {
			c.taken = before + int64(n)
		}
		c.mu.Unlock()
		if err != nil {
			c.close(err)
			return
		}
	}
}

// close ends the connection because of err. Only the first call counts. Every call in flight is told.
func (c *conn) close(err error) {
	c.mu.Lock()
	if c.closed != nil {
		c.mu.Unlock()
		return
	}
	c.closed = err
	var lost []*call
	for i := range c.places {
		k := c.places[i].call
		if k == nil {
			continue
		}
		c.places[i].call = nil
		k.lost, k.sent = err, !c.refuse && k.start < c.taken
		lost = append(lost, k)
	}
	c.widen()
	wake := c.idle
	c.idle = false
	c.mu.Unlock()
	_ = c.nc.Close() // the connection is given up
	if wake {
		c.wakeup <- struct{}{}
	}
	for _, k := range lost {
		if k.feed != nil {
			k.feed.end()
		}
		k.finish()
	}
}
