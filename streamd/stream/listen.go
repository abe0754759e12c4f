package stream

// place is where something can happen that a call waits for.
type place struct {
	kind      placeKind
	name      string // of the topic or the group
	partition int32
}

type placeKind uint8

const (
	inPartition placeKind = iota // something is appended
	inTopic                      // it is altered or deleted
	inGroup                      // its members or what they own have changed
)

// spot is one place at which a call listens. Those of the same place are a list.
type spot struct {
	call       *call
	at         place
	next, prev *spot
}

// listen makes a call listen at the places of what it looks at, instead of where it did. Only the goroutine that has the call may
// call it.
func (d *calls) listen(c *call, topic, group []byte, partitions func(yield func(int32) bool)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unlisten(c)
	name := string(topic)
	c.spots = append(c.spots[:0], spot{at: place{inTopic, name, 0}})
	if group != nil {
		c.spots = append(c.spots, spot{at: place{inGroup, string(group), 0}})
	}
	for p := range partitions {
		c.spots = append(c.spots, spot{at: place{inPartition, name, p}})
	}
	for i := range c.spots {
		s := &c.spots[i]
		s.call, s.next = c, d.spots[s.at]
		if s.next != nil {
			s.next.prev = s
		}
		d.spots[s.at] = s
	}
	c.listening, c.woken = true, false
	d.listeners.Add(1)
}

// unlisten ends that. The lock is held.
func (d *calls) unlisten(c *call) {
	if !c.listening {
		return
	}
	c.listening = false
	d.listeners.Add(-1)
	for i := range c.spots {
		s := &c.spots[i]
		if s.next != nil {
			s.next.prev = s.prev
		}
		switch {
		case s.prev != nil:
			s.prev.next = s.next
		case s.next != nil:
			d.spots[s.at] = s.next
		default:
			delete(d.spots, s.at)
		}
		*s = spot{}
	}
	c.spots = c.spots[:0]
}

// appended is called on the apply goroutine when a partition has got records.
func (d *calls) appended(topic string, partition int, _ int64) {
	d.stir(place{inPartition, topic, int32(partition)})
}

// retopiced is called on the apply goroutine when a topic was made, altered or deleted.
func (d *calls) retopiced(topic string) { d.stir(place{inTopic, topic, 0}) }

// regrouped is called on the apply goroutine when a group's members, or what they own, have changed.
func (d *calls) regrouped(group string) { d.stir(place{inGroup, group, 0}) }

// stir wakes those who listen at a place, and has those who are about to park look again.
func (d *calls) stir(at place) {
	if d.listeners.Load() == 0 {
		return
	}
	var few [16]*call
	woken := few[:0]
	d.mu.Lock()
	for s := d.spots[at]; s != nil; s = s.next {
		if c := s.call; c.parked {
			d.unpark(c)
			woken = append(woken, c)
		} else {
			c.woken = true
		}
	}
	d.mu.Unlock()
	for _, c := range woken {
		c.gate()
	}
}
