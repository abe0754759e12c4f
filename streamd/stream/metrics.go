package stream

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/skshohagmiah/flin/pkg/obs"
	"github.com/skshohagmiah/flin/streamd/stream/internal/fsm"
)

// Collectors returns the engine's metrics.
func (e *Engine) Collectors() []prometheus.Collector {
	of := obs.Of("stream")
	return []prometheus.Collector{
		of.Gauge("calls_parked", "Fetches and consumes that wait for records.", func() float64 { return float64(e.calls.waiting.Load()) }),
		of.Gauge("calls_waiting", "Fetches and consumes that wait for a worker.", func() float64 { n, _ := e.calls.crew.load(); return float64(n) }),
		of.Gauge("calls_running", "Fetches and consumes on a worker.", func() float64 { _, n := e.calls.crew.load(); return float64(n) }),
		of.Gauge("reads_waiting", "Other slow reads that wait for a worker.", func() float64 { n, _ := e.pool.Waiting(); return float64(n) }),
		of.Gauge("reads_running", "Other slow reads on a worker.", func() float64 { _, n := e.pool.Waiting(); return float64(n) }),
		of.Gauge("gathered_bytes", "Bytes of records that wait to be compressed, or for the log behind others.", func() float64 { return float64(e.pressing.Load()) }),
		of.Gauge("revision", "Revision of the newest command applied here.", func() float64 { return float64(e.st.Applied().Revision) }),
		of.Counter("members_evicted_total", "Members of groups that this node has removed because they had stopped.", e.evicted.Load),
		of.Counter("batches_retired_total", "Batches that this node has removed because their topics keep them no longer.", e.retained.Load),
		newTotals(e.machine),
		e.st.Collector("stream"),
	}
}

// newTotals says how topics and groups are, all figures of one moment.
func newTotals(machine *fsm.Machine) prometheus.Collector {
	m := obs.NewMoment("flin_stream_", nil, machine.Totals)
	m.Gauge("topics", "Topics.", func(t *fsm.Totals) float64 { return float64(t.Topics) })
	m.Gauge("partitions", "Partitions of all topics.", func(t *fsm.Totals) float64 { return float64(t.Partitions) })
	m.Gauge("batches", "Record batches that are kept.", func(t *fsm.Totals) float64 { return float64(t.Batches) })
	m.Gauge("bytes", "Bytes of them.", func(t *fsm.Totals) float64 { return float64(t.Bytes) })
	m.Gauge("records", "Records in them.", func(t *fsm.Totals) float64 { return float64(t.Records) })
	m.Gauge("groups", "Consumer groups.", func(t *fsm.Totals) float64 { return float64(t.Groups) })
	m.Gauge("members", "Members of consumer groups.", func(t *fsm.Totals) float64 { return float64(t.Members) })
	m.Gauge("producers", "Pairs of an idempotent producer and a partition that are remembered.", func(t *fsm.Totals) float64 { return float64(t.Producers) })
	m.Counter("appended_records_total", "Records appended since the process began.", func(t *fsm.Totals) float64 { return float64(t.AppendedRecords) })
	m.Counter("appended_bytes_total", "Bytes of the batches appended since the process began.", func(t *fsm.Totals) float64 { return float64(t.AppendedBytes) })
	return m
}
