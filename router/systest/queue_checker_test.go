package systest

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// The depot must see everything that the kill loop of the queues looks for, or its silence means nothing.
func TestTheDepotSeesWhatIsLost(t *testing.T) {
	const maxDeliver = 3
	body := func(seq int64) []byte { _, b := parcelBody("p", seq); return b }
	// lease notes a delivery of message seq of a lease that has begun now and ends in ms.
	lease := func(d *depot, seq int64, attempt int, ms int64) *handover {
		h := &handover{asked: nowMs(), got: nowMs(), attempt: attempt, until: nowMs() + ms}
		d.came("q", body(seq), h)
		return h
	}
	settle := func(d *depot, h *handover, verb settlement, o outcome) {
		d.settling(h, verb)
		d.settled(h, o, false)
	}
	dead := func(d *depot, seq int64, attempts string) {
		d.died("q", body(seq), map[string]string{
			"x-origin-queue": "q", "x-attempts": attempts, "x-last-error": "why", "x-first-enqueued": fmt.Sprint(nowMs()),
		})
	}
	for _, c := range []struct {
		name string
		do   func(d *depot)
		says string // empty: nothing is wrong
	}{
		{"all is dealt with", func(d *depot) {
			settle(d, lease(d, 1, 1, 1000), ack, done)
			settle(d, lease(d, 2, 1, 1000), nack, done)
			settle(d, lease(d, 2, 2, 1000), reject, done)
			dead(d, 2, "2")
		}, ""},
		{"a push is lost", func(d *depot) { settle(d, lease(d, 1, 1, 1000), ack, done) }, "never dealt with, p#2"},
		{"a message that was given back is lost", func(d *depot) {
			settle(d, lease(d, 1, 1, 1000), ack, done)
			settle(d, lease(d, 2, 1, 1000), nack, done)
		}, "never dealt with, p#2"},
		{"an acknowledged message comes again", func(d *depot) {
			settle(d, lease(d, 1, 1, 1000), ack, done)
			lease(d, 1, 2, 1000)
		}, "delivery 1 was acknowledged, and there is a delivery 2"},
		{"a message is delivered twice while it is leased", func(d *depot) {
			lease(d, 1, 1, 1000)
			lease(d, 1, 2, 1000)
		}, "before the lease of delivery 1 was over"},
		{"a message that was given back may come at once", func(d *depot) {
			settle(d, lease(d, 1, 1, 1000), nack, unknown)
			settle(d, lease(d, 1, 2, 1000), ack, done)
			settle(d, lease(d, 2, 1, 1000), ack, done)
		}, ""},
		{"two have one delivery", func(d *depot) {
			lease(d, 1, 1, 1000)
			lease(d, 1, 1, 1000)
		}, "two workers have its delivery number 1"},
		{"a receipt is stale before its time", func(d *depot) {
			h := lease(d, 1, 1, 1000)
			d.settling(h, ack)
			d.settled(h, notDone, true)
		}, "refused as stale"},
		{"a body is not whole", func(d *depot) { d.came("q", body(1)[:100], &handover{}) }, "queue q gave"},
		{"a message is another queue's", func(d *depot) { d.came("other", body(1), &handover{}) }, "was not pushed to it"},
		{"a rejected message is not dead", func(d *depot) {
			settle(d, lease(d, 1, 1, 1000), ack, done)
			settle(d, lease(d, 2, 1, 1000), reject, done)
		}, "was rejected and is not in the dead-letter queue"},
		{"a dead message was acknowledged", func(d *depot) {
			settle(d, lease(d, 1, 1, 1000), ack, done)
			dead(d, 1, "1")
		}, "was acknowledged, and is in the dead-letter queue"},
		{"a message dies too early", func(d *depot) {
			lease(d, 1, 1, 1000)
			dead(d, 1, "1")
		}, "dead after 1 deliveries"},
		{"a message dies twice", func(d *depot) { dead(d, 1, "3"); dead(d, 1, "3") }, "2 times"},
		{"half of a batch came", func(d *depot) {
			settle(d, lease(d, 1, 1, 1000), ack, done)
			settle(d, lease(d, 2, 1, 1000), ack, done)
			d.send("q", 0, "p#3", "p#4")
			settle(d, lease(d, 3, 1, 1000), ack, done)
		}, "of 2 messages pushed by one command"},
		{"a message comes before its delay is over", func(d *depot) {
			d.send("q", time.Hour, "p#5")
			lease(d, 5, 1, 1000)
		}, "before its delay was over"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var said []string
			d := newDepot(maxDeliver, func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) })
			for _, name := range []string{"p#1", "p#2"} {
				d.send("q", 0, name)
				d.answered(done, name)
			}
			c.do(d)
			d.audit("q", "taken")
			all := strings.Join(said, "; ")
			if c.says == "" && all != "" || !strings.Contains(all, c.says) {
				t.Errorf("it says %q, not %q", all, c.says)
			}
		})
	}
}

