package replica

import (
	"testing"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/raft"
	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestTrailingEntriesAreCountedFromBytes(t *testing.T) {
	var marks []mark
	for i := uint64(1); i <= 100; i++ {
		marks = addMark(marks, i, markBytes/2) // one mark for two entries
	}
	for _, c := range []struct {
		limit int64
		want  uint64
	}{{0, 0}, {markBytes - 1, 0}, {markBytes, 2}, {10 * markBytes, 20}, {1000 * markBytes, 100}} {
		if got := trailing(marks, 100, c.limit); got != c.want {
			t.Errorf("%d bytes are %d entries, want %d", c.limit, got, c.want)
		}
	}
	marks = cutHead(marks, 50)
	if got := trailing(marks, 100, 1000*markBytes); got != 50 {
		t.Errorf("after a cut at 50 there are %d entries", got)
	}
	marks = cutTail(marks, 91)
	if got := trailing(marks, 90, 1000*markBytes); got != 40 {
		t.Errorf("after the tail was cut at 91 there are %d entries", got)
	}
	if got := trailing(nil, 90, 1); got != 0 {
		t.Errorf("without marks: %d", got)
	}
}

func TestRecentEntriesAreBoundedByBytes(t *testing.T) {
	r := recentLog{limit: 10 * 1400}
	for i := uint64(1); i <= 5000; i++ {
		r.add(&raft.Log{Index: i, Data: make([]byte, 1000)})
	}
	var l raft.Log
	if r.get(4990, &l) || !r.get(4991, &l) || l.Index != 4991 || !r.get(5000, &l) || r.get(5001, &l) {
		t.Fatalf("kept %d entries, last read %d", len(r.logs)-r.head, l.Index)
	}
	if len(r.logs) > 4096 {
		t.Fatalf("%d places for 10 entries", len(r.logs))
	}
	r.add(&raft.Log{Index: 7}) // another history
	if r.get(5000, &l) || !r.get(7, &l) {
		t.Fatal("entries of two histories are kept")
	}
	r.setLimit(0)
	if r.get(7, &l) {
		t.Fatal("something is kept without room")
	}
}

func TestEveryMetricCanBeCollected(t *testing.T) {
	n := single(t)
	n.fill(0, 10)
	until(t, "the last entry is applied to its end", func() bool { return n.Status().Revision == 20 })
	reg := prometheus.NewPedanticRegistry()
	for _, c := range n.Collectors() {
		ok(t, reg.Register(c))
	}
	families, err := reg.Gather()
	ok(t, err)
	got := map[string]float64{}
	for _, f := range families {
		m := f.GetMetric()[0]
		got[f.GetName()] = m.GetGauge().GetValue() + m.GetCounter().GetValue() + float64(m.GetHistogram().GetSampleCount())
	}
	if got["flin_raft_revision"] != 20 || got["flin_raft_commands_total"] != 20 || got["flin_raft_leader"] != 1 || got["flin_raft_log_write_seconds"] == 0 {
		t.Fatalf("%v", got)
	}
}

func TestRaftsLogLinesReachZapOneLevelLower(t *testing.T) {
	core, logs := observer.New(zap.DebugLevel)
	h := newHclog(zap.New(core), false).Named("raft").With("id", "a")
	h.Error("e", "n", 1)
	h.Warn("w", "servers", hclog.Fmt("%v", []int{1, 2}))
	h.Info("i")
	want := []struct{ level, msg string }{{"warn", "e"}, {"info", "w"}, {"debug", "i"}}
	for i, e := range logs.All() {
		if e.Level.String() != want[i].level || e.Message != want[i].msg || e.ContextMap()["id"] != "a" || e.LoggerName != "raft" {
			t.Errorf("line %d: %+v", i, e)
		}
	}
	if got := logs.All()[1].ContextMap()["servers"]; got != "[1 2]" {
		t.Errorf("a formatted value is %v", got)
	}
	quiet := newHclog(zap.New(core), true)
	quiet.Error("q")
	if e := logs.All()[3]; e.Level != zap.DebugLevel {
		t.Errorf("a quiet logger writes at %s", e.Level)
	}
}

func TestLanesTakeTurnsByBytes(t *testing.T) {
	var l lanes
	small, large := newCollector(), newCollector()
	for i := range uint64(100) {
		l.add(&wire.Request{Op: opSet, Tag: i, Body: make([]byte, 8<<10)}, false, large, large, 0)
		l.add(&wire.Request{Op: opSet, Tag: i, Body: make([]byte, 1<<10)}, false, small, small, 0)
	}
	b := &batch{}
	l.refill(b, 0, 128<<10)
	bytes := map[wire.Replier]int{}
	from := entryHead
	for _, c := range b.cmds {
		bytes[c.r] += c.end - from
		from = c.end
	}
	if s, g := bytes[small], bytes[large]; s < 40<<10 || g > s+3*quantum {
		t.Fatalf("a full batch has %d bytes of small commands and %d of large ones", s, g)
	}
	for l.live > 0 {
		b.reset()
		l.refill(b, 0, 256<<10)
	}
	if l.bytes != 0 || len(l.ring) != 0 || len(l.by) != 0 {
		t.Fatalf("%d bytes are left", l.bytes)
	}
}
