package doc

import (
	"fmt"
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// TestWhatAPipelineHoldsCountsForItsCursor: a cursor may rest for minutes, and its stages with it.
func TestWhatAPipelineHoldsCountsForItsCursor(t *testing.T) {
	w := worlds.New(t, func(c *Config) { c.CursorMemory = 20 << 20 })
	const n, size = 3000, 1000
	var docs []string
	for i := range n {
		docs = append(docs, fmt.Sprintf(`{"_id": %d, "s": "%0*d"}`, i, size, i))
	}
	w.insert("c", docs...)
	open := func(pipeline string) wire.Response {
		t.Helper()
		return w.Do(wire.OpDocAggregate, &wire.DocAggregate{Name: name("c"), Batch: 1, Pipeline: js(t, pipeline)}, 0)
	}
	const join = `{"$lookup": {"from": "c", "localField": "_id", "foreignField": "_id", "as": "j"}}`
	for _, c := range []struct {
		pipeline string
		least    int64
	}{
		{`[{"$sort": {"s": 1}}]`, n * size},
		{`[{"$group": {"_id": "$_id", "s": {"$first": "$s"}}}]`, n * size},
		{`[` + join + `]`, n * size},
		{`[{"$sort": {"s": 1}}, ` + join + `]`, 2 * n * size},
	} {
		resp := open(c.pipeline)
		if k, held := w.cursors.load(); resp.Code != wire.OK || k != 1 || held < c.least {
			t.Errorf("%s: %v, and %d cursors hold %d bytes", c.pipeline, resp.Code, k, held)
		}
		w.Must(wire.OpDocKill, &wire.DocKill{Cursors: []uint64{uint64(resp.Num)}})
	}
	resp := wire.Response{}
	for k := 0; k < 10 && resp.Code == wire.OK; k++ {
		resp = open(`[{"$sort": {"s": 1}}]`)
	}
	if resp.Code != wire.Full || !strings.Contains(string(resp.Body), "cursors hold") {
		t.Errorf("more than all cursors may hold: %v %.100q", resp.Code, resp.Body)
	}
}
