package systest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// parcel is a message of the kill loop, as those know it who pushed it and worked on it.
type parcel struct {
	name      string // of its body: pusher and number
	queue     string
	pushed    outcome
	batch     int   // all messages that were pushed by one command have the same
	notBefore int64 // ms; it must not be delivered earlier
	handovers []*handover
	dead      int  // how often it was found in the dead-letter queue
	closed    bool // it is dealt with, as far as is known
}

// handover is one delivery of a parcel that came to somebody.
type handover struct {
	parcel  *parcel
	asked   int64 // ms: it was granted between asked and got
	got     int64
	taken   bool  // for good: a pop, not a lease
	attempt int   // of a lease, from 1
	until   int64 // ms: the lease cannot have ended by itself before
	verb    settlement
	fate    outcome // of verb
	at      int64   // when verb was sent; 0: it was not
}

// settlement is what a worker does with a message in the end.
type settlement int

const (
	forget settlement = iota // nothing: the lease runs out
	ack
	nack
	reject
)

func (s settlement) String() string { return [...]string{"forget", "ack", "nack", "reject"}[s] }

// depot knows all parcels of a run. It may be used at any time by any goroutine.
type depot struct {
	fail       func(format string, args ...any)
	maxDeliver int // of the queue that messages are leased from

	mu        sync.Mutex
	parcels   map[string]*parcel
	live      int // parcels that were pushed and are not closed
	batches   int
	lostTakes int // pops without an answer: each may have taken a message
	stale     int // receipts that were refused
}

func newDepot(maxDeliver int, fail func(string, ...any)) *depot {
	return &depot{fail: fail, maxDeliver: maxDeliver, parcels: map[string]*parcel{}}
}

// nowMs is the clock that everything is judged by. It is this machine's, as the server's is.
func nowMs() int64 { return time.Now().UnixMilli() }

// send notes that a command pushes the bodies with these names, of which nothing is known until answered.
func (d *depot) send(queue string, delay time.Duration, names ...string) (batch int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.batches++
	for _, name := range names {
		p := &parcel{name: name, queue: queue, batch: d.batches}
		if delay > 0 {
			p.notBefore = nowMs() + delay.Milliseconds()
		}
		d.parcels[name] = p
	}
	return d.batches
}

// answered notes what is known of a push.
func (d *depot) answered(o outcome, names ...string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, name := range names {
		if p := d.parcels[name]; o == notDone && len(p.handovers) > 0 {
			d.fail("message %s was refused, and was delivered all the same", name)
		} else {
			p.pushed = o
			if o == done && !p.closed {
				d.live++
			}
		}
	}
}

// close notes that a message is dealt with.
func (d *depot) close(p *parcel) {
	if p.pushed == done && !p.closed {
		d.live--
	}
	p.closed = true
}

// find returns the parcel of a body that came out of a queue, whose origin was from.
func (d *depot) find(from string, body []byte) *parcel {
	name, ok := parcelName(body)
	p := d.parcels[name]
	switch {
	case !ok:
		d.fail("queue %s gave %s", from, brief(body))
	case p == nil || p.queue != from:
		d.fail("queue %s gave message %s, which was not pushed to it", from, name)
	case p.pushed == notDone:
		d.fail("queue %s gave message %s, whose push was refused", from, name)
	default:
		return p
	}
	return nil
}

// came notes a delivery and says what is wrong with it. h has all but its parcel.
func (d *depot) came(from string, body []byte, h *handover) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.find(from, body)
	if p == nil {
		h.parcel = &parcel{name: "unknown"}
		return
	}
	h.parcel = p
	p.handovers = append(p.handovers, h)
	if h.taken {
		d.close(p)
	}
	if h.got < p.notBefore-clockSlack {
		d.fail("message %s was delivered %d ms before its delay was over", p.name, p.notBefore-h.got)
	}
	for _, o := range p.handovers[:len(p.handovers)-1] {
		if why := conflict(o, h); why != "" {
			d.fail("message %s: %s", p.name, why)
		}
	}
}

// conflict says why two deliveries of one message cannot both be.
func conflict(a, b *handover) string {
	if a.taken || b.taken {
		return "it was taken for good and delivered twice"
	}
	if a.attempt == b.attempt {
		return fmt.Sprintf("two workers have its delivery number %d", a.attempt)
	}
	first, second := a, b
	if a.attempt > b.attempt {
		first, second = b, a
	}
	switch {
	case first.verb == ack && first.fate == done:
		return fmt.Sprintf("delivery %d was acknowledged, and there is a delivery %d", first.attempt, second.attempt)
	case first.verb == reject && first.fate == done:
		return fmt.Sprintf("delivery %d was rejected, and there is a delivery %d", first.attempt, second.attempt)
	case second.got < first.until-clockSlack && (first.at == 0 || first.at > second.got):
		return fmt.Sprintf("delivery %d came %d ms before the lease of delivery %d was over", second.attempt, first.until-second.got, first.attempt)
	}
	return ""
}

// settling notes that a worker is about to settle a message.
func (d *depot) settling(h *handover, verb settlement) {
	d.mu.Lock()
	defer d.mu.Unlock()
	h.verb, h.at, h.fate = verb, nowMs(), unknown
}

