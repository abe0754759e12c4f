package systest

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// shipment is a message of a history. All times are nanoseconds since the history began.
type shipment struct {
	name     string
	id       wire.MessageID // 0: not known, because the push was not answered
	group    string
	pushed   int64 // when the push was answered; MaxInt64: never
	refused  bool
	receipts []*possession // its deliveries
}

// possession is one delivery of a shipment. It was granted between asked and got.
type possession struct {
	asked, got int64
	taken      bool
	attempt    int   // of a lease
	until      int64 // when the lease may end by itself
	settle     int64 // when it was acknowledged or given back; 0: it was not
	settled    int64 // when that was answered with success; 0: it was not
	back       bool  // it was given back, at once
}

// certain returns from when to when nobody else can have had what is possessed.
func (p *possession) certain() (from, to int64) {
	to = p.until - int64(clockSlack*time.Millisecond)
	if p.settle != 0 {
		to = min(to, p.settle)
	}
	return p.got, to
}

// queueHistory is what concurrent clients did with one queue.
type queueHistory struct {
	base time.Time

	mu    sync.Mutex
	goods map[string]*shipment
	lost  int // deliveries whose answer did not come
	wrong []string
}

func newQueueHistory() *queueHistory {
	return &queueHistory{base: time.Now(), goods: map[string]*shipment{}}
}

func (h *queueHistory) now() int64 { return int64(time.Since(h.base)) }

// wall turns a time of the server into one of the history.
func (h *queueHistory) wall(t time.Time) int64 { return t.UnixNano() - h.base.UnixNano() }

// ship notes a message that is about to be pushed.
func (h *queueHistory) ship(name, group string) *shipment {
	s := &shipment{name: name, group: group, pushed: math.MaxInt64}
	h.mu.Lock()
	h.goods[name] = s
	h.mu.Unlock()
	return s
}

// deliver notes a delivery.
func (h *queueHistory) deliver(name, id string, p *possession) {
	h.mu.Lock()
	defer h.mu.Unlock()
	s := h.goods[name]
	if s == nil {
		h.wrong = append(h.wrong, fmt.Sprintf("message %q came, which nobody pushed", name))
		return
	}
	s.receipts = append(s.receipts, p)
	if id == "" {
		return
	}
	n, err := wire.ParseMessageID(id)
	if err != nil || s.id != 0 && s.id != n {
		h.wrong = append(h.wrong, fmt.Sprintf("message %s has the id %q, and had %v when it was pushed", name, id, s.id))
	}
	s.id = n
}

// span is a time in which a message was surely ready, if its group was free.
type span struct {
	*shipment
	from, to int64
}

// check returns what cannot be, of a history that is over: an order that is not that of the ids, two that had the same
// message or group, what was settled and came again, what never came.
func (h *queueHistory) check() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	missing := 0
	var ready []span
	groups := map[string][]*possession{}
	for _, name := range slices.Sorted(maps.Keys(h.goods)) {
		s := h.goods[name]
		slices.SortFunc(s.receipts, func(a, b *possession) int { return int(a.got - b.got) })
		h.wrong = append(h.wrong, s.single()...)
		ready = append(ready, s.spans(h.lost > 0)...)
		if s.group != "" {
			groups[s.group] = append(groups[s.group], s.receipts...)
		}
		switch {
		case s.refused && len(s.receipts) > 0:
			h.wrong = append(h.wrong, fmt.Sprintf("message %s was refused and came", s.name))
		case s.pushed != math.MaxInt64 && len(s.receipts) == 0:
			missing++
		}
	}
	if missing > h.lost {
		h.wrong = append(h.wrong, fmt.Sprintf("%d messages never came, and %d deliveries were not answered", missing, h.lost))
	}
	for _, g := range slices.Sorted(maps.Keys(groups)) {
		if overlap(groups[g]) {
			h.wrong = append(h.wrong, fmt.Sprintf("two messages of group %s were out at once", g))
		}
	}
	h.wrong = append(h.wrong, disorder(h.goods, ready)...)
	return h.wrong
}

// single says what is wrong with the deliveries of one message.
func (s *shipment) single() (wrong []string) {
	if overlap(s.receipts) {
		wrong = append(wrong, fmt.Sprintf("two had message %s at once", s.name))
	}
	seen := map[int]bool{}
	for _, p := range s.receipts {
		if !p.taken && seen[p.attempt] {
			wrong = append(wrong, fmt.Sprintf("message %s has two deliveries number %d", s.name, p.attempt))
		}
		seen[p.attempt] = true
		acked := !p.taken && p.settled != 0 && !p.back
		for _, o := range s.receipts {
			switch {
			case o == p:
			case acked && (o.taken || o.attempt > p.attempt), p.taken && (o.taken || o.asked > p.got):
				wrong = append(wrong, fmt.Sprintf("message %s was gone and came again", s.name))
			}
		}
	}
	return wrong
}

// overlap reports whether one was granted while another surely held.
func overlap(all []*possession) bool {
	for _, held := range all {
		if held.taken {
			continue
		}
		from, to := held.certain()
		for _, p := range all {
			if p != held && p.asked >= from && p.got <= to {
				return true
			}
		}
	}
	return false
}

// spans returns when the message was surely ready. Where deliveries may have been lost, only those count that are told
// apart by their numbers.
func (s *shipment) spans(lost bool) (all []span) {
	if s.id == 0 {
		return nil
	}
	from, last := s.pushed, 0
	for _, p := range s.receipts {
		follows := p.attempt == last+1 || p.taken && !lost
		if from != math.MaxInt64 && follows && from < p.asked {
			all = append(all, span{s, from, p.asked})
		}
		from, last = math.MaxInt64, p.attempt
		if p.back && p.settled != 0 {
			from = p.settled
		}
	}
	return all
}

// before reports whether s, being ready, must be delivered before b can be.
func (s *shipment) before(b *shipment) bool {
	switch {
	case s.id >= b.id:
		return false
	case s.group != "":
		return s.group == b.group // b was delivered, so that the group was free
	}
	return b.group == "" || s.id.Priority() > b.id.Priority()
}

// disorder says which messages came while one was ready that goes before them.
func disorder(goods map[string]*shipment, ready []span) (wrong []string) {
	for _, name := range slices.Sorted(maps.Keys(goods)) {
		b := goods[name]
		for _, p := range b.receipts {
			for _, a := range ready {
				if a.from <= p.asked && a.to >= p.got && a.shipment != b && b.id != 0 && a.before(b) {
					wrong = append(wrong, fmt.Sprintf("message %s (%v, group %q) came while %s (%v, group %q) was ready", b.name, b.id, b.group, a.name, a.id, a.group))
				}
			}
		}
	}
	return wrong
}
