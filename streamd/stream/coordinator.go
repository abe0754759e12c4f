package stream

import (
	"sync"

	"github.com/skshohagmiah/flin/pkg/wire"
	"github.com/skshohagmiah/flin/streamd/stream/internal/fsm"
)

// coordinator knows of the members of groups what no log does: when they were last heard of, and where they stand between two
// commits. Only the node that leads has it, and it forgets everything when a term of another leader has passed: then members begin
// at what is committed, and have all their time again.
type coordinator struct {
	clock func() int64 // ms

	mu     sync.Mutex // guards all of it; never held while the machine or the group is asked
	term   uint64     // of this node's leadership
	groups map[string]map[string]*member
	sweeps uint64
}

// member is a consumer in a group.
type member struct {
	joined        uint64 // revision of its last subscription
	session, poll int64  // ms
	seen          int64  // when it was last heard of
	polled        int64  // when it last consumed
	active        int    // consumes that have not been answered: it is alive as long
	stands        map[string]*stand
	sweep         uint64 // in which it was last found
}

func newCoordinator(clock func() int64) *coordinator {
	return &coordinator{clock: clock, groups: make(map[string]map[string]*member)}
}

// rule forgets what was known in an earlier term. The lock is held.
func (k *coordinator) rule(term uint64) {
	if term > k.term {
		k.term, k.groups = term, make(map[string]map[string]*member)
	}
}

// find returns a member that is known, or nil. The lock is held.
func (k *coordinator) find(group, consumer []byte) *member {
	return k.groups[string(group)][string(consumer)]
}

// member returns what is known of a member, from now on. One that has subscribed again has all its time again. The lock is held.
func (k *coordinator) member(group, consumer string, joined, session, poll uint64) *member {
	g := k.groups[group]
	if g == nil {
		g = make(map[string]*member)
		k.groups[group] = g
	}
	x := g[consumer]
	if x == nil {
		x = &member{stands: make(map[string]*stand), sweep: k.sweeps + 1} // the sweep that is under way may not know it
		g[consumer] = x
	}
	if joined > x.joined {
		x.joined, x.session, x.poll = joined, int64(session), int64(poll)
		x.seen = k.clock()
		x.polled = x.seen
	}
	return x
}

// known is member for names that are on loan.
func (k *coordinator) known(group, consumer []byte, ms *fsm.Membership) *member {
	if x := k.find(group, consumer); x != nil && x.joined >= ms.Joined {
		return x
	}
	return k.member(string(group), string(consumer), ms.Joined, ms.Session, ms.Poll)
}

// beat notes that a member has said that it is alive.
func (k *coordinator) beat(term uint64, m *wire.StreamMember, ms *fsm.Membership) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.rule(term)
	k.known(m.Group, m.Consumer, ms).seen = k.clock()
}

// committed notes that a member commits: the payload of an OpStreamCommit may name one.
func (k *coordinator) committed(body []byte) {
	r := wire.NewReader(body)
	_, group, consumer := r.Bytes(), r.Bytes(), r.Bytes()
	if len(consumer) == 0 {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if x := k.find(group, consumer); x != nil {
		x.seen = k.clock()
	}
}

// present is a member that the log has.
type present struct {
	group, consumer       string
	joined, session, poll uint64
}

// silent lists the members that have been silent for too long, by group, of all that there are, which are in the order of their
// groups; others are forgotten. It also returns in how many ms the next will have been, if it stays silent; at most limit.
func (k *coordinator) silent(term uint64, all []present, limit int64) (late []wire.StreamEvict, next int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.rule(term)
	k.sweeps++
	next = limit
	now := k.clock()
	for i := range all {
		p := &all[i]
		x := k.member(p.group, p.consumer, p.joined, p.session, p.poll)
		x.sweep = k.sweeps
		if x.active > 0 || x.joined != p.joined {
			continue
		}
		left := min(x.seen+x.session, x.polled+x.poll) - now
		if left > 0 {
			next = min(next, left)
			continue
		}
		if n := len(late); n == 0 || string(late[n-1].Group) != p.group {
			late = append(late, wire.StreamEvict{Group: []byte(p.group)})
		}
		e := &late[len(late)-1]
		e.Members = append(e.Members, wire.StreamEvicted{Consumer: []byte(p.consumer), Joined: p.joined})
	}
	k.sweepOut()
	return late, next
}

// sweepOut forgets members that the last sweep has not found. The lock is held.
func (k *coordinator) sweepOut() {
	for group, members := range k.groups {
		for name, x := range members {
			if x.sweep != k.sweeps && x.active == 0 {
				delete(members, name)
			}
		}
		if len(members) == 0 {
			delete(k.groups, group)
		}
	}
}
