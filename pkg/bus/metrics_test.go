package bus_test

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skshohagmiah/flin/pkg/bus"
	"github.com/skshohagmiah/flin/pkg/bus/bustest"
	"github.com/skshohagmiah/flin/pkg/internal/memkv"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// read returns the figures of a registry, by name and the labels that have these values, or have none of them.
func read(t *testing.T, reg *prometheus.Registry) func(name string, labels ...string) float64 {
	t.Helper()
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	return func(name string, labels ...string) float64 {
		t.Helper()
		for _, f := range families {
			for _, m := range f.GetMetric() {
				var values []string
				for _, l := range m.GetLabel() {
					values = append(values, l.GetValue())
				}
				if f.GetName() == name && strings.Join(values, " ") == strings.Join(labels, " ") {
					return m.GetGauge().GetValue() + m.GetCounter().GetValue()
				}
			}
		}
		t.Errorf("there is no %s with labels %v", name, labels)
		return 0
	}
}

func TestWhatTheBusDoesIsCounted(t *testing.T) {
	ns := bustest.NATS(t, nil)
	daemon, router := bustest.Dial(t, ns.URL()), bustest.Dial(t, ns.URL())
	reg := prometheus.NewRegistry()
	add := func(all []prometheus.Collector) {
		for _, c := range all {
			reg.MustRegister(c)
		}
	}
	server := bustest.Serve(t, daemon, wire.EngineKV, memkv.New(), nil)
	far := bustest.Engine(t, router, wire.EngineKV, func(c *bus.EngineConfig) { c.MaxRequest = 1 << 20 })
	other := bustest.Engine(t, router, wire.EngineQueue, nil) // two of a kind must not be confused
	add(server.Collectors())
	add(far.Collectors())
	add(other.Collectors())
	add(router.Collectors())
	do(t, far, set("k", string(make([]byte, 600<<10))))
	do(t, far, get("k"))
	do(t, far, wire.Request{Op: wire.OpKVSet, Body: make([]byte, 2<<20)})
	do(t, far, wire.Request{Op: wire.OpKVSet, Deadline: wire.Clock() - int64(time.Second)})
	get := read(t, reg)
	for _, side := range []string{"flin_bus_server_", "flin_bus_engine_"} {
		for _, test := range []struct {
			name   string
			labels []string
			least  float64
			most   float64
		}{
			{"links", []string{"kv", "0"}, 1, 1},
			{"links_total", []string{"kv", "0"}, 1, 1},
			{"links_ended_total", []string{"kv", "0"}, 0, 0},
			{"leader", []string{"kv", "0"}, 1, 1},
			{"requests_open", []string{"kv", "0"}, 0, 0},
			{"requests_total", []string{"kv", "0"}, 2, 2},
			{"answers_total", []string{"kv", "0"}, 2, 2},
			{"bytes_total", []string{"sent", "kv", "0"}, 600 << 10, 700 << 10},
			{"bytes_total", []string{"received", "kv", "0"}, 600 << 10, 700 << 10},
			{"messages_total", []string{"sent", "kv", "0"}, 2, 20},
			{"pieces_total", []string{"received", "kv", "0"}, 2, 4},
		} {
			if v := get(side+test.name, test.labels...); v < test.least || v > test.most {
				t.Errorf("%s%s %v is %v, not between %v and %v", side, test.name, test.labels, v, test.least, test.most)
			}
		}
	}
	for reason, want := range map[string]float64{"too-large": 1, "late": 1, "busy": 0} {
		if v := get("flin_bus_engine_refused_total", "kv", "0", reason); v != want {
			t.Errorf("%v requests were refused as %s, not %v", v, reason, want)
		}
	}
	if v := get("flin_bus_connected"); v != 1 {
		t.Errorf("flin_bus_connected is %v", v)
	}
}
