package doc

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skshohagmiah/flin/docd/doc/internal/fsm"
	"github.com/skshohagmiah/flin/pkg/obs"
)

// figures count what requests have cost.
type figures struct {
	points     atomic.Uint64 // finds without a plan
	keys, docs atomic.Uint64 // examined along plans
	built      atomic.Uint64
}

// examined adds up what a scan has looked at since it was last told of.
func (f *figures) examined(s *scan) {
	f.keys.Add(uint64(s.keys - s.told.keys))
	f.docs.Add(uint64(s.docs - s.told.docs))
	s.told.keys, s.told.docs = s.keys, s.docs
}

// Collectors returns the engine's metrics.
func (e *Engine) Collectors() []prometheus.Collector {
	of := obs.Of("doc")
	return []prometheus.Collector{
		of.Gauge("requests_waiting", "Requests that wait for a worker.", func() float64 { n, _ := e.pool.Waiting(); return float64(n) }),
		of.Gauge("requests_running", "Requests on a worker.", func() float64 { _, n := e.pool.Waiting(); return float64(n) }),
		of.Gauge("cursors", "Cursors that are open.", func() float64 { n, _ := e.cursors.load(); return float64(n) }),
		of.Gauge("cursor_bytes", "Bytes that open cursors hold.", func() float64 { _, n := e.cursors.load(); return float64(n) }),
		of.Gauge("transactions", "Transactions that are open.", func() float64 { n, _ := e.txns.load(); return float64(n) }),
		of.Gauge("transaction_bytes", "Bytes that they have written.", func() float64 { _, n := e.txns.load(); return float64(n) }),
		of.Counter("transactions_committed_total", "Transactions that were committed.", e.txns.commits.Load),
		of.Counter("transactions_aborted_total", "Transactions that have ended otherwise.", e.txns.aborts.Load),
		of.Counter("transaction_conflicts_total", "Of them those that wrote what somebody else had written since they began.", e.txns.conflicts.Load),
		of.Gauge("watches", "Watches that are open.", func() float64 { return float64(e.hub.Count()) }),
		of.Gauge("revision", "Revision of the newest command applied here.", func() float64 { return float64(e.st.Applied().Revision) }),
		of.Counter("point_reads_total", "Finds without a plan: of a document by its _id, or of a few by a key of an index.", e.figures.points.Load),
		of.Counter("keys_examined_total", "Keys of indexes, and documents in the order of their _ids, that other requests have looked at.", e.figures.keys.Load),
		of.Counter("documents_examined_total", "Documents that they have looked at.", e.figures.docs.Load),
		of.Counter("indexed_documents_total", "Documents that this node has added to indexes under construction.", e.figures.built.Load),
		of.Counter("expired_documents_total", "Documents that this node has removed because their time by a TTL index had come.", e.expired.Load),
		newTotals(e.machine),
		e.st.Collector("doc"),
	}
}

// newTotals says how collections are, all figures of one moment.
func newTotals(machine *fsm.Machine) prometheus.Collector {
	m := obs.NewMoment("flin_doc_", nil, machine.Totals)
	m.Gauge("databases", "Databases.", func(t *fsm.Totals) float64 { return float64(t.Databases) })
	m.Gauge("collections", "Collections of all databases.", func(t *fsm.Totals) float64 { return float64(t.Collections) })
	m.Gauge("indexes", "Indexes, besides those of _id.", func(t *fsm.Totals) float64 { return float64(t.Indexes) })
	m.Gauge("indexes_building", "Indexes that are being built.", func(t *fsm.Totals) float64 { return float64(t.Building) })
	m.Gauge("documents", "Documents.", func(t *fsm.Totals) float64 { return float64(t.Documents) })
	m.Gauge("document_bytes", "Bytes of them.", func(t *fsm.Totals) float64 { return float64(t.Bytes) })
	m.Gauge("feeds", "Collections and databases whose changes are recorded for watches.", func(t *fsm.Totals) float64 { return float64(t.Feeds) })
	m.Gauge("change_chunks", "Chunks of recorded changes: one for each command, several for one with large changes.", func(t *fsm.Totals) float64 { return float64(t.Chunks) })
	m.Gauge("change_bytes", "Bytes of recorded changes.", func(t *fsm.Totals) float64 { return float64(t.ChunkBytes) })
	m.Gauge("index_entries", "Entries of all indexes.", func(t *fsm.Totals) float64 { return float64(t.Entries) })
	return m
}
