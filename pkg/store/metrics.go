package store

import "github.com/prometheus/client_golang/prometheus"

// collector says what a store says of itself, all figures of one moment.
type collector struct {
	st      *Store
	figures []figure
}

type figure struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	get  func(*Stats) float64
}

// Collector returns the metrics of the store of the named engine: flin_<engine>_store_….
func (s *Store) Collector(engine string) prometheus.Collector {
	c := &collector{st: s}
	add := func(kind prometheus.ValueType, name, help string, get func(*Stats) float64) {
		c.figures = append(c.figures, figure{prometheus.NewDesc("flin_"+engine+"_store_"+name, help, nil, nil), kind, get})
	}
	g, n := prometheus.GaugeValue, prometheus.CounterValue
	add(g, "keys", "Estimate of living entries.", func(s *Stats) float64 { return float64(s.Keys) })
	add(g, "tombstones", "Estimate of deletions still on disk.", func(s *Stats) float64 { return float64(s.Tombstones) })
	add(g, "table_bytes", "Bytes not flushed yet.", func(s *Stats) float64 { return float64(s.TableBytes) })
	add(g, "tables_queued", "Tables that wait for their flush.", func(s *Stats) float64 { return float64(s.TablesQueued) })
	add(n, "flushes_total", "Flushes that have finished.", func(s *Stats) float64 { return float64(s.Flushes) })
	add(n, "flush_seconds_total", "Time of all flushes.", func(s *Stats) float64 { return s.FlushTime.Seconds() })
	add(g, "blob_files", "Blob files.", func(s *Stats) float64 { return float64(s.BlobFiles) })
	add(g, "blob_live_bytes", "Estimate of blob bytes pointed to.", func(s *Stats) float64 { return float64(s.BlobLive) })
	add(g, "blob_dead_bytes", "Estimate of blob bytes not pointed to.", func(s *Stats) float64 { return float64(s.BlobDead) })
	add(n, "cache_hits_total", "Reads that the cache answered.", func(s *Stats) float64 { return float64(s.CacheHits) })
	add(n, "cache_misses_total", "Reads that went to disk.", func(s *Stats) float64 { return float64(s.CacheMisses) })
	add(g, "cache_bytes", "Memory of the read cache.", func(s *Stats) float64 { return float64(s.CacheBytes) })
	return c
}

// Describe names the figures.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, f := range c.figures {
		ch <- f.desc
	}
}

// Collect reads them.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	s := c.st.Stats()
	for _, f := range c.figures {
		ch <- prometheus.MustNewConstMetric(f.desc, f.kind, f.get(&s))
	}
}
