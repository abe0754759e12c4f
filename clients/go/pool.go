package flin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

const (
	minBackoff = 20 * time.Millisecond
	maxBackoff = 2 * time.Second
	tick       = 100 * time.Millisecond // how often deadlines are looked at
	quiet      = 10 * time.Second       // with calls in flight: a ping after this much silence, the end after as much again
)

// pool keeps a few connections up for as long as the client lives.
type pool struct {
	opts   Options
	ctx    context.Context // the life of the pool's goroutines
	cancel context.CancelFunc
	wg     sync.WaitGroup
	next   atomic.Uint32
	conns  []atomic.Pointer[conn]

	mu   sync.Mutex    // guards what follows
	up   chan struct{} // closed and replaced when a connection comes up
	err  error         // why the last attempt to connect failed
	over bool          // close has been called
}

func newPool(opts Options) (*pool, error) {
	p := &pool{opts: opts, conns: make([]atomic.Pointer[conn], opts.Connections), up: make(chan struct{})}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	var first *conn
	var errs []error
	at := 0
	for i := range opts.Addrs {
		c, err := p.dial(opts.Addrs[i])
		if err == nil {
			first, at = c, i
			break
		}
		errs = append(errs, err)
	}
	if first == nil {
		p.cancel()
		return nil, errors.Join(errs...)
	}
	for i := range p.conns {
		c := first
		if i > 0 {
			c = nil
		}
		p.wg.Go(func() { p.keep(i, at, c) })
	}
	p.conns[0].Store(first)
	p.wg.Go(p.watchTime)
	return p, nil
}

// start runs fn, which must return when the pool's context ends, in a goroutine that close waits for. False: it is closed.
func (p *pool) start(fn func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.over {
		return false
	}
	p.wg.Go(fn)
	return true
}

func (p *pool) close() {
	p.mu.Lock()
	p.over = true
	p.mu.Unlock()
	p.cancel()
	for i := range p.conns {
		if c := p.conns[i].Load(); c != nil {
			c.close(ErrClosed)
		}
	}
	p.wg.Wait()
}

// keep keeps connection i up, beginning with c unless that is nil, at the address numbered at.
func (p *pool) keep(i, at int, c *conn) {
	backoff := minBackoff
	for {
		if c == nil {
			var err error
			if c, err = p.dial(p.opts.Addrs[at%len(p.opts.Addrs)]); err != nil {
				p.failed(err)
				at++
				if !p.pause(backoff) {
					return
				}
				backoff = min(2*backoff, maxBackoff)
				continue
			}
		}
		p.connected(i, c)
		began := time.Now()
		p.run(c)
		p.conns[i].CompareAndSwap(c, nil)
		c = nil
		if p.ctx.Err() != nil {
			return
		}
		if time.Since(began) > maxBackoff {
			backoff = minBackoff
		}
		if !p.pause(backoff / 2) { // a server that takes connections and drops them is not to be hammered
			return
		}
		backoff = min(2*backoff, maxBackoff)
	}
}

// run serves c until it ends.
func (p *pool) run(c *conn) {
	var writer sync.WaitGroup
	writer.Go(c.write)
	err := c.read()
	if errors.Is(err, io.EOF) {
		err = errors.New("flin: the server closed the connection")
	}
	c.close(err)
	writer.Wait()
}

func (p *pool) connected(i int, c *conn) {
	p.conns[i].Store(c)
	p.mu.Lock()
	close(p.up)
	p.up, p.err = make(chan struct{}), nil
	p.mu.Unlock()
	if p.ctx.Err() != nil { // close may have looked before it was stored
		c.close(ErrClosed)
	}
}

func (p *pool) failed(err error) {
	p.mu.Lock()
	p.err = err
	p.mu.Unlock()
}

// pause waits about d, half of it by chance, and reports whether the client is still open.
func (p *pool) pause(d time.Duration) bool {
	t := time.NewTimer(d/2 + rand.N(d/2+1))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-p.ctx.Done():
		return false
	}
}

// dial connects to addr and exchanges hellos.
func (p *pool) dial(addr string) (*conn, error) {
	ctx, cancel := context.WithTimeout(p.ctx, p.opts.DialTimeout)
	defer cancel()
	dial := p.opts.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	nc, err := dial(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("flin: connecting to %s: %w: %w", addr, ErrUnavailable, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = nc.Close() }) // ends the exchange
	welcome, err := p.hello(nc)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = nc.Close()
		if _, said := errors.AsType[*Error](err); !said {
			err = fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		return nil, fmt.Errorf("flin: greeting %s: %w", addr, err)
	}
	return newConn(nc, welcome), nil
}

func (p *pool) hello(nc net.Conn) (wire.Welcome, error) {
	var welcome wire.Welcome
	hello := wire.Hello{Version: wire.Version, User: p.opts.User, Password: p.opts.Password, Info: "flin-go " + p.opts.Name}
	if hello.User == "" && hello.Password != "" {
		hello.User = "default"
	}
	req := wire.Request{Op: wire.OpHello, Tag: 1, Body: hello.Append(nil)}
	if _, err := nc.Write(wire.AppendRequest([]byte(wire.Magic), &req, 0)); err != nil {
		return welcome, err
	}
	var head [wire.LenSize]byte
	if _, err := io.ReadFull(nc, head[:]); err != nil {
		return welcome, err
	}
	n, _ := wire.FrameLen(head[:])
	if n < wire.MinResponse || n > 64<<10 {
		return welcome, wire.Errorf(wire.Invalid, "the answer is not Flin's native protocol")
	}
	frame := make([]byte, n)
	if _, err := io.ReadFull(nc, frame); err != nil {
		return welcome, err
	}
	var resp wire.Response
	if _, err := wire.DecodeResponse(frame, &resp); err != nil {
		return welcome, err
	}
	if err := resp.Err(); err != nil {
		return welcome, err
	}
	if err := welcome.Decode(resp.Body); err != nil {
		return welcome, err
	}
	if welcome.Version != wire.Version {
		return welcome, wire.Errorf(wire.Unsupported, "the server speaks version %d of the protocol, this client version %d", welcome.Version, wire.Version)
	}
	return welcome, nil
}

// pick returns a connection that is up, or nil and a channel that is closed when one comes up.
func (p *pool) pick() (*conn, <-chan struct{}) {
	n := uint32(len(p.conns))
	first := uint32(0)
	if n > 1 {
		first = p.next.Add(1)
	}
	for i := range n {
		if c := p.conns[(first+i)%n].Load(); c != nil {
			return c, nil
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.conns { // one may have come up before the lock
		if c := p.conns[i].Load(); c != nil {
			return c, nil
		}
	}
	return nil, p.up
}

// lastFailure returns why there is no connection.
func (p *pool) lastFailure() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.err == nil {
		return wire.Errorf(wire.Unavailable, "flin: no connection to %v", p.opts.Addrs)
	}
	return p.err
}
