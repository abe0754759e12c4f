package replica

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skshohagmiah/flin/pkg/obs"
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

// newGauges collects a group's Status.
func newGauges(g *Group) prometheus.Collector {
	m := obs.NewMoment("flin_raft_", prometheus.Labels{"group": g.cfg.Name}, g.Status)
	flag := func(v bool) float64 {
		if v {
			return 1
		}
		return 0
	}
	m.Gauge("leader", "1 on the node that leads the group.", func(s *Status) float64 { return flag(s.Role == "leader") })
	m.Gauge("ready", "1 when this node serves the group.", func(s *Status) float64 { return flag(s.Ready) })
	m.Gauge("term", "The Raft term.", func(s *Status) float64 { return float64(s.Term) })
	m.Gauge("voters", "Voters of the group.", func(s *Status) float64 { return float64(s.Voters()) })
	m.Gauge("applied_index", "Index of the last applied entry.", func(s *Status) float64 { return float64(s.Applied) })
	m.Gauge("commit_index", "Index of the last committed entry.", func(s *Status) float64 { return float64(s.Commit) })
	m.Gauge("last_index", "Index of the last entry in the log.", func(s *Status) float64 { return float64(s.Last) })
	m.Gauge("revision", "The group's revision.", func(s *Status) float64 { return float64(s.Revision) })
	m.Counter("log_bytes_total", "Bytes written to the Raft log.", func(s *Status) float64 { return float64(s.LogBytes) })
	m.Counter("snapshots_total", "Times the log was cut.", func(s *Status) float64 { return float64(s.Snapshots) })
	m.Counter("commands_total", "Commands applied.", func(s *Status) float64 { return float64(s.Commands) })
	m.Counter("proposals_total", "Commands proposed here.", func(s *Status) float64 { return float64(s.Proposed) })
	m.Counter("proposals_failed_total", "Commands proposed here that were not executed, or whose outcome is unknown.", func(s *Status) float64 { return float64(s.Failed) })
	m.Gauge("proposals_waiting", "Commands that wait for an entry.", func(s *Status) float64 { return float64(s.Waiting) })
	m.Gauge("entries_in_flight", "Entries on their way.", func(s *Status) float64 { return float64(s.InFlight) })
	return m
}

// Collectors returns what the group has to show to Prometheus. Names begin with flin_raft_, the label is group.
func (g *Group) Collectors() []prometheus.Collector {
	return []prometheus.Collector{g.met.fsync, g.met.apply, newGauges(g)}
}
