package flin

import (
	"bufio"
	"io"
	"net"
	"strconv"
	"sync"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// fake is a server that holds a map, and whose answers a test may replace.
type fake struct {
	t       testing.TB
	ln      net.Listener
	welcome wire.Welcome
	refuse  *wire.Error // answers every hello

	mu     sync.Mutex
	keys   map[string]wire.KVEntry
	rev    uint64
	seen   []wire.Op
	hook   func(c *fakeConn, req *wire.Request) (done bool) // called for each request, before it is answered
	conns  []*fakeConn
	closed bool
	all    sync.WaitGroup
}

type fakeConn struct {
	nc net.Conn
	mu sync.Mutex
}

func (c *fakeConn) answer(tag uint64, resp wire.Response) {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, _ = c.nc.Write(wire.AppendResponse(nil, tag, &resp)) // the client may have gone
}

func newFake(t testing.TB) *fake { return newFakeAt(t, "127.0.0.1:0") }

func newFakeAt(t testing.TB, addr string) *fake {
	t.Helper()
	ln, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	f := &fake{t: t, ln: ln, keys: map[string]wire.KVEntry{}, welcome: wire.Welcome{Version: 1, MaxRequest: 1 << 20, Node: "fake"}}
	f.all.Go(f.accept)
	t.Cleanup(f.stop)
	return f
}

func (f *fake) addr() string { return f.ln.Addr().String() }

func (f *fake) stop() {
	f.mu.Lock()
	f.closed = true
	f.mu.Unlock()
	_ = f.ln.Close()
	f.drop()
	f.all.Wait()
}

// drop closes every connection.
func (f *fake) drop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.conns {
		_ = c.nc.Close()
	}
	f.conns = nil
}

// onRequest replaces the hook.
func (f *fake) onRequest(hook func(c *fakeConn, req *wire.Request) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.hook = hook
}

// count returns how many requests of op have come.
func (f *fake) count(op wire.Op) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, o := range f.seen {
		if o == op {
			n++
		}
	}
	return n
}

func (f *fake) accept() {
	for {
		nc, err := f.ln.Accept()
		if err != nil {
			return
		}
		c := &fakeConn{nc: nc}
		f.mu.Lock()
		if f.closed {
			_ = nc.Close()
		}
		f.conns = append(f.conns, c)
		f.mu.Unlock()
		f.all.Go(func() { f.serve(c) })
	}
}

func (f *fake) serve(c *fakeConn) {
	defer func() { _ = c.nc.Close() }()
	r := bufio.NewReaderSize(c.nc, 64<<10)
	magic := make([]byte, len(wire.Magic))
	if _, err := io.ReadFull(r, magic); err != nil || string(magic) != wire.Magic {
		return
	}
	for {
		head := make([]byte, wire.LenSize)
		if _, err := io.ReadFull(r, head); err != nil {
			return
		}
		n, _ := wire.FrameLen(head)
		p := make([]byte, n)
		if _, err := io.ReadFull(r, p); err != nil {
			return
		}
		var req wire.Request
		if err := wire.DecodeRequest(p, &req, wire.Clock()); err != nil {
			f.t.Errorf("the client sent % x: %v", p, err)
			return
		}
		f.mu.Lock()
		f.seen = append(f.seen, req.Op)
		hook := f.hook
		f.mu.Unlock()
		if req.Op == wire.OpHello {
			resp := wire.Response{Body: f.welcome.Append(nil)}
			if f.refuse != nil {
				resp = wire.Fail(f.refuse)
			}
			c.answer(req.Tag, resp)
			continue
		}
		if hook != nil && hook(c, &req) {
			continue
		}
		if req.Op != wire.OpCancel && req.Op != wire.OpCredit {
			c.answer(req.Tag, f.do(&req))
		}
	}
}

// do answers from the map.
func (f *fake) do(req *wire.Request) wire.Response {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch req.Op {
	case wire.OpPing:
		return wire.Response{Body: req.Body}
	case wire.OpKVGet:
		e, ok := f.keys[string(req.Body)]
		if !ok {
			return wire.Response{Code: wire.NotFound}
		}
		return wire.Response{Rev: e.Version, Num: e.Expires, Body: e.Value}
	case wire.OpKVSet:
		var m wire.KVSet
		if err := m.Decode(req.Body); err != nil {
			return wire.Fail(err)
		}
		f.rev++
		f.keys[string(append([]byte{m.DB}, m.Key...))] = wire.KVEntry{Version: f.rev, Value: append([]byte{}, m.Value...)}
		return wire.Response{Rev: f.rev}
	case wire.OpKVDel:
		var m wire.KVDel
		if err := m.Decode(req.Body); err != nil {
			return wire.Fail(err)
		}
		delete(f.keys, string(append([]byte{m.DB}, m.Key...)))
		return wire.Response{Num: 1}
	case wire.OpKVIncr, wire.OpKVDecr:
		var m wire.KVIncr
		if err := m.Decode(req.Body); err != nil {
			return wire.Fail(err)
		}
		at := string(append([]byte{m.DB}, m.Key...))
		n, _ := strconv.ParseInt(string(f.keys[at].Value), 10, 64)
		if req.Op == wire.OpKVDecr {
			m.By = -m.By
		}
		f.rev++
		f.keys[at] = wire.KVEntry{Version: f.rev, Value: strconv.AppendInt(nil, n+m.By, 10)}
		return wire.Response{Num: n + m.By}
	case wire.OpKVMGet, wire.OpKVExists, wire.OpKVMDel:
		return f.many(req)
	case wire.OpKVMSet:
		var m wire.KVMSet
		if err := m.Decode(req.Body); err != nil {
			return wire.Fail(err)
		}
		f.rev++
		for _, p := range m.Pairs {
			f.keys[string(append([]byte{m.DB}, p.Key...))] = wire.KVEntry{Version: f.rev, Value: append([]byte{}, p.Value...)}
		}
		return wire.Response{Rev: f.rev}
	}
	return wire.Failf(wire.Unsupported, "operation %v is not known", req.Op)
}

func (f *fake) many(req *wire.Request) wire.Response {
	var m wire.KVKeys
	if err := m.Decode(req.Body); err != nil {
		return wire.Fail(err)
	}
	var resp wire.Response
	for _, key := range m.Keys {
		at := string(append([]byte{m.DB}, key...))
		e, ok := f.keys[at]
		if ok {
			resp.Num++
		}
		switch req.Op {
		case wire.OpKVMGet:
			resp.Body = wire.AppendKVEntry(resp.Body, &e)
		case wire.OpKVMDel:
			delete(f.keys, at)
		}
	}
	return resp
}