// settled notes how that ended; stale says that the receipt was refused as such.
func (d *depot) settled(h *handover, o outcome, stale bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	h.fate = o
	if stale {
		d.stale++
		h.fate = notDone
		if left := h.until - nowMs(); left > clockSlack {
			d.fail("message %s: the %v of delivery %d was refused as stale %d ms before its lease was over", h.parcel.name, h.verb, h.attempt, left)
		}
		return
	}
	if h.verb != nack && o != notDone {
		d.close(h.parcel)
	}
	if o != done {
		return
	}
	for _, other := range h.parcel.handovers {
		if other == h {
			continue
		}
		if why := conflict(other, h); why != "" {
			d.fail("message %s: %s", h.parcel.name, why)
		}
	}
}

// extended notes that a lease has been made longer.
func (d *depot) extended(h *handover, until int64) {
	d.mu.Lock()
	h.until = max(h.until, until)
	d.mu.Unlock()
}

// lostTake notes a pop without an answer.
func (d *depot) lostTake() {
	d.mu.Lock()
	d.lostTakes++
	d.mu.Unlock()
}

// died notes a message that was found in the dead-letter queue, with the headers that it has there.
func (d *depot) died(from string, body []byte, headers map[string]string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if headers["x-origin-queue"] != from {
		d.fail("a dead message of %s says that it comes from %q", from, headers["x-origin-queue"])
	}
	p := d.find(from, body)
	if p == nil {
		return
	}
	if p.dead++; p.dead > 1 {
		d.fail("message %s is in the dead-letter queue %d times", p.name, p.dead)
	}
	if at, err := strconv.ParseInt(headers["x-first-enqueued"], 10, 64); err != nil || at > nowMs()+clockSlack {
		d.fail("dead message %s was first pushed at %q", p.name, headers["x-first-enqueued"])
	}
	attempts, err := strconv.Atoi(headers["x-attempts"])
	if err != nil || attempts < p.attempts() {
		d.fail("dead message %s was delivered %d times, and says %q", p.name, p.attempts(), headers["x-attempts"])
	}
	rejected := slices.ContainsFunc(p.handovers, func(h *handover) bool { return h.verb == reject && h.fate != notDone })
	switch text := headers["x-last-error"]; {
	case slices.ContainsFunc(p.handovers, func(h *handover) bool { return h.verb == ack && h.fate == done }):
		d.fail("message %s was acknowledged, and is in the dead-letter queue (%s)", p.name, text)
	case !rejected && attempts < d.maxDeliver:
		d.fail("message %s is dead after %d deliveries (%s), and nobody rejected it", p.name, attempts, text)
	case text == "":
		d.fail("dead message %s does not say why", p.name)
	}
}

func (p *parcel) attempts() (most int) {
	for _, h := range p.handovers {
		most = max(most, h.attempt)
	}
	return most
}

// crowded reports whether so many messages are under way that pushers had better wait.
func (d *depot) crowded() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.live > 2000
}

// settled reports whether the message may be gone.
func (p *parcel) settled() bool {
	return p.dead > 0 || slices.ContainsFunc(p.handovers, func(h *handover) bool {
		return h.taken || (h.verb == ack || h.verb == reject) && h.fate != notDone
	})
}

// audit says what is wrong when all queues are empty and the dead letters have been counted.
func (d *depot) audit(leased, taken string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	lost := map[string][]string{}
	seen := map[int][2]int{} // by batch of unknown fate: how many came, of how many
	for _, name := range slices.Sorted(maps.Keys(d.parcels)) {
		p := d.parcels[name]
		if p.pushed == done && !p.settled() {
			lost[p.queue] = append(lost[p.queue], name)
		}
		if slices.ContainsFunc(p.handovers, func(h *handover) bool { return h.verb == reject && h.fate == done }) && p.dead == 0 {
			d.fail("message %s was rejected and is not in the dead-letter queue", name)
		}
		if p.pushed == unknown && p.queue == leased {
			n := seen[p.batch]
			if n[1]++; len(p.handovers) > 0 || p.dead > 0 {
				n[0]++
			}
			seen[p.batch] = n
		}
	}
	if n := len(lost[leased]); n > 0 {
		d.fail("%d messages whose push was acknowledged were never dealt with, %s among them", n, strings.Join(lost[leased][:min(n, 5)], ", "))
	}
	if n := len(lost[taken]); n > d.lostTakes {
		d.fail("%d messages whose push was acknowledged were never delivered, and only %d pops were not answered: %s among them", n, d.lostTakes, strings.Join(lost[taken][:min(n, 5)], ", "))
	}
	for batch, n := range seen {
		if n[0] != 0 && n[0] != n[1] {
			d.fail("of %d messages pushed by one command (%d) %d came", n[1], batch, n[0])
		}
	}
}

// parcelBody is the body of the message with this name.
func parcelBody(pusher string, seq int64) (name string, body []byte) {
	size := smallValue
	if seq%32 == 0 {
		size = 16 << 10
	}
	return fmt.Sprintf("%s#%d", pusher, seq), payload(pusher, seq, size)
}

// parcelName reads the name out of a body, and reports whether the body is whole.
func parcelName(body []byte) (string, bool) {
	pusher, _, ok := strings.Cut(string(body[:min(len(body), 100)]), "|")
	if !ok {
		return "", false
	}
	seq, whole := seqOf(pusher, body)
	return fmt.Sprintf("%s#%d", pusher, seq), whole
}
