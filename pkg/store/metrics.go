package store

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/skshohagmiah/flin/pkg/obs"
)

// Collector returns the metrics of the store of the named engine: flin_<engine>_store_….
func (s *Store) Collector(engine string) prometheus.Collector {
	m := obs.NewMoment("flin_"+engine+"_store_", nil, s.Stats)
	m.Gauge("keys", "Estimate of living entries.", func(s *Stats) float64 { return float64(s.Keys) })
	m.Gauge("tombstones", "Estimate of deletions still on disk.", func(s *Stats) float64 { return float64(s.Tombstones) })
	m.Gauge("table_bytes", "Bytes not flushed yet.", func(s *Stats) float64 { return float64(s.TableBytes) })
	m.Gauge("tables_queued", "Tables that wait for their flush.", func(s *Stats) float64 { return float64(s.TablesQueued) })
	m.Counter("flushes_total", "Flushes that have finished.", func(s *Stats) float64 { return float64(s.Flushes) })
	m.Counter("flush_seconds_total", "Time of all flushes.", func(s *Stats) float64 { return s.FlushTime.Seconds() })
	m.Gauge("blob_files", "Blob files.", func(s *Stats) float64 { return float64(s.BlobFiles) })
	m.Gauge("blob_live_bytes", "Estimate of blob bytes pointed to.", func(s *Stats) float64 { return float64(s.BlobLive) })
	m.Gauge("blob_dead_bytes", "Estimate of blob bytes not pointed to.", func(s *Stats) float64 { return float64(s.BlobDead) })
	m.Counter("cache_hits_total", "Reads that the cache answered.", func(s *Stats) float64 { return float64(s.CacheHits) })
	m.Counter("cache_misses_total", "Reads that went to disk.", func(s *Stats) float64 { return float64(s.CacheMisses) })
	m.Gauge("cache_bytes", "Memory of the read cache.", func(s *Stats) float64 { return float64(s.CacheBytes) })
	return m
}
