package replica

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"

	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// idleMachine answers without doing anything: what is left is the group's own cost.
type idleMachine struct{ s *store.Store }

func (m *idleMachine) Engine() wire.EngineID                { return wire.EngineKV }
func (m *idleMachine) Store() *store.Store                  { return m.s }
func (m *idleMachine) Apply(*Command, *wire.Response) error { return nil }
func (m *idleMachine) Applied(store.Position)               {}
func (m *idleMachine) Reset() error                         { return nil }

// histogram returns what a histogram has counted.
func histogram(h prometheus.Histogram) *dto.Histogram {
	var m dto.Metric
	_ = h.Write(&m)
	return m.GetHistogram()
}

// sleeper is a Replier with one request at a time.
type sleeper chan struct{}

func (s sleeper) Reply(uint64, wire.Response) { s <- struct{}{} }

func BenchmarkPropose(b *testing.B) {
	for _, memory := range []bool{false, true} {
		for _, clients := range []int{1, 256} {
			b.Run(fmt.Sprintf("size=1k/clients=%d/memory=%t", clients, memory), func(b *testing.B) {
				cfg, root := testConfig(b, "a")
				cfg.Memory = memory
				cfg.SegmentSize = Default().SegmentSize
				st, err := store.Open(store.Options{Dir: root + "/store", Memory: memory, CacheSize: 32 << 20, MinFree: 1})
				if err != nil {
					b.Fatal(err)
				}
				defer st.Close()
				g, err := Open(cfg, &idleMachine{st})
				if err != nil {
					b.Fatal(err)
				}
				defer g.Close()
				until(b, "ready", g.stand.ready.Load)
				body := bytes.Repeat([]byte("x"), 1024)
				b.SetBytes(1024)
				b.ReportAllocs()
				b.ResetTimer()
				var wg sync.WaitGroup
				for c := range clients {
					n := b.N / clients
					if c < b.N%clients {
						n++
					}
					wg.Go(func() {
						s := make(sleeper, 1)
						req := wire.Request{Op: wire.OpKVSet, Body: body}
						for range n {
							g.Propose(&req, false, s)
							<-s
						}
					})
				}
				wg.Wait()
				b.StopTimer()
				writes := histogram(g.met.fsync)
				b.ReportMetric(float64(b.N)/float64(writes.GetSampleCount()), "commands/write")
				b.ReportMetric(writes.GetSampleSum()/float64(writes.GetSampleCount())*1e6, "µs/write")
			})
		}
	}
}
