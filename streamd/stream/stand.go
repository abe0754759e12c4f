package stream

import (
	"github.com/skshohagmiah/flin/streamd/stream/internal/fsm"
)

// stand is where a member stands in a topic. coordinator.mu guards it.
type stand struct {
	x         *member
	begun     uint64 // revision of its subscription to the topic: with another it begins anew
	positions map[int32]position
	first     int32 // the partition at which the next consume begins to look

	// turn is the last consume that was answered, by its Turn, and before is where the member stood then.
	turn   uint64
	before []undo
	// The newest consume with a Turn that has come: an older one is not waited for any more.
	newest, order uint64

	busy  *call   // reads, and may move positions
	queue []*call // come after it
}

// position is where a member reads on in a partition, as long as it owns it.
type position struct {
	since  uint64 // generation in which it got it
	offset int64
}

// undo is a position as it was; offset is nowhere if there was none.
type undo struct {
	partition int32
	position
}

// stretch is what a consume looks at in a partition, and what it has found there.
type stretch struct {
	partition int32
	since     uint64
	from      int64 // nowhere: the first that is kept
	to        int64 // nowhere: nothing was found
}

const nowhere = -1

// verdict is what becomes of a consume that begins.
type verdict uint8

const (
	proceed  verdict = iota // it looks at its plan
	behind                  // it gets its turn after another of its member
	outdated                // its member has asked again
)

// enter begins a consume, or goes on with one that was woken: it says whether that may look now, and where.
func (k *coordinator) enter(c *call, term uint64, ms *fsm.Membership) verdict {
	m := &c.consume
	k.mu.Lock()
	defer k.mu.Unlock()
	k.rule(term)
	x := k.known(m.Group, m.Consumer, ms)
	s := x.stand(m.Topic, ms.Begun)
	if c.stand != s {
		k.drop(c.stand)
		c.stand = s
		x.active++
	}
	if m.Turn != 0 {
		if m.Turn < s.turn || m.Turn < s.newest || m.Turn == s.newest && c.order < s.order {
			return outdated
		}
		s.newest, s.order = m.Turn, c.order
	}
	if s.busy != nil && s.busy != c {
		s.queue = append(s.queue, c)
		return behind
	}
	s.busy = c
	if m.Turn != 0 && m.Turn == s.turn {
		s.restore()
	}
	s.plan(c)
	return proceed
}

// stand returns where the member stands in a topic. The lock is held.
func (x *member) stand(topic []byte, begun uint64) *stand {
	s := x.stands[string(topic)]
	if s == nil || begun > s.begun {
		s = &stand{x: x, begun: begun, positions: make(map[int32]position)}
		x.stands[string(topic)] = s
	}
	return s
}

// restore puts the positions back where they were before the last turn.
func (s *stand) restore() {
	for _, u := range s.before {
		if u.offset == nowhere {
			delete(s.positions, u.partition)
		} else {
			s.positions[u.partition] = u.position
		}
	}
	s.before = s.before[:0]
}

// plan lists where to look, beginning where the last consume ended.
func (s *stand) plan(c *call) {
	c.plan = c.plan[:0]
	if len(s.positions) > len(c.owned) {
		s.prune(c.owned)
	}
	at := 0
	for at < len(c.owned) && c.owned[at].Partition < s.first {
		at++
	}
	for i := range c.owned {
		o := &c.owned[(at+i)%len(c.owned)]
		x := stretch{partition: o.Partition, since: o.Since, from: o.Committed, to: nowhere}
		if p, ok := s.positions[o.Partition]; ok && p.since == o.Since {
			x.from = p.offset
		}
		c.plan = append(c.plan, x)
	}
}

// prune forgets positions in partitions that the member does not own any more.
func (s *stand) prune(owned []fsm.Owned) {
	kept := make(map[int32]position, len(owned))
	for i := range owned {
		if p, ok := s.positions[owned[i].Partition]; ok {
			kept[owned[i].Partition] = p
		}
	}
	s.positions = kept
}

// move notes that a consume's answer is given: the member stands behind what it was handed. It is called before pass.
func (k *coordinator) move(c *call) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := c.stand
	s.before = s.before[:0]
	if c.consume.Turn != 0 {
		s.turn = c.consume.Turn
	}
	for i := range c.plan {
		x := &c.plan[i]
		if x.to == nowhere {
			continue
		}
		old, ok := s.positions[x.partition]
		if !ok {
			old.offset = nowhere
		}
		s.before = append(s.before, undo{x.partition, old})
		s.positions[x.partition] = position{x.since, x.to}
		s.first = x.partition + 1
	}
}

// pass gives the member's turn to the next of its consumes, which it returns; nil is none.
func (k *coordinator) pass(c *call) (next *call) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s := c.stand
	if s == nil || s.busy != c {
		return nil
	}
	s.busy = nil
	if len(s.queue) > 0 {
		next = s.queue[0]
		s.queue[0] = nil
		s.queue = s.queue[1:]
	}
	return next
}

// leave notes that a consume has been answered.
func (k *coordinator) leave(s *stand) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.drop(s)
}

// drop notes that a consume has to do with a stand no longer. The lock is held.
func (k *coordinator) drop(s *stand) {
	if s == nil {
		return
	}
	s.x.active--
	s.x.seen = k.clock()
	s.x.polled = s.x.seen
}

// place puts a member's position in a partition, which it has owned since a generation, at an offset.
func (k *coordinator) place(term uint64, topic, group, consumer []byte, ms *fsm.Membership, partition int32, p position) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.rule(term)
	x := k.known(group, consumer, ms)
	x.seen = k.clock()
	s := x.stand(topic, ms.Begun)
	s.positions[partition] = p
	kept := s.before[:0]
	for _, u := range s.before {
		if u.partition != partition {
			kept = append(kept, u)
		}
	}
	s.before = kept
}
