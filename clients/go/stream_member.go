package flin

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// memberKey names a member of a group, and the topic that it has subscribed to.
type memberKey struct{ topic, group, consumer string }

// covers reports whether a consumer of a group is meant that has to do with a topic; without a topic k means any.
func (k memberKey) covers(topic, group, consumer string) bool {
	return k.group == group && k.consumer == consumer && (k.topic == topic || k.topic == "")
}

// member is what the client knows of a member that it has subscribed.
type member struct {
	turn  chan struct{} // has its element while nobody consumes; who has taken it owns turns
	turns uint64        // the number of the last consume whose answer came

	// Guarded by members.mu.
	every time.Duration           // between two signs of life; 0: the client gives none, since the member is to leave or is none any more
	next  time.Time               // the next of them
	since uint64                  // counts its subscriptions
	hears func(Assignment, error) // gets what each sign of life brings, if it is not nil
}

// part names what is committed: a partition of a topic, for a group.
type part struct {
	topic, group string
	partition    int32
}

// stand is who has consumed a partition last, and in which generation of the group.
type stand struct {
	consumer   string
	generation uint64
}

// noted is a stand that a client knows of.
type noted struct {
	stand
	left time.Time // when its consumer left; zero: it did not
}

// remembered is for how long the stands of a consumer that has left are known still: what it commits late is to be refused if
// another owns the partition by then.
const remembered = 10 * time.Minute

// members are the members of groups that a client and all that With has made of it have subscribed. While there are any, one
// goroutine says for all of them that they are alive.
type members struct {
	client *Client // its calls end with the client

	mu      sync.Mutex // guards what follows; never held across a request
	all     map[memberKey]*member
	stands  map[part]noted
	beating bool
	wake    chan struct{} // has an element when a member has come whose next sign of life may be the first
}

func newMembers(c *Client) *members {
	return &members{client: c, all: map[memberKey]*member{}, stands: map[part]noted{}, wake: make(chan struct{}, 1)}
}

// find returns a member, or nil if this client has not subscribed it.
func (s *members) find(key memberKey) *member {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.all[key]
}

// joined notes that a member has subscribed, and begins to give signs of life for it.
func (s *members) joined(key memberKey, session time.Duration, hears func(Assignment, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.all[key]
	if m == nil {
		m = &member{turn: make(chan struct{}, 1)}
		m.turn <- struct{}{}
		s.all[key] = m
	}
	m.hears = hears
	m.every = max(session/3, time.Millisecond)
	m.next = time.Now().Add(m.every)
	m.since++
	if !s.beating {
		s.beating = s.client.pool.start(s.beat)
		return
	}
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// leaves ends the signs of life of a member that is about to leave. As long as it has not it counts its consumes on.
func (s *members) leaves(key memberKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, m := range s.all {
		if key.covers(k.topic, k.group, k.consumer) {
			m.every, m.hears = 0, nil
		}
	}
}

// left notes that a member has left by now, unless it has subscribed again meanwhile.
func (s *members) left(key memberKey, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.all, func(k memberKey, m *member) bool {
		return m.every == 0 && key.covers(k.topic, k.group, k.consumer)
	})
	for at, of := range s.stands {
		switch {
		case !of.left.IsZero():
			if now.Sub(of.left) > remembered {
				delete(s.stands, at)
			}
		case key.covers(at.topic, at.group, of.consumer):
			of.left = now
			s.stands[at] = of
		}
	}
}

// consumed notes by whom sections were consumed. An answer that comes late does not count if another member has consumed the
// partition since.
func (s *members) consumed(key memberKey, c *consumed) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range c.spans {
		at := part{key.topic, key.group, int32(c.spans[i].partition)}
		if of := s.stands[at]; of.left.IsZero() && of.consumer != key.consumer && of.generation > c.generation {
			continue
		}
		s.stands[at] = noted{stand: stand{key.consumer, c.generation}}
	}
}

// stand returns who has consumed a partition last; nobody that this client knows of: zero.
func (s *members) stand(topic, group string, partition int32) stand {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stands[part{topic, group, partition}].stand
}

// beat gives signs of life until no member is left or the client is closed.
func (s *members) beat() {
	var signs sync.WaitGroup
	defer signs.Wait()
	t := time.NewTimer(0)
	defer t.Stop()
	for {
		next, more := s.due(&signs)
		if !more {
			return
		}
		t.Reset(time.Until(next))
		select {
		case <-t.C:
		case <-s.wake:
		case <-s.client.pool.ctx.Done():
			return
		}
	}
}

// due gives the signs of life whose time has come, and returns when the next ones are due; false: there is no member left.
func (s *members) due(signs *sync.WaitGroup) (next time.Time, more bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	for key, m := range s.all {
		if m.every == 0 {
			continue
		}
		if !m.next.After(now) {
			m.next = now.Add(m.every)
			since, limit := m.since, m.every
			signs.Go(func() { s.sign(key, m, since, limit) })
		}
		if !more || m.next.Before(next) {
			next, more = m.next, true
		}
	}
	s.beating = more
	return next, more
}

// sign says that a member is alive. One that is none any more is given up, unless it has subscribed again meanwhile.
func (s *members) sign(key memberKey, m *member, since uint64, limit time.Duration) {
	ctx, cancel := context.WithTimeout(s.client.pool.ctx, limit)
	defer cancel()
	a, err := s.client.With(ctx).Stream.Assignment(key.topic, key.group, key.consumer)
	fenced := errors.Is(err, ErrFenced)
	if err != nil && !fenced {
		return // it may pass, and the next sign comes soon
	}
	s.mu.Lock()
	var hears func(Assignment, error)
	if m.since == since {
		if hears = m.hears; fenced {
			m.every = 0
		}
	}
	s.mu.Unlock()
	if hears != nil {
		hears(a, err)
	}
}

// Assignment is what a member of a group owns of a topic.
type Assignment struct {
	Generation uint64 // of the group; grows with every change of its members or of what they own
	Partitions []int
}

// Assignment returns what a member owns of a topic, and is a sign of life of it; ErrFenced if it is no member.
func (s *Stream) Assignment(topic, group, consumer string) (Assignment, error) {
	resp, err := s.ask(wire.OpStreamHeartbeat, reads, &wire.StreamMember{Topic: []byte(topic), Group: []byte(group), Consumer: []byte(consumer)})
	if err != nil {
		return Assignment{}, err
	}
	return assignment(wire.OpStreamHeartbeat, resp.Body)
}

func assignment(op wire.Op, body []byte) (Assignment, error) {
	var m wire.StreamAssignment
	if err := m.Decode(body); err != nil {
		return Assignment{}, badAnswer(op, err)
	}
	a := Assignment{Generation: m.Generation, Partitions: make([]int, len(m.Partitions))}
	for i, p := range m.Partitions {
		a.Partitions[i] = int(p)
	}
	return a, nil
}
