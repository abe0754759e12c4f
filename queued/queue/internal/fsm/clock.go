package fsm

import "github.com/skshohagmiah/flin/pkg/engine/heap"

// alarm says that something of a queue may need a tick from a time on: a chunk, or with first 0 its dedup ids. It may ring
// too early or for nothing, but never late: so which alarms there are changes nothing but when a tick looks.
type alarm struct {
	at    int64 // ms
	qid   uint64
	first uint64
}

func sooner(a, b alarm) bool { return a.at < b.at }

// byPlace is the order in which ticks work: one that every replica has, whenever its alarms rang.
func byPlace(a, b alarm) bool {
	if a.qid != b.qid {
		return a.qid < b.qid
	}
	return a.first < b.first
}

// alert says that a lease or a delay of the chunk ends at a time.
func (m *Machine) alert(c *chunk, at int64) {
	switch {
	case c.pos < 0:
		c.wake = at
		m.wakes.Push(c)
	case at < c.wake:
		c.wake = at
		m.wakes.Fix(c.pos)
	}
}

// pass lets time go on to now: leases run out, delays end. Nothing of that is written: it follows from what is stored.
func (m *Machine) pass(now int64) error {
	m.now = now
	for m.wakes.Len() > 0 && m.wakes.First().wake <= now {
		c := m.wakes.Remove(0)
		if c.removed || c.qid != c.q.qid || c.q.deleted {
			continue
		}
		if err := m.wake(c); err != nil {
			return err
		}
	}
	m.ring()
	if m.stale > 1000 && m.stale > m.alarms.Len()/2 {
		m.muster()
	}
	return nil
}

// ring moves the alarms whose time has come.
func (m *Machine) ring() {
	for m.alarms.Len() > 0 && m.alarms.First().at <= m.now {
		a := m.alarms.Remove(0)
		if m.byQID[a.qid] != nil {
			m.overdue.Push(a)
		}
	}
}

// wake ends the leases and delays of a chunk that are over, and notes when the next is.
func (m *Machine) wake(c *chunk) error {
	if err := m.need(c); err != nil {
		return err
	}
	next := int64(0)
	for i := c.living(0); i < c.n; i = c.living(i + 1) {
		e := &c.ext[i]
		switch {
		case e.status != leased && e.status != delayed:
			continue
		case e.until > m.now:
			if next == 0 || e.until < next {
				next = e.until
			}
			continue
		case e.status == leased && e.final:
			m.move(c, i, doomed)
			m.overdue.Push(alarm{qid: c.qid, first: c.first})
			continue
		}
		e.until, e.nonce, e.final, e.implicit = 0, 0, false, false
		m.move(c, i, ready)
	}
	if next != 0 {
		m.alert(c, next)
	}
	return nil
}

// muster drops the alarms whose chunk is not there any more.
func (m *Machine) muster() {
	all := m.alarms.Items()
	kept := all[:0]
	for _, a := range all {
		q := m.byQID[a.qid]
		if q == nil {
			continue
		}
		if a.first != 0 {
			if l := q.lane(a.first); l == nil || l.desc(a.first) == nil {
				continue
			}
		}
		kept = append(kept, a)
	}
	m.alarms = heap.New(sooner, nil)
	for _, a := range kept {
		m.alarms.Push(a)
	}
	m.stale = 0
}
