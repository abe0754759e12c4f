package main

import (
	"regexp"
	"strings"
	"testing"
	"time"
)

func TestOnlyRowsWithJetStreamNeedNATS(t *testing.T) {
	n := 0
	for _, r := range plan(&lab{scale: 1}) {
		named := strings.Contains(r.name, "JetStream") || strings.Contains(r.name, "NATS r") || strings.Contains(r.name, "nats-server") || strings.HasPrefix(r.name, "queue: disk")
		if r.needsNATS() != named {
			t.Errorf("row %q needs nats-server: %v", r.name, r.needsNATS())
		}
		if named {
			n++
		}
	}
	if n == 0 {
		t.Error("no row has JetStream")
	}
}

func TestTheRowsOfQueuesAreChosenByTheirName(t *testing.T) {
	rows := choose(plan(&lab{scale: 1}), options{}, regexp.MustCompile("queue"))
	if len(rows) != len(queueRows(&lab{scale: 1})) {
		t.Errorf("-only queue chooses %d rows", len(rows))
	}
	for _, r := range rows {
		if !strings.HasPrefix(r.name, "queue: ") {
			t.Errorf("-only queue chooses %q", r.name)
		}
	}
}

func TestAmountsAreWholeBatchesAndBounded(t *testing.T) {
	for _, c := range []struct {
		scale, amount float64
		want          uint64
	}{{1, 10_000_000, 10_000_000}, {0.01, 10_000_000, 100_000}, {0.0001, 1_000_000, 1000}, {1, 1234, 1000}, {1, 1777, 1500}} {
		l := &lab{scale: c.scale}
		if got := l.amount(c.amount); got != c.want || got%queueBatch != 0 || got%refillStep != 0 {
			t.Errorf("-scale %v makes %d of %v, not %d", c.scale, got, c.amount, c.want)
		}
	}
	l := &lab{scale: 1, seconds: time.Hour}
	if got := l.toFill(workBatch); got != mostFill {
		t.Errorf("an hour is filled with %d messages", got)
	}
}
