package fsm

import (
	"fmt"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// countExact is how many keys of a database stats looks at before it estimates the rest.
const countExact = 200_000

// stats serves OpKVStats: lines of a name, a blank and a number. dbN_keys and dbN_expires are there for databases with
// keys; dbN_estimated is 1 where the database has more than were counted.
func stats(q *Query, body []byte, ans *wire.Response) error {
	if len(body) > 1 {
		return wire.Errorf(wire.Invalid, "stats takes no arguments")
	}
	var out []byte
	line := func(name string, v any) { out = fmt.Appendf(out, "%s %v\n", name, v) }
	pos, st := q.m.st.Applied(), q.m.st.Stats()
	line("revision", pos.Revision)
	line("applied_index", pos.Index)
	line("entry_time_ms", pos.Time)
	garbage := uint64(0)
	for _, r := range q.ks.garbage {
		garbage += r.hi - r.lo
	}
	line("uncollected_generations", garbage)
	ring, from := q.m.ring.Stats()
	line("watch_ring_bytes", ring)
	line("watch_oldest_revision", from)
	line("store_keys", st.Keys)
	line("store_tombstones", st.Tombstones)
	line("store_table_keys", st.TableKeys)
	line("store_table_bytes", st.TableBytes)
	line("store_tables_queued", st.TablesQueued)
	line("store_flushes", st.Flushes)
	line("store_flush_seconds", st.FlushTime.Seconds())
	line("store_blob_files", st.BlobFiles)
	line("store_blob_live_bytes", st.BlobLive)
	line("store_blob_dead_bytes", st.BlobDead)
	line("store_cache_hits", st.CacheHits)
	line("store_cache_misses", st.CacheMisses)
	line("store_cache_bytes", st.CacheBytes)
	if err := q.databases(line, st.Keys); err != nil {
		return err
	}
	if q.extra != nil {
		out = q.extra(out)
	}
	ans.Body, ans.Rev = out, pos.Revision
	return nil
}

// databases counts the keys of each database. Where there are too many it estimates: the databases that were counted are
// taken from what the store believes to hold, and the rest is shared evenly among the others.
func (q *Query) databases(line func(string, any), believed int64) error {
	type count struct{ keys, expires, ttl int64 }
	var counts [wire.KVDatabases]count
	large := int64(0)
	var partial [wire.KVDatabases]bool
	for db := range counts {
		c := &counts[db]
		whole, err := q.walk(byte(db), nil, countExact, func(_ []byte, h header) bool {
			c.keys++
			if h.expires != 0 {
				c.expires++
				c.ttl += h.expires - q.now
			}
			return true
		})
		if err != nil {
			return err
		}
		if partial[db] = !whole; !whole {
			large++
		} else {
			believed -= c.keys + c.expires // each expiry has an index entry of its own
		}
	}
	for db := range counts {
		c := &counts[db]
		if c.keys == 0 {
			continue
		}
		ttl := int64(0)
		if c.expires > 0 {
			ttl = c.ttl / c.expires
		}
		if partial[db] {
			// Of the entries that the store believes in, those of the index belong to keys.
			share := believed / large
			keys := max(c.keys, share*c.keys/(c.keys+c.expires))
			c.expires = c.expires * keys / c.keys
			c.keys = keys
			line(fmt.Sprintf("db%d_estimated", db), 1)
		}
		line(fmt.Sprintf("db%d_keys", db), c.keys)
		line(fmt.Sprintf("db%d_expires", db), c.expires)
		line(fmt.Sprintf("db%d_avg_ttl_ms", db), ttl)
	}
	return nil
}
