package kv

import (
	"fmt"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skshohagmiah/flin/kvd/kv/internal/fsm"
	"github.com/skshohagmiah/flin/pkg/obs"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// statsCache keeps the last answer to OpKVStats where it was dear: counting a large database takes a while, and people
// poll INFO.
type statsCache struct {
	mu   sync.Mutex
	ans  wire.Response
	till time.Time
}

// Counting that took longer than dearStats is not done again for staleStats times as long.
const (
	dearStats  = 20 * time.Millisecond
	staleStats = 20
)

// stats answers OpKVStats, on a worker.
func (e *Engine) stats(row *fsm.Row, body []byte, ask fsm.Request) wire.Response {
	c := &e.cached
	c.mu.Lock()
	defer c.mu.Unlock()
	start := time.Now()
	if start.Before(c.till) {
		return c.ans
	}
	ans, _ := e.machine.Scan(row, body, ask) // figures may be a moment old
	if took := time.Since(start); ans.Code == wire.OK && took > dearStats {
		c.ans, c.till = ans, time.Now().Add(took*staleStats)
	}
	return ans
}

// ownStats appends what the machine does not know.
func (e *Engine) ownStats(b []byte) []byte {
	queued, running := e.pool.Waiting()
	return fmt.Appendf(b, "watchers %d\nscans_waiting %d\nscans_running %d\nswept_keys %d\n",
		e.hub.Count(), queued, running, e.swept.Load())
}

// Collectors returns the engine's metrics.
func (e *Engine) Collectors() []prometheus.Collector {
	of := obs.Of("kv")
	return []prometheus.Collector{
		of.Gauge("watchers", "Watches that stand.", func() float64 { return float64(e.hub.Count()) }),
		of.Gauge("scans_waiting", "Scans that wait for a worker.", func() float64 { n, _ := e.pool.Waiting(); return float64(n) }),
		of.Gauge("scans_running", "Scans on a worker.", func() float64 { _, n := e.pool.Waiting(); return float64(n) }),
		of.Gauge("watch_ring_bytes", "Memory of recent changes kept for watches.", func() float64 { n, _ := e.feed.ring.Stats(); return float64(n) }),
		of.Gauge("revision", "Revision of the newest command applied here.", func() float64 { return float64(e.st.Applied().Revision) }),
		of.Counter("swept_keys_total", "Expired keys removed by sweeps that this node proposed.", e.swept.Load),
		e.st.Collector("kv"),
	}
}
