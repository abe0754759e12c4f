package fsm

import (
	"bytes"
	"slices"
	"strings"

	"github.com/skshohagmiah/flin/pkg/engine/heap"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// queue is what memory has of a queue. The apply goroutine changes it, under Machine.mu.
type queue struct {
	name      string
	qid       uint64 // of its messages; a clear gives it another
	set       wire.QueueSettings
	paused    bool
	created   int64
	seq       uint64 // of the last message
	turn      uint64 // counts the turns of groups
	plainTurn uint64 // the turn of the messages without a group

	pushed, popped, acked, died, dropped uint64

	letters   uint64 // dead letters that came here
	redriving uint64 // qid of the queue whose messages are being moved out of this one, and
	redriveAt uint64 // how far that has come: an id

	contents
	rates rates

	dirty   bool // the entry has changed what is written of it
	noted   bool // is in Machine.noted
	deleted bool
}

// contents are what a clear takes from a queue.
type contents struct {
	ready, delayed, leased int
	plain                  int     // messages without a group, in any state
	free                   int     // ready messages that no lease of their group keeps back
	lanes                  []*lane // by priority, highest first
	groups                 map[string]*group
	turns                  heap.Heap[*group]
	dedup                  dedup
}

func newContents() contents {
	return contents{turns: heap.New(before, func(g *group, i int) { g.pos = i })}
}

func (q *queue) total() int { return q.ready + q.delayed + q.leased }

// lane returns the lane that an id belongs to, or nil.
func (q *queue) lane(id uint64) *lane {
	prio := 255 - uint8(id>>56)
	for _, l := range q.lanes {
		if l.prio == prio {
			return l
		}
	}
	return nil
}

// laneFor is lane, but makes one.
func (q *queue) laneFor(id uint64) *lane {
	if l := q.lane(id); l != nil {
		return l
	}
	l := &lane{prio: 255 - uint8(id>>56)}
	i, _ := slices.BinarySearchFunc(q.lanes, l.prio, func(l *lane, prio uint8) int { return int(prio) - int(l.prio) })
	q.lanes = slices.Insert(q.lanes, i, l)
	return l
}

// available is how many messages could be delivered now.
func (q *queue) available() int {
	if q.paused || q.deleted {
		return 0
	}
	return q.free
}

// oldest returns the ready message that was pushed first, whatever its priority and group; d is nil if there is none.
func (q *queue) oldest() (l *lane, d *desc, i int) {
	least := uint64(0)
	for _, x := range q.lanes {
		e, k := x.oldest()
		if e == nil {
			continue
		}
		id := e.first
		if k > 0 {
			id = e.c.id(k)
		}
		if id &= 1<<56 - 1; d == nil || id < least {
			l, d, i, least = x, e, k, id
		}
	}
	return l, d, i
}

func (l *lane) oldest() (*desc, int) {
	for _, blk := range l.blocks {
		for k := range blk {
			c := blk[k].c
			if c == nil {
				return &blk[k], 0
			}
			for i := c.living(0); i < c.n; i = c.living(i + 1) {
				if c.status(i) == ready {
					return &blk[k], i
				}
			}
		}
	}
	return nil, 0
}

// defaults are the settings of a queue that was made by a push.
func (m *Machine) defaults(name string) wire.QueueSettings {
	s := wire.QueueSettings{Lease: wire.DefaultLease, MaxDeliver: wire.DefaultMaxDeliver, Window: wire.DefaultWindow}
	switch dead := name + wire.DeadLetterSuffix; {
	case strings.HasSuffix(name, wire.DeadLetterSuffix):
		s.MaxDeliver = 0
	case len(dead) <= wire.MaxName && !m.returns(name, dead):
		s.DeadLetter = []byte(dead)
	}
	return s
}

// returns reports whether the chain of dead-letter queues that begins with dead comes to the queue name. One that is not
// there is taken to have what it would be made with.
func (m *Machine) returns(name, dead string) bool {
	for range len(m.queues) + 3 {
		if dead == name {
			return true
		}
		q := m.queues[dead]
		switch next := dead + wire.DeadLetterSuffix; {
		case q != nil:
			dead = string(q.set.DeadLetter)
		case strings.HasSuffix(dead, wire.DeadLetterSuffix) || len(next) > wire.MaxName:
			dead = ""
		default:
			dead = next
		}
		if dead == "" {
			return false
		}
	}
	return true
}

// find returns a queue, or nil.
func (m *Machine) find(name []byte) *queue {
	if q := m.recent; q != nil && q.name == string(name) {
		return q
	}
	q := m.queues[string(name)]
	if q != nil {
		m.recent = q
	}
	return q
}

// ensure returns a queue, made with the defaults if it is not there.
func (m *Machine) ensure(name []byte) *queue {
	if q := m.find(name); q != nil {
		return q
	}
	q := &queue{name: string(name), created: m.now, contents: newContents()}
	q.set = m.defaults(q.name)
	q.qid = m.newNumber()
	m.enlist(q)
	m.touchQueue(q)
	return q
}

// enlist makes a queue known.
func (m *Machine) enlist(q *queue) {
	m.queues[q.name] = q
	m.byQID[q.qid] = q
	i, _ := slices.BinarySearchFunc(m.sorted, q.name, func(q *queue, name string) int { return strings.Compare(q.name, name) })
	m.sorted = slices.Insert(m.sorted, i, q)
}

// delist forgets a queue.
func (m *Machine) delist(q *queue) {
	delete(m.queues, q.name)
	delete(m.byQID, q.qid)
	i, ok := slices.BinarySearchFunc(m.sorted, q.name, func(q *queue, name string) int { return strings.Compare(q.name, name) })
	if ok {
		m.sorted = slices.Delete(m.sorted, i, i+1)
	}
	m.recent = nil
}

// newNumber returns a number for a queue's messages that was never given before.
func (m *Machine) newNumber() uint64 {
	m.number++
	m.numbered = true
	return m.number
}

// touchQueue has what is known of the queue written at the end of the entry.
func (m *Machine) touchQueue(q *queue) {
	if !q.dirty {
		q.dirty = true
		m.dirtyQueues = append(m.dirtyQueues, q)
	}
	m.note(q)
}

// note has OnReady told of the queue at the end of the entry.
func (m *Machine) note(q *queue) {
	if !q.noted {
		q.noted = true
		m.noted = append(m.noted, q)
	}
}

// numbers lists what is written of a queue besides its settings.
func (q *queue) numbers() [13]*uint64 {
	return [...]*uint64{
		&q.qid, &q.seq, &q.turn, &q.plainTurn, &q.pushed, &q.popped, &q.acked, &q.died, &q.dropped,
		&q.letters, &q.redriving, &q.redriveAt, &q.dedup.from,
	}
}

// append encodes what is known of a queue.
func (q *queue) append(b []byte) []byte {
	paused := byte(0)
	if q.paused {
		paused = 1
	}
	b = append(b, paused)
	b = wire.AppendUvarint(b, uint64(q.created))
	for _, v := range q.numbers() {
		b = wire.AppendUvarint(b, *v)
	}
	return (&wire.QueueCreate{Settings: q.set}).Append(b)
}

// decode reads what append wrote.
func (q *queue) decode(p []byte) error {
	r := wire.NewReader(p)
	q.paused, q.created = r.Byte() != 0, int64(r.Uvarint())
	for _, v := range q.numbers() {
		*v = r.Uvarint()
	}
	var c wire.QueueCreate
	if r.Err() != nil || c.Decode(r.Rest()) != nil {
		return errDamaged
	}
	q.set = c.Settings
	q.set.DeadLetter = bytes.Clone(c.Settings.DeadLetter)
	return nil
}
