package bus_test

import (
	"context"
	"net"
	"sync"
	"testing"
)

// relay passes bytes between a daemon and the NATS server, until it is cut off without a word.
type relay struct {
	ln net.Listener
	to string

	mu      sync.Mutex
	heard   *sync.Cond // with mu: stopped has changed
	mute    bool       // what is said is thrown away
	stopped bool       // what the NATS server says is not read
	conns   []net.Conn
	wg      sync.WaitGroup
}

func newRelay(t *testing.T, to net.Addr) *relay {
	t.Helper()
	ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{ln: ln, to: to.String()}
	r.heard = sync.NewCond(&r.mu)
	r.wg.Go(r.accept)
	t.Cleanup(func() {
		ln.Close()
		r.cut()
		r.wg.Wait()
	})
	return r
}

func (r *relay) url() string { return "nats://" + r.ln.Addr().String() }

func (r *relay) accept() {
	for {
		in, err := r.ln.Accept()
		if err != nil {
			return
		}
		out, err := new(net.Dialer).Dial("tcp", r.to)
		if err != nil {
			in.Close()
			continue
		}
		r.mu.Lock()
		r.conns = append(r.conns, in, out)
		r.mu.Unlock()
		r.wg.Go(func() { r.copy(in, out, false) })
		r.wg.Go(func() { r.copy(out, in, true) })
	}
}

func (r *relay) copy(from, to net.Conn, down bool) {
	defer from.Close()
	defer to.Close()
	buf := make([]byte, 64<<10)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		r.mu.Lock()
		for down && r.stopped {
			r.heard.Wait()
		}
		mute := r.mute
		r.mu.Unlock()
		if !mute {
			if _, err := to.Write(buf[:n]); err != nil {
				return
			}
		}
	}
}

func (r *relay) silence(on bool) {
	r.mu.Lock()
	r.mute = on
	r.mu.Unlock()
}

func (r *relay) deaf(on bool) {
	r.mu.Lock()
	r.stopped = on
	r.mu.Unlock()
	r.heard.Broadcast()
}

func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.conns {
		c.Close()
	}
	r.conns = nil
}
