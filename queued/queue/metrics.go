package queue

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/skshohagmiah/flin/pkg/obs"
	"github.com/skshohagmiah/flin/queued/queue/internal/fsm"
)

// Collectors returns the engine's metrics.
func (e *Engine) Collectors() []prometheus.Collector {
	of := obs.Of("queue")
	return []prometheus.Collector{
		of.Gauge("pops_waiting", "Pops and leases that wait for a message.", func() float64 { return float64(e.pops.parked.Load()) }),
		of.Gauge("reads_waiting", "Reads of messages that wait for a worker.", func() float64 { n, _ := e.pool.Waiting(); return float64(n) }),
		of.Gauge("reads_running", "Reads of messages on a worker.", func() float64 { _, n := e.pool.Waiting(); return float64(n) }),
		of.Gauge("revision", "Revision of the newest command applied here.", func() float64 { return float64(e.st.Applied().Revision) }),
		of.Counter("ticked_total", "Messages that ticks of this node have moved or removed because their time was over.", e.ticked.Load),
		of.Counter("returned_total", "Messages put back because the client they were for had gone.", e.pops.returned.Load),
		of.Counter("return_failures_total", "Messages that could not be put back; leased ones come back when the lease runs out.", e.pops.lost.Load),
		newTotals(e.machine),
		e.st.Collector("queue"),
	}
}

// newTotals says how the queues are, all figures of one moment. What is counted goes when its queue is deleted, so that no
// figure is a counter.
func newTotals(machine *fsm.Machine) prometheus.Collector {
	m := obs.NewMoment("flin_queue_", nil, machine.Totals)
	m.Gauge("queues", "Queues.", func(t *fsm.Totals) float64 { return float64(t.Queues) })
	m.Gauge("messages_ready", "Messages that can be delivered.", func(t *fsm.Totals) float64 { return float64(t.Ready) })
	m.Gauge("messages_delayed", "Messages whose time has not come.", func(t *fsm.Totals) float64 { return float64(t.Delayed) })
	m.Gauge("messages_leased", "Messages that somebody works on.", func(t *fsm.Totals) float64 { return float64(t.Leased) })
	m.Gauge("messages_pushed", "Messages pushed into the queues that are there, since they were made.", func(t *fsm.Totals) float64 { return float64(t.Pushed) })
	m.Gauge("messages_popped", "Messages taken or leased, likewise.", func(t *fsm.Totals) float64 { return float64(t.Popped) })
	m.Gauge("messages_acked", "Messages taken or acknowledged, likewise.", func(t *fsm.Totals) float64 { return float64(t.Acked) })
	m.Gauge("messages_died", "Messages given up, likewise.", func(t *fsm.Totals) float64 { return float64(t.Died) })
	m.Gauge("messages_dropped", "Messages that expired or made room, likewise.", func(t *fsm.Totals) float64 { return float64(t.Dropped) })
	m.Gauge("chunks", "Chunks that the messages are stored in.", func(t *fsm.Totals) float64 { return float64(t.Chunks) })
	m.Gauge("cached_bytes", "Memory of decoded chunks.", func(t *fsm.Totals) float64 { return float64(t.CachedBytes) })
	return m
}
