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

// member is what the client knows of a member that it consumes for.
type member struct {
	turn  chan struct{} // has its element while nobody consumes; who has taken it owns turns
	turns uint64        // the number of the last consume whose answer came

	// Guarded by members.mu.
	every time.Duration           // between two signs of life; 0: the client gives none, since it has not subscribed for it
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

// members are the members of groups that a client and all that With has made of it consume for. While there are any that it has
// subscribed, one goroutine says for all of them that they are alive.
type members struct {
	client *Client // its calls end with the client

	mu      sync.Mutex // guards what follows; never held across a request
	all     map[memberKey]*member
	stands  map[part]stand
	beating bool
	wake    chan struct{} // has an element when a member has come whose next sign of life may be the first
}

func newMembers(c *Client) *members {
	return &members{client: c, all: map[memberKey]*member{}, stands: map[part]stand{}, wake: make(chan struct{}, 1)}
}

// get returns a member. It is called with mu held.
func (s *members) get(key memberKey) *member {
	m := s.all[key]
	if m == nil {
		m = &member{turn: make(chan struct{}, 1)}
		m.turn <- struct{}{}
		s.all[key] = m
	}
	return m
}

// find returns a member, whether or not it is subscribed.
func (s *members) find(key memberKey) *member {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.get(key)
}

// joined notes that a member has subscribed, and begins to give signs of life for it.
func (s *members) joined(key memberKey, session time.Duration, hears func(Assignment, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.get(key)
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

// left notes that a member is none any more, with an empty topic of any.
func (s *members) left(key memberKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	maps.DeleteFunc(s.all, func(k memberKey, _ *member) bool {
		return k.group == key.group && k.consumer == key.consumer && (k.topic == key.topic || key.topic == "")
	})
}

// consumed notes by whom sections were consumed.
func (s *members) consumed(key memberKey, generation uint64, partition int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stands[part{key.topic, key.group, partition}] = stand{key.consumer, generation}
}

// stand returns who has consumed a partition last; nobody that this client knows of: zero.
func (s *members) stand(topic, group string, partition int32) stand {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stands[part{topic, group, partition}]
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
