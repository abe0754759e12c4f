package front

import "github.com/prometheus/client_golang/prometheus"

type metrics struct {
	open     *prometheus.GaugeVec   // by protocol
	total    *prometheus.CounterVec // by protocol
	rejected *prometheus.CounterVec // by first byte
	refused  *prometheus.CounterVec // by reason
}

func newMetrics() *metrics {
	return &metrics{
		open: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "flin_connections", Help: "Open client connections, by protocol; silent ones have not said anything yet.",
		}, []string{"protocol"}),
		total: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "flin_connections_total", Help: "Client connections whose protocol was recognised, by protocol.",
		}, []string{"protocol"}),
		rejected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "flin_detect_rejected_total", Help: "Client connections whose protocol was not recognised, by their first byte (hexadecimal).",
		}, []string{"first_byte"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "flin_connections_refused_total",
			Help: "Client connections that were closed: limit (-max-connections), protected (no password), unserved (no server for the protocol), stalled (answers are not read).",
		}, []string{"reason"}),
	}
}

// Collectors returns the metrics of the front and of the protocols that it made itself.
func (f *Front) Collectors() []prometheus.Collector {
	m := f.metrics
	all := []prometheus.Collector{
		m.open, m.total, m.rejected, m.refused,
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "flin_connections_memory_bytes", Help: "What long requests and unread answers take beyond the connections' ordinary buffers.",
		}, func() float64 { return float64(f.cfg.Limits.Budget.Used()) }),
	}
	return append(append(all, f.native.Collectors()...), f.cfg.Slow.Collectors()...)
}
