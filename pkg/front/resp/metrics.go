package resp

import "github.com/prometheus/client_golang/prometheus"

// metrics shows the server's figures to Prometheus. They are read when they are asked for; counting costs nothing more.
type metrics struct {
	s                                            *Server
	commands, errors, connections, accepted      *prometheus.Desc
	hits, misses, tracked, followers, invalidate *prometheus.Desc
}

// Collectors returns the metrics of this front.
func (s *Server) Collectors() []prometheus.Collector {
	desc := func(name, help string, labels ...string) *prometheus.Desc {
		return prometheus.NewDesc("flin_resp_"+name, help, labels, nil)
	}
	return []prometheus.Collector{&metrics{
		s:           s,
		commands:    desc("commands_total", "Commands run, by name.", "command"),
		errors:      desc("errors_total", "Error replies, by their first word.", "kind"),
		connections: desc("connections", "Connections that are open."),
		accepted:    desc("connections_total", "Connections accepted."),
		hits:        desc("keyspace_hits_total", "Lookups that found their key."),
		misses:      desc("keyspace_misses_total", "Lookups that did not find their key."),
		tracked:     desc("tracked_keys", "Keys that clients are told about when they change, times clients."),
		followers:   desc("tracking_clients", "Clients that track keys."),
		invalidate:  desc("invalidations_total", "Messages to clients that keys have changed."),
	}}
}

// Describe is part of prometheus.Collector.
func (m *metrics) Describe(ch chan<- *prometheus.Desc) { m.describe(ch) }

// Collect is part of prometheus.Collector.
func (m *metrics) Collect(ch chan<- prometheus.Metric) {
	send := func(d *prometheus.Desc, kind prometheus.ValueType, v uint64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, kind, float64(v), labels...)
	}
	st := &m.s.stats
	for _, cmd := range m.s.commands.all {
		if n := st.calls[cmd.index].Load(); n > 0 {
			send(m.commands, prometheus.CounterValue, n, cmd.full)
		}
	}
	kinds, _ := st.failures()
	for kind, n := range kinds {
		send(m.errors, prometheus.CounterValue, n, kind)
	}
	hits, misses := st.keyspace()
	send(m.hits, prometheus.CounterValue, hits)
	send(m.misses, prometheus.CounterValue, misses)
	send(m.accepted, prometheus.CounterValue, st.accepted.Load())
	send(m.invalidate, prometheus.CounterValue, st.invalidations.Load())
	send(m.connections, prometheus.GaugeValue, uint64(m.s.clients.len()))
	send(m.tracked, prometheus.GaugeValue, uint64(max(0, m.s.tracker.table.size.Load())))
	m.s.tracker.mu.Lock()
	followers := len(m.s.tracker.members)
	m.s.tracker.mu.Unlock()
	send(m.followers, prometheus.GaugeValue, uint64(followers))
}

func (m *metrics) describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{
		m.commands, m.errors, m.connections, m.accepted, m.hits, m.misses, m.tracked, m.followers, m.invalidate,
	} {
		ch <- d
	}
}
