package resp

import (
	"context"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/skshohagmiah/flin/pkg/front/link"
)

// testServer serves the protocol on a loopback port until its test ends.
type testServer struct {
	*Server
	engine *fakeEngine
	addr   string
}

func serve(tb testing.TB, change func(*Config)) *testServer {
	tb.Helper()
	engine := newFakeEngine()
	cfg := Config{Engine: engine, Version: "test", Node: "n1"}
	if change != nil {
		change(&cfg)
	}
	s := New(cfg)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = s.Run(ctx) })
	var ids atomic.Uint64
	wg.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			wg.Go(func() {
				s.ServeConn(link.New(nc, ids.Add(1), link.Limits{
					MaxInput: 32 << 20, MaxOutput: 64 << 20, MaxInFlight: 1024,
				}))
			})
		}
	})
	tb.Cleanup(func() {
		_ = ln.Close()
		for _, c := range s.clients.list() {
			c.link.Close(nil)
		}
		cancel()
		wg.Wait()
		engine.close()
	})
	return &testServer{s, engine, ln.Addr().String()}
}
