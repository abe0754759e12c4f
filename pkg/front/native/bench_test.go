package native_test

import (
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"testing"

	flin "github.com/skshohagmiah/flin/clients/go"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/front/link"
	"github.com/skshohagmiah/flin/pkg/front/native"
	"github.com/skshohagmiah/flin/pkg/internal/memkv"
)

// BenchmarkBlockingCallers measures what protocol and client allow: an engine that is a map, and goroutines that wait
// for each answer before they ask again.
func BenchmarkBlockingCallers(b *testing.B) {
	const keys = 10_000
	for _, size := range []int{128, 1024} {
		e := memkv.New()
		addr := serve(b, e)
		value := make([]byte, size)
		for i := range value {
			value[i] = byte(rand.Uint32())
		}
		names := make([]string, keys)
		for i := range names {
			names[i] = fmt.Sprintf("key:%012d", i)
		}
		for _, conns := range []int{1, 2, 4} {
			opts := flin.DefaultOptions(addr)
			opts.Connections = conns
			c, err := flin.NewClient(opts)
			if err != nil {
				b.Fatal(err)
			}
			for _, op := range []string{"set", "get"} {
				for _, callers := range []int{1, 256} {
					b.Run(fmt.Sprintf("op=%s/size=%d/callers=%d/conns=%d", op, size, callers, conns), func(b *testing.B) {
						b.ReportAllocs()
						callMany(b, callers, func(i int64) error {
							if op == "set" {
								return c.KV.Set(names[i%keys], value)
							}
							_, err := c.KV.Get(names[i%keys])
							return err
						})
					})
				}
			}
			_ = c.Close()
		}
	}
}

func callMany(b *testing.B, callers int, call func(i int64) error) {
	var next atomic.Int64
	var wg sync.WaitGroup
	b.ResetTimer()
	for range callers {
		wg.Go(func() {
			for i := next.Add(1); i <= int64(b.N); i = next.Add(1) {
				if err := call(i); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "ops/s")
}

// serve serves e natively on a free loopback port until the test ends, and returns the address.
func serve(tb testing.TB, e engine.Engine, change ...func(*native.Config, *link.Limits)) string {
	tb.Helper()
	cfg := native.Default()
	cfg.Engine = e
	limits := link.Limits{MaxInput: 32 << 20, MaxOutput: 64 << 20, MaxInFlight: 1024}
	for _, f := range change {
		f(&cfg, &limits)
	}
	if err := cfg.Validate(); err != nil {
		tb.Fatal(err)
	}
	s := native.New(cfg)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var conns []*link.Conn
	wg.Go(func() {
		for id := uint64(1); ; id++ {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			c := link.New(nc, id, limits)
			mu.Lock()
			conns = append(conns, c)
			mu.Unlock()
			wg.Go(func() { s.ServeConn(c) })
		}
	})
	tb.Cleanup(func() {
		_ = ln.Close()
		mu.Lock()
		for _, c := range conns {
			c.Close(nil)
		}
		mu.Unlock()
		wg.Wait()
	})
	return ln.Addr().String()
}
