package flin

import (
	"context"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// SubscribeOption modifies Subscribe and Reader.
type SubscribeOption interface {
	ReaderOption
	subscribe(m *wire.StreamSubscribe)
}

type subscribeFunc func(m *wire.StreamSubscribe)

func (f subscribeFunc) subscribe(m *wire.StreamSubscribe) { f(m) }
func (f subscribeFunc) reader(r *Reader)                  { f(&r.member) }

// FromLatest lets a group that has no offsets in a topic begin behind the last record, and not at the first.
func FromLatest() SubscribeOption {
	return subscribeFunc(func(m *wire.StreamSubscribe) { m.Latest = true })
}

// SessionTimeout is after how long a silence a member is removed from its group, 1 ms to 30 minutes: by default 10 s. The client
// gives a sign of life at every third of it.
func SessionTimeout(d time.Duration) SubscribeOption {
	return subscribeFunc(func(m *wire.StreamSubscribe) { m.Session = max(milliseconds(d), 1) })
}

// MaxPoll is after how long without a Consume a member is removed from its group all the same, 1 ms to a day: by default 5 minutes.
func MaxPoll(d time.Duration) SubscribeOption {
	return subscribeFunc(func(m *wire.StreamSubscribe) { m.Poll = max(milliseconds(d), 1) })
}

// RangeAssignor shares the partitions out in the order of their numbers and of the members' names. Without it a member keeps what it
// has where it can. A group has the assignor of its first member; another one is ErrConflict.
func RangeAssignor() SubscribeOption {
	return subscribeFunc(func(m *wire.StreamSubscribe) { m.Assignor = wire.AssignRange })
}

// Subscribe makes a consumer a member of a group that shares the partitions of a topic. When it returns the member owns its
// partitions. A group that has committed nothing begins at the first record that is kept (FromLatest says otherwise). A consumer may
// subscribe to several topics; of one that has subscribed already what was consumed and not committed comes again.
//
// From here to Unsubscribe, or to the client's Close, the client says again and again that the member is alive. One that was silent for
// its SessionTimeout, because the server could not be reached, or has not consumed for MaxPoll, is removed: others get its partitions,
// and its calls are ErrFenced.
func (s *Stream) Subscribe(topic, group, consumer string, opts ...SubscribeOption) error {
	m := wire.StreamSubscribe{Topic: []byte(topic), Group: []byte(group), Consumer: []byte(consumer)}
	for _, o := range opts {
		o.subscribe(&m)
	}
	_, err := s.subscribe(&m, memberKey{topic, group, consumer}, nil)
	return err
}

// subscribe lets hears, if it is not nil, know what each sign of life of the member brings, ErrFenced included.
func (s *Stream) subscribe(m *wire.StreamSubscribe, key memberKey, hears func(Assignment, error)) (Assignment, error) {
	resp, err := s.ask(wire.OpStreamSubscribe, repeats, m)
	if err != nil {
		return Assignment{}, err
	}
	session := m.Session
	if session == 0 {
		session = wire.DefaultSession
	}
	s.client.members.joined(key, millisecondsOf(session), hears)
	return assignment(wire.OpStreamSubscribe, resp.Body)
}

// Unsubscribe ends a consumer's membership as far as a topic is concerned, or with an empty topic as a whole. Others get its
// partitions at once. One that was no member is no error. After a failure no more is said of the member's being alive, so that it is
// removed after its SessionTimeout in any case.
func (s *Stream) Unsubscribe(topic, group, consumer string) error {
	key := memberKey{topic, group, consumer}
	s.client.members.leaves(key)
	_, err := s.ask(wire.OpStreamUnsubscribe, repeats, &wire.StreamMember{Topic: []byte(topic), Group: []byte(group), Consumer: []byte(consumer)})
	if err == nil {
		s.client.members.left(key, time.Now())
	}
	return err
}

// Consume returns up to count records, 1 to 10,000, of the partitions that a member owns, from where its last Consume ended: at first
// from what its group has committed. It returns what is there, nothing and no error if nothing is; Wait waits. The order of a
// partition is kept. ErrFenced says that the consumer is no member, or none any more: after a new Subscribe what was not committed
// comes again.
//
// What is consumed and not committed comes again, to another member, when the consumer leaves or is lost. One consumer's calls are
// made one after the other. One whose answer was lost is repeated, and so is the next one: its records come then.
//
// That holds for the client that has subscribed the consumer. By another the records of a lost answer, ErrOutcomeUnknown, come only
// after a new Subscribe. Of two clients that have both subscribed one consumer, one is ErrFenced.
func (s *Stream) Consume(topic, group, consumer string, count int, opts ...ConsumeOption) ([]Record, error) {
	m := wire.StreamConsume{Topic: []byte(topic), Group: []byte(group), Consumer: []byte(consumer), Count: uint64(max(count, 0))}
	for _, o := range opts {
		o.consume(&m)
	}
	list, _, err := s.consume(&m, memberKey{topic, group, consumer})
	return list, err
}

// consumed is what a consume says beside its records.
type consumed struct {
	generation uint64 // of the group
	spans      []span
}

// span is what a consume hands out of a partition: the records from one offset up to another.
type span struct {
	partition int
	from, to  int64
	start     int64 // the first that the partition keeps
}

func (s *Stream) consume(m *wire.StreamConsume, key memberKey) ([]Record, consumed, error) {
	who := s.client.members.find(key)
	if who == nil { // another client counts its consumes
		m.Turn = 0
		return s.take(m, key)
	}
	select {
	case <-who.turn:
	case <-s.client.ctx.Done():
		return nil, consumed{}, s.client.over(&call{op: wire.OpStreamConsume, read: true}, false, context.Cause(s.client.ctx))
	}
	defer func() { who.turn <- struct{}{} }()
	m.Turn = who.turns + 1
	list, c, err := s.take(m, key)
	if err == nil { // else the next one has the same number, and brings what this one may have been to bring
		who.turns = m.Turn
	}
	return list, c, err
}

// take makes one consume. Without a turn it cannot be repeated: what its answer had does not come again.
func (s *Stream) take(m *wire.StreamConsume, key memberKey) ([]Record, consumed, error) {
	k := newCall(wire.OpStreamConsume, m.Turn != 0)
	k.payload, k.takes, k.wait = m, m.Turn == 0, millisecondsOf(m.Wait)
	err := s.client.do(k)
	resp := k.resp
	k.release()
	if err != nil {
		return nil, consumed{}, err
	}
	r := wire.NewReader(resp.Body)
	c := consumed{generation: r.Uvarint()}
	list := roomForRecords(resp.Num, len(resp.Body))
	var section wire.StreamSection
	for r.Len() > 0 {
		wire.TakeStreamSection(&r, &section)
		if r.Err() != nil {
			break
		}
		if list, err = appendSection(list, key.topic, &section); err != nil {
			return nil, consumed{}, badAnswer(wire.OpStreamConsume, err)
		}
		c.spans = append(c.spans, span{int(section.Partition), section.From, section.To, section.Start})
	}
	if err := r.Close(); err != nil {
		return nil, consumed{}, badAnswer(wire.OpStreamConsume, err)
	}
	s.client.members.consumed(key, &c)
	return list, c, nil
}

// Seek moves a member's position in a partition that it owns: the next Consume begins there. What is committed stays. offset may be
// Earliest or Latest; Seek returns what it is. ErrFenced if the member does not own the partition, ErrOutOfRange as Fetch.
func (s *Stream) Seek(topic, group, consumer string, partition int, offset int64) (int64, error) {
	resp, err := s.ask(wire.OpStreamSeek, repeats, &wire.StreamSeek{
		Topic: []byte(topic), Group: []byte(group), Consumer: []byte(consumer), Partition: number(partition), Offset: offset,
	})
	if err != nil {
		return 0, err
	}
	return resp.Num, nil
}
