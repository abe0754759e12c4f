package replica

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are a group's counters and histograms; gauges are read when they are asked for.
type metrics struct {
	fsync  prometheus.Histogram
	apply  prometheus.Histogram
	logged atomic.Uint64 // bytes written to the log
	cuts   atomic.Uint64 // snapshots taken
}

// buckets go from 50 µs to 3.3 s.
func buckets() []float64 { return prometheus.ExponentialBuckets(50e-6, 2, 17) }

func newMetrics(group string) *metrics {
	labels := prometheus.Labels{"group": group}
	return &metrics{
		fsync: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "flin_raft_log_write_seconds", Help: "Time until entries were on disk in the Raft log.", ConstLabels: labels, Buckets: buckets(),
		}),
		apply: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "flin_raft_apply_seconds", Help: "Time to apply a batch of committed entries.", ConstLabels: labels, Buckets: buckets(),
		}),
	}
}

// series is one figure that is read when it is asked for.
type series struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func(s *Status) float64
}

// gauges collects a group's Status.
type gauges struct {
	g    *Group
	list []series
}

func newGauges(g *Group) *gauges {
	c := &gauges{g: g}
	add := func(name, help string, kind prometheus.ValueType, read func(s *Status) float64) {
		c.list = append(c.list, series{
			desc: prometheus.NewDesc("flin_raft_"+name, help, nil, prometheus.Labels{"group": g.cfg.Name}), kind: kind, read: read,
		})
	}
	flag := func(v bool) float64 {
		if v {
			return 1
		}
		return 0
	}
	add("leader", "1 on the node that leads the group.", prometheus.GaugeValue, func(s *Status) float64 { return flag(s.Role == "leader") })
	add("ready", "1 when this node serves the group.", prometheus.GaugeValue, func(s *Status) float64 { return flag(s.Ready) })
	add("term", "The Raft term.", prometheus.GaugeValue, func(s *Status) float64 { return float64(s.Term) })
	add("voters", "Voters of the group.", prometheus.GaugeValue, func(s *Status) float64 { return float64(s.Voters()) })
	add("applied_index", "Index of the last applied entry.", prometheus.GaugeValue, func(s *Status) float64 { return float64(s.Applied) })
	add("commit_index", "Index of the last committed entry.", prometheus.GaugeValue, func(s *Status) float64 { return float64(s.Commit) })
	add("last_index", "Index of the last entry in the log.", prometheus.GaugeValue, func(s *Status) float64 { return float64(s.Last) })
	add("revision", "The group's revision.", prometheus.GaugeValue, func(s *Status) float64 { return float64(s.Revision) })
	add("log_bytes_total", "Bytes written to the Raft log.", prometheus.CounterValue, func(s *Status) float64 { return float64(s.LogBytes) })
	add("snapshots_total", "Times the log was cut.", prometheus.CounterValue, func(s *Status) float64 { return float64(s.Snapshots) })
	add("commands_total", "Commands applied.", prometheus.CounterValue, func(s *Status) float64 { return float64(s.Commands) })
	add("proposals_total", "Commands proposed here.", prometheus.CounterValue, func(s *Status) float64 { return float64(s.Proposed) })
	add("proposals_failed_total", "Commands proposed here that were not executed, or whose outcome is unknown.", prometheus.CounterValue, func(s *Status) float64 { return float64(s.Failed) })
	add("proposals_waiting", "Commands that wait for an entry.", prometheus.GaugeValue, func(s *Status) float64 { return float64(s.Waiting) })
	add("entries_in_flight", "Entries on their way.", prometheus.GaugeValue, func(s *Status) float64 { return float64(s.InFlight) })
	return c
}

// Describe sends the descriptions of all series.
func (c *gauges) Describe(ch chan<- *prometheus.Desc) {
	for _, s := range c.list {
		ch <- s.desc
	}
}

// Collect reads all series.
func (c *gauges) Collect(ch chan<- prometheus.Metric) {
	st := c.g.Status()
	for _, s := range c.list {
		ch <- prometheus.MustNewConstMetric(s.desc, s.kind, s.read(&st))
	}
}

// Collectors returns what the group has to show to Prometheus. Names begin with flin_raft_, the label is group.
func (g *Group) Collectors() []prometheus.Collector {
	return []prometheus.Collector{g.met.fsync, g.met.apply, newGauges(g)}
}
