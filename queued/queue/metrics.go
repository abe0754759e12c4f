package queue

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/skshohagmiah/flin/queued/queue/internal/fsm"
)

// Collectors returns the engine's metrics.
func (e *Engine) Collectors() []prometheus.Collector {
	gauge := func(name, help string, get func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Namespace: "flin", Subsystem: "queue", Name: name, Help: help}, get)
	}
	count := func(name, help string, get func() uint64) prometheus.Collector {
		return prometheus.NewCounterFunc(prometheus.CounterOpts{Namespace: "flin", Subsystem: "queue", Name: name, Help: help},
			func() float64 { return float64(get()) })
	}
	return []prometheus.Collector{
		gauge("pops_waiting", "Pops and leases that wait for a message.", func() float64 { return float64(e.pops.parked.Load()) }),
		gauge("reads_waiting", "Reads of messages that wait for a worker.", func() float64 { n, _ := e.pool.Waiting(); return float64(n) }),
		gauge("reads_running", "Reads of messages on a worker.", func() float64 { _, n := e.pool.Waiting(); return float64(n) }),
		gauge("revision", "Revision of the newest command applied here.", func() float64 { return float64(e.st.Applied().Revision) }),
		count("ticked_total", "Messages that ticks of this node have moved or removed because their time was over.", e.ticked.Load),
		count("returned_total", "Messages put back because the client they were for had gone.", e.pops.returned.Load),
		count("return_failures_total", "Messages that could not be put back; leased ones come back when the lease runs out.", e.pops.lost.Load),
		newTotals(e.machine),
		e.st.Collector("queue"),
	}
}

// totals says how the queues are, all figures of one moment. What is counted goes when its queue is deleted, so that no
// figure is a counter.
type totals struct {
	machine *fsm.Machine
	figures []figure
}

type figure struct {
	desc *prometheus.Desc
	get  func(*fsm.Totals) float64
}

func newTotals(m *fsm.Machine) *totals {
	c := &totals{machine: m}
	add := func(name, help string, get func(*fsm.Totals) float64) {
		c.figures = append(c.figures, figure{prometheus.NewDesc("flin_queue_"+name, help, nil, nil), get})
	}
	add("queues", "Queues.", func(t *fsm.Totals) float64 { return float64(t.Queues) })
	add("messages_ready", "Messages that can be delivered.", func(t *fsm.Totals) float64 { return float64(t.Ready) })
	add("messages_delayed", "Messages whose time has not come.", func(t *fsm.Totals) float64 { return float64(t.Delayed) })
	add("messages_leased", "Messages that somebody works on.", func(t *fsm.Totals) float64 { return float64(t.Leased) })
	add("messages_pushed", "Messages pushed into the queues that are there, since they were made.", func(t *fsm.Totals) float64 { return float64(t.Pushed) })
	add("messages_popped", "Messages taken or leased, likewise.", func(t *fsm.Totals) float64 { return float64(t.Popped) })
	add("messages_acked", "Messages taken or acknowledged, likewise.", func(t *fsm.Totals) float64 { return float64(t.Acked) })
	add("messages_died", "Messages given up, likewise.", func(t *fsm.Totals) float64 { return float64(t.Died) })
	add("messages_dropped", "Messages that expired or made room, likewise.", func(t *fsm.Totals) float64 { return float64(t.Dropped) })
	add("chunks", "Chunks that the messages are stored in.", func(t *fsm.Totals) float64 { return float64(t.Chunks) })
	add("cached_bytes", "Memory of decoded chunks.", func(t *fsm.Totals) float64 { return float64(t.CachedBytes) })
	return c
}

// Describe names the figures.
func (c *totals) Describe(ch chan<- *prometheus.Desc) {
	for _, f := range c.figures {
		ch <- f.desc
	}
}

// Collect reads them.
func (c *totals) Collect(ch chan<- prometheus.Metric) {
	t := c.machine.Totals()
	for _, f := range c.figures {
		ch <- prometheus.MustNewConstMetric(f.desc, prometheus.GaugeValue, f.get(&t))
	}
}