// Of the queue that messages are taken from for good, as many may be missing as takes were not answered.
func TestTheDepotCountsLostTakes(t *testing.T) {
	for lostTakes, ok := range map[int]bool{0: false, 1: true} {
		failed := false
		d := newDepot(3, func(string, ...any) { failed = true })
		d.send("taken", 0, "p#1")
		d.answered(done, "p#1")
		for range lostTakes {
			d.lostTake()
		}
		if d.audit("q", "taken"); failed == ok {
			t.Errorf("one message is missing, %d takes were not answered, and it fails: %v", lostTakes, failed)
		}
	}
}

// The history of a queue must refuse what its rules do not allow.
func TestTheQueueHistoryRefusesWhatCannotBe(t *testing.T) {
	const second = int64(time.Second)
	// goods makes a history of messages pushed at times 1, 2, … ms in the order given, "group" or "" each, all of
	// priority 0 but those with a !.
	goods := func(groups ...string) (*queueHistory, []*shipment) {
		h := newQueueHistory()
		var all []*shipment
		for i, g := range groups {
			group, high := strings.CutPrefix(g, "!")
			s := h.ship(fmt.Sprintf("m%d", i), group)
			s.id = wire.NewMessageID(map[bool]uint8{true: 1}[high], uint64(i+1))
			s.pushed = int64(i+1) * int64(time.Millisecond)
			all = append(all, s)
		}
		return h, all
	}
	// had is a delivery number n granted at second at, for ten seconds, acknowledged a second later.
	had := func(s *shipment, n int, at int64) *possession {
		p := &possession{asked: at*second - 1, got: at * second, attempt: n, until: (at + 10) * second, settle: (at + 1) * second, settled: (at+1)*second + 1}
		s.receipts = append(s.receipts, p)
		return p
	}
	back := func(p *possession) { p.back = true }
	for _, c := range []struct {
		name   string
		groups []string
		do     func(h *queueHistory, m []*shipment)
		says   string // empty: nothing is wrong
	}{
		{"first in, first out", []string{"", ""}, func(_ *queueHistory, m []*shipment) { had(m[0], 1, 10); had(m[1], 1, 20) }, ""},
		{"last in, first out", []string{"", ""}, func(_ *queueHistory, m []*shipment) { had(m[1], 1, 10); had(m[0], 1, 20) }, "m1 (2"},
		{"a high priority goes first", []string{"", "!"}, func(_ *queueHistory, m []*shipment) { had(m[1], 1, 10); had(m[0], 1, 20) }, ""},
		{"a high priority goes last", []string{"", "!"}, func(_ *queueHistory, m []*shipment) { had(m[0], 1, 10); had(m[1], 1, 20) }, "m0 (1"},
		{"groups take turns", []string{"a", "b"}, func(_ *queueHistory, m []*shipment) { had(m[1], 1, 10); had(m[0], 1, 20) }, ""},
		{"a group out of order", []string{"a", "a"}, func(_ *queueHistory, m []*shipment) { had(m[1], 1, 10); had(m[0], 1, 20) }, "m1 (2"},
		{"a group twice", []string{"a", "a"}, func(_ *queueHistory, m []*shipment) {
			had(m[0], 1, 10).settle = 15 * second
			had(m[1], 1, 12)
		}, "two messages of group a were out at once"},
		{"a message twice", []string{""}, func(_ *queueHistory, m []*shipment) {
			p := had(m[0], 1, 10)
			p.settle, p.settled = 15*second, 0
			had(m[0], 2, 12)
		}, "two had message m0 at once"},
		{"a lease that ran out", []string{""}, func(_ *queueHistory, m []*shipment) {
			p := had(m[0], 1, 10)
			p.settle, p.settled = 0, 0
			had(m[0], 2, 20)
		}, ""},
		{"an acknowledged message", []string{""}, func(_ *queueHistory, m []*shipment) { had(m[0], 1, 10); had(m[0], 2, 20) }, "was gone and came again"},
		{"a returned message at its place", []string{"", ""}, func(_ *queueHistory, m []*shipment) {
			back(had(m[0], 1, 10))
			had(m[0], 2, 12)
			had(m[1], 1, 20)
		}, ""},
		{"a returned message at the end", []string{"", ""}, func(_ *queueHistory, m []*shipment) {
			back(had(m[0], 1, 10))
			had(m[1], 1, 20)
			had(m[0], 2, 30)
		}, "m1 (2"},
		{"a returned message, then taken", []string{""}, func(_ *queueHistory, m []*shipment) {
			back(had(m[0], 1, 10))
			had(m[0], 0, 20).taken = true
		}, ""},
		{"a message taken twice", []string{""}, func(_ *queueHistory, m []*shipment) {
			had(m[0], 0, 10).taken = true
			had(m[0], 0, 20).taken = true
		}, "was gone and came again"},
		{"a message that never came", []string{""}, func(*queueHistory, []*shipment) {}, "1 messages never came"},
		{"a message whose delivery was lost", []string{""}, func(h *queueHistory, _ []*shipment) { h.lost = 1 }, ""},
		{"a refused message", []string{""}, func(_ *queueHistory, m []*shipment) { m[0].refused = true; had(m[0], 1, 10) }, "was refused and came"},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, all := goods(c.groups...)
			c.do(h, all)
			said := strings.Join(h.check(), "; ")
			if c.says == "" && said != "" || !strings.Contains(said, c.says) {
				t.Errorf("it says %q, not %q", said, c.says)
			}
		})
	}
}
