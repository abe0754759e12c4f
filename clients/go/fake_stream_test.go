package flin

import (
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// fakeTopic is a server's one topic, named events, and its one group. Who owns what is what a test says.
type fakeTopic struct {
	t testing.TB
	f *fake

	mu         sync.Mutex // guards what follows
	parts      []*fakePartition
	next       int64 // producer id
	generation uint64
	owner      map[int32]string // absent: nobody
	since      map[int32]uint64 // generation in which the owner got it, or in which it was reset
	members    map[string]bool
	position   map[int32]int64
	turns      map[string]fakeTurn // by member
	committed  map[int32]int64
	parked     []func() bool                                        // try to answer; true: it is answered
	hook       func(c *fakeConn, req *wire.Request) (done bool)     // called first, with mu held
	after      func(c *fakeConn, req *wire.Request, num int64) bool // called before an append is answered; true: it is not
	beats      chan string                                          // gets who has given a sign of life
}

// fakeTurn is a member's last turn that brought something.
type fakeTurn struct {
	number uint64
	before map[int32]int64 // positions
}

type fakePartition struct {
	batches   []record.Batch
	start     int64
	end       int64
	producers map[int64][]fakeAppend
}

// fakeAppend is what a partition knows of a producer's batch.
type fakeAppend struct {
	first, next int32
	base        int64
}

func newFakeTopic(t testing.TB, partitions int) *fakeTopic {
	s := &fakeTopic{
		t: t, f: newFake(t), owner: map[int32]string{}, since: map[int32]uint64{}, members: map[string]bool{}, position: map[int32]int64{},
		turns: map[string]fakeTurn{}, committed: map[int32]int64{}, beats: make(chan string, 1000), generation: 1,
	}
	for range partitions {
		s.parts = append(s.parts, &fakePartition{producers: map[int64][]fakeAppend{}})
	}
	s.f.welcome.MaxRequest = 32 << 20
	s.f.onRequest(s.serve)
	return s
}

func (s *fakeTopic) serve(c *fakeConn, req *wire.Request) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hook != nil && s.hook(c, req) {
		return true
	}
	switch req.Op {
	case wire.OpStreamInfo:
		info := wire.TopicInfo{Name: []byte("events"), Settings: wire.TopicSettings{MaxMessage: 1 << 20}, Partitions: make([]wire.PartitionInfo, len(s.parts))}
		c.answer(req.Tag, wire.Response{Body: info.Append(nil)})
	case wire.OpStreamProducer:
		s.next++
		c.answer(req.Tag, wire.Response{Num: s.next})
	case wire.OpStreamAppend:
		var m wire.StreamAppend
		s.check(m.Decode(req.Body))
		resp := s.append(&m)
		if s.after == nil || !s.after(c, req, resp.Num) {
			c.answer(req.Tag, resp)
		}
	case wire.OpStreamSubscribe:
		var m wire.StreamSubscribe
		s.check(m.Decode(req.Body))
		s.members[string(m.Consumer)] = true
		for p, who := range s.owner {
			if who == string(m.Consumer) {
				s.position[p] = s.committed[p]
			}
		}
		c.answer(req.Tag, s.assignment(string(m.Consumer)))
	case wire.OpStreamHeartbeat:
		var m wire.StreamMember
		s.check(m.Decode(req.Body))
		c.answer(req.Tag, s.assignment(string(m.Consumer)))
		s.beats <- string(m.Consumer)
	case wire.OpStreamUnsubscribe:
		var m wire.StreamMember
		s.check(m.Decode(req.Body))
		delete(s.members, string(m.Consumer))
		c.answer(req.Tag, wire.Response{Num: 1})
	case wire.OpStreamConsume:
		m := new(wire.StreamConsume)
		s.check(m.Decode(slices.Clone(req.Body)))
		s.park(c, req.Tag, m.Wait > 0, func() (wire.Response, bool) { return s.consume(m) })
	case wire.OpStreamCommit:
		var m wire.StreamCommit
		s.check(m.Decode(req.Body))
		c.answer(req.Tag, s.commit(&m))
	case wire.OpCancel: // what was parked may be answered all the same: nobody looks at it
	default:
		s.t.Errorf("%v was asked for", req.Op)
	}
	return true
}

func (s *fakeTopic) check(err error) {
	if err != nil {
		s.t.Error(err)
	}
}

// append does what the server does, duplicates and gaps included.
func (s *fakeTopic) append(m *wire.StreamAppend) wire.Response {
	b, err := record.Check(m.Batch, 1<<20)
	if err != nil {
		return wire.Fail(err)
	}
	p := s.parts[m.Partition]
	who := b.Producer()
	known := p.producers[who.ID]
	for _, a := range known {
		if a.first == who.Sequence {
			return wire.Response{Num: a.base}
		}
	}
	if n := len(known); n > 0 && known[n-1].next != who.Sequence {
		if who.Sequence < known[n-1].next {
			return wire.Failf(wire.Exists, "long ago")
		}
		return wire.Failf(wire.Conflict, "a gap: %d after %d", who.Sequence, known[n-1].next)
	}
	b = slices.Clone(b)
	b.Patch(p.end, 0)
	known = append(known, fakeAppend{who.Sequence, who.Sequence + int32(b.Count()), p.end})
	p.producers[who.ID] = known[max(0, len(known)-5):]
	p.batches = append(p.batches, b)
	p.end += int64(b.Count())
	s.wake()
	return wire.Response{Num: p.end - int64(b.Count())}
}

