package fsm

// Membership is what a group knows of a consumer that has subscribed to a topic.
type Membership struct {
	Generation uint64 // of the group
	// Joined is the revision of the consumer's last subscription to whatever topic: what an OpStreamEvict must name.
	Joined uint64
	// Begun is the revision of its last subscription to this topic. Its positions here are those since then: they outlive a
	// subscription to another topic.
	Begun   uint64
	Session uint64 // ms of silence after which it is to be removed
	Poll    uint64 // ms without a consume after which it is to be removed
}

// Owned is a partition that a consumer owns.
type Owned struct {
	Partition int32
	Since     uint64 // generation in which it got it, or a reset moved it: positions of before are void
	Committed int64  // -1: nothing
}

// Member appends to owned the partitions of a topic that a consumer owns, in order, and says what the group knows of it. A topic
// that is not there is NotFound; a consumer that is no member, or has not subscribed to the topic, Fenced. Any goroutine may call
// it.
func (m *Machine) Member(topic, group, consumer []byte, owned []Owned) (Membership, []Owned, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	t := m.topics[string(topic)]
	if t == nil {
		return Membership{}, owned, errNoTopic(topic)
	}
	var s *subscriber
	var sh *share
	g := m.groups[string(group)]
	if g != nil {
		if sh = g.share(t); sh != nil {
			s = sh.subscriber(string(consumer))
		}
	}
	if s == nil {
		return Membership{}, owned, errNoMember(topic, group, consumer)
	}
	for _, no := range s.parts {
		owned = append(owned, Owned{Partition: no, Since: sh.owners[no].since, Committed: sh.committed(no)})
	}
	return Membership{Generation: g.generation, Joined: s.x.joined, Begun: s.begun, Session: s.x.session, Poll: s.x.poll}, owned, nil
}

// Members calls fn for each member of each group, in the order of their names, with the revision of its last subscription and its
// times in ms. fn must not call the machine. Any goroutine may call it.
func (m *Machine) Members(fn func(group, consumer string, joined, session, poll uint64)) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	for _, g := range m.sortedGroups {
		for _, x := range g.members {
			fn(g.name, x.name, x.joined, x.session, x.poll)
		}
	}
}
