package stream

import (
	"math"
	"slices"

	"github.com/skshohagmiah/flin/streamd/stream/internal/fsm"
)

// stand is where a member stands in a topic. coordinator.mu guards it.
type stand struct {
	x         *member
	begun     uint64 // revision of its subscription to the topic: with another it begins anew
	positions map[int32]position
	first     int32 // the partition at which the next consume begins to look
	seeks     uint64

	// turn is the last consume that was answered, by its Turn, and given is what it was to bring. Asked for again it brings just
	// that, however much more there is: which of its answers arrives must not matter.
	turn  uint64
	given []stretch
	// The newest consume with a Turn that has come, which is not older than turn: its client waits for no older one any more.
	newest, order uint64

	busy  *call   // reads, and may move positions
	queue []*call // come after it
}

// position is where a member reads on in a partition, as long as it owns it.
type position struct {
	since  uint64 // generation in which it got it
	offset int64
	sought uint64 // by which of the stand's seeks; 0: by none
}

// stretch is what a consume looks at in a partition, and what it has found there.
type stretch struct {
	partition int32
	since     uint64
	from      int64 // nowhere: the first that is kept
	end       int64 // it goes no further
	sought    uint64
	to        int64 // nowhere: nothing was found
}

const (
	nowhere    = -1
	everywhere = math.MaxInt64
)

// verdict is what becomes of a consume that begins.
type verdict uint8

const (
	proceed  verdict = iota // it looks at its plan
	behind                  // it gets its turn after another of its member
	outdated                // its member has asked again
	foreign                 // its member has been consumed for by another client, which is further
)

// enter begins a consume, or goes on with one that was woken: it says whether that may look now, and where. stray, if there is one, has
// the turn that the consume had in another leader's time.
func (k *coordinator) enter(c *call, term uint64, ms *fsm.Membership) (v verdict, stray *call) {
	m := &c.consume
	k.mu.Lock()
	defer k.mu.Unlock()
	k.rule(term)
	if c.begun == 0 {
		c.begun = ms.Begun
	}
	if c.begun != ms.Begun {
		return outdated, nil
	}
	x := k.known(m.Group, m.Consumer, ms)
	s := x.stand(m.Topic, ms.Begun)
	if old := c.stand; old != s {
		stray = old.abandon(c)
		k.drop(old)
		c.stand = s
		x.active++
	}
	if m.Turn != 0 {
		switch {
		case m.Turn < s.newest: // a client asks for a turn when the one before it was answered: who waits for this one is another
			return foreign, stray
		case m.Turn == s.newest && c.order < s.order:
			return outdated, stray
		}
		s.newest, s.order = m.Turn, c.order
	}
	if s.busy != nil && s.busy != c {
		if c.baton == s {
			c.baton = nil // another has overtaken it, and passes on when it is done
		}
		s.queue = append(s.queue, c)
		return behind, stray
	}
	s.busy = c
	if c.baton == s {
		c.baton = nil
	}
	if c.again = m.Turn != 0 && m.Turn == s.turn; c.again {
		s.planAgain(c)
	} else {
		s.plan(c)
	}
	return proceed, stray
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

// planAgain lists what the last turn was to bring, as far as the member still owns it.
func (s *stand) planAgain(c *call) {
	c.plan = c.plan[:0]
	for _, x := range s.given {
		i, ok := slices.BinarySearchFunc(c.owned, x.partition, func(o fsm.Owned, p int32) int { return int(o.Partition) - int(p) })
		if ok && c.owned[i].Since == x.since {
			x.end, x.to = x.to, nowhere
			c.plan = append(c.plan, x)
		}
	}
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
		x := stretch{partition: o.Partition, since: o.Since, from: o.Committed, end: everywhere, to: nowhere}
		if p, ok := s.positions[o.Partition]; ok && p.since == o.Since {
			x.from, x.sought = p.offset, p.sought
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
	counts := c.consume.Turn != 0
	if counts {
		s.turn, s.given = c.consume.Turn, s.given[:0]
	}
	for i := range c.plan {
		x := &c.plan[i]
		switch {
		case s.positions[x.partition].sought != x.sought: // the member has been put elsewhere meanwhile
		case x.to != nowhere:
			if counts {
				s.given = append(s.given, *x)
			}
			s.positions[x.partition] = position{x.since, x.to, x.sought}
			s.first = x.partition + 1
		case c.again: // it had no room for what it was to bring
			s.positions[x.partition] = position{x.since, x.from, x.sought}
		}
	}
}

// pass gives the member's turn to the next of its consumes, which it returns; nil is none.
func (k *coordinator) pass(c *call) (next *call) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if s := c.stand; s != nil && s.busy == c {
		s.busy = nil
		return s.next()
	}
	return nil
}

// abandon ends what a consume has to do with a stand, which may be none. It returns the one that has the turn then, if it was its.
func (s *stand) abandon(c *call) (next *call) {
	if s == nil || s.busy != c && c.baton != s {
		return nil
	}
	if s.busy == c {
		s.busy = nil
	}
	if c.baton == s {
		c.baton = nil
	}
	if s.busy != nil {
		return nil
	}
	return s.next()
}

// next takes the next consume from the queue. It has the baton until it takes its turn: whoever ends before that passes it on.
// The lock is held, and nobody is busy.
func (s *stand) next() *call {
	if len(s.queue) == 0 {
		return nil
	}
	c := s.queue[0]
	s.queue[0] = nil
	s.queue = s.queue[1:]
	c.baton = s
	return c
}

// leave notes that a consume is being answered. It returns the one that has the turn instead, if it had that and did not take it.
func (k *coordinator) leave(c *call) (next *call) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.drop(c.stand)
	return c.stand.abandon(c)
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
	s.seeks++
	p.sought = s.seeks
	s.positions[partition] = p
	s.given = slices.DeleteFunc(s.given, func(x stretch) bool { return x.partition == partition })
}