// values returns the values of a partition's records.
func (s *fakeTopic) values(partition int) (list []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.parts[partition]
	section := wire.StreamSection{To: p.end, Batches: slices.Concat(p.raw(0)...)}
	records, err := appendSection(nil, "events", &section)
	s.check(err)
	for i, r := range records {
		if r.Offset != int64(i) {
			s.t.Errorf("number %d has offset %d", i, r.Offset)
		}
		list = append(list, string(r.Value))
	}
	return list
}

// raw returns the batches that have records from an offset on.
func (p *fakePartition) raw(from int64) (list [][]byte) {
	for _, b := range p.batches {
		if b.LastOffset() >= from {
			list = append(list, b)
		}
	}
	return list
}

// put appends values to a partition, one batch each.
func (s *fakeTopic) put(partition int32, values ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v := range values {
		var b record.Builder
		b.Add(&record.Record{Timestamp: 1000, Value: []byte(v)})
		raw, err := b.AppendTo(nil, NoCompression, record.Producer{ID: -1, Sequence: int32(s.parts[partition].end)})
		s.check(err)
		s.append(&wire.StreamAppend{Partition: partition, Batch: raw})
	}
}

// assign makes a consumer the owner of partitions, and nobody else of any, in a new generation.
func (s *fakeTopic) assign(consumer string, partitions ...int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.generation++
	before := maps.Clone(s.owner)
	clear(s.owner)
	for _, p := range partitions {
		s.owner[p] = consumer
		s.position[p] = s.committed[p]
		if before[p] != consumer {
			s.since[p] = s.generation
		}
	}
	s.wake()
}

// reset moves the group in a partition. It is called with mu held.
func (s *fakeTopic) reset(partition int32, offset int64) {
	s.generation++
	s.since[partition] = s.generation
	s.committed[partition], s.position[partition] = offset, offset
	s.wake()
}

func (s *fakeTopic) assignment(consumer string) wire.Response {
	if !s.members[consumer] {
		return wire.Failf(wire.Fenced, "%s is no member", consumer)
	}
	m := wire.StreamAssignment{Generation: s.generation}
	for p := range s.parts {
		if s.owner[int32(p)] == consumer {
			m.Partitions = append(m.Partitions, int32(p))
		}
	}
	return wire.Response{Body: m.Append(nil)}
}

// park answers now, or when something has come.
func (s *fakeTopic) park(c *fakeConn, tag uint64, wait bool, try func() (wire.Response, bool)) {
	generation := s.generation
	answer := func() bool {
		resp, ok := try()
		if ok || s.generation != generation {
			c.answer(tag, resp)
			return true
		}
		return false
	}
	if answer() {
		return
	}
	if !wait {
		resp, _ := try()
		c.answer(tag, resp)
		return
	}
	s.parked = append(s.parked, answer)
}

func (s *fakeTopic) wake() {
	s.parked = slices.DeleteFunc(s.parked, func(answer func() bool) bool { return answer() })
}

// consume hands out all that there is of the member's partitions; false: there is nothing.
func (s *fakeTopic) consume(m *wire.StreamConsume) (wire.Response, bool) {
	if !s.members[string(m.Consumer)] {
		return wire.Failf(wire.Fenced, "%s is no member", m.Consumer), true
	}
	if last := s.turns[string(m.Consumer)]; m.Turn != 0 && m.Turn == last.number {
		maps.Copy(s.position, last.before)
	}
	resp := wire.Response{Body: wire.AppendUvarint(nil, s.generation)}
	before := map[int32]int64{}
	for i, p := range s.parts {
		n := int32(i)
		from := max(s.position[n], p.start)
		to := min(p.end, from+int64(m.Count)-resp.Num)
		if s.owner[n] != string(m.Consumer) || from >= to {
			continue
		}
		section := wire.StreamSection{Partition: n, From: from, To: to, Start: p.start, End: p.end, Batches: slices.Concat(p.raw(from)...)}
		resp.Body = section.Append(resp.Body)
		resp.Num += to - from
		before[n] = from
		s.position[n] = to
	}
	if resp.Num > 0 {
		s.turns[string(m.Consumer)] = fakeTurn{m.Turn, before}
	}
	return resp, resp.Num > 0
}

func (s *fakeTopic) commit(m *wire.StreamCommit) wire.Response {
	for _, o := range m.Offsets {
		if m.Generation != 0 && s.owner[o.Partition] != string(m.Consumer) {
			return wire.Failf(wire.Fenced, "partition %d is not %s's", o.Partition, m.Consumer)
		}
		if m.Generation != 0 && s.since[o.Partition] > m.Generation {
			return wire.Failf(wire.Fenced, "partition %d was another's since generation %d", o.Partition, m.Generation)
		}
	}
	for _, o := range m.Offsets {
		s.committed[o.Partition] = o.Offset
	}
	return wire.Response{Num: int64(len(m.Offsets))}
}

// commits returns what is committed of partitions 0 and up.
func (s *fakeTopic) commits() (list []int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for p := range s.parts {
		list = append(list, s.committed[int32(p)])
	}
	return list
}
