package bus_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/skshohagmiah/flin/pkg/bus/bustest"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// BenchmarkRoundTrip compares a request with 1 KiB and its answer of 1 KiB through the bus with NATS's own request and reply
// between the same two connections to the same server.
func BenchmarkRoundTrip(b *testing.B) {
	body := make([]byte, 1<<10)
	for _, clients := range []struct {
		name string
		n    int
	}{{"clients=1", 1}, {"clients=256", 256}} {
		b.Run(clients.name+"/path=bus", func(b *testing.B) {
			far := bustest.Far(b, wire.EngineKV, echo())
			together(b, clients.n, func() {
				if _, err := engine.Do(context.Background(), far, wire.Request{Op: wire.OpKVGet, Body: body}); err != nil {
					b.Error(err)
				}
			})
		})
		b.Run(clients.name+"/path=nats", func(b *testing.B) {
			ns := bustest.NATS(b, nil)
			server, client := connect(b, ns.URL()), connect(b, ns.URL())
			if _, err := server.Subscribe("echo", func(m *nats.Msg) { _ = m.Respond(m.Data) }); err != nil {
				b.Fatal(err)
			}
			if err := server.Flush(); err != nil {
				b.Fatal(err)
			}
			together(b, clients.n, func() {
				if _, err := client.Request("echo", body, time.Minute); err != nil {
					b.Error(err)
				}
			})
		})
	}
}

func connect(b *testing.B, url string) *nats.Conn {
	b.Helper()
	nc, err := nats.Connect(url)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(nc.Close)
	return nc
}

// together does something b.N times on n goroutines.
func together(b *testing.B, n int, do func()) {
	do()
	var left atomic.Int64
	left.Store(int64(b.N))
	done := make(chan struct{}, n)
	b.ReportAllocs()
	b.ResetTimer()
	for range n {
		go func() {
			for left.Add(-1) >= 0 {
				do()
			}
			done <- struct{}{}
		}()
	}
	for range n {
		<-done
	}
	b.StopTimer()
}
