package fsm

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// player makes commands over few topics and groups, so that they meet, and learns from the answers.
type player struct {
	r         *rand.Rand
	now       int64
	count     int
	sequences map[string]int32 // of the next batch, by topic, partition and producer
	sent      []wire.StreamAppend
	joined    []wire.StreamEvict

	generations map[string]uint64 // of groups, when somebody subscribed last
}

func newPlayer(seed uint64) *player {
	return &player{r: rand.New(rand.NewPCG(seed, 1)), sequences: map[string]int32{}, generations: map[string]uint64{}}
}

func (p *player) chance(n int) bool { return p.r.IntN(n) == 0 }

func (p *player) pick(names ...string) []byte { return []byte(names[p.r.IntN(len(names))]) }

func (p *player) topic() []byte    { return p.pick("a", "a", "a", "b", "b", "c") }
func (p *player) group() []byte    { return p.pick("g", "g", "h", "i") }
func (p *player) consumer() []byte { return p.pick("x", "y", "z", "w", "v") }

func (p *player) partition() int32 { return int32(p.r.IntN(5)) }

// batch makes a batch of a few records, some compressed, some from a producer.
func (p *player) batch(topic []byte, partition int32) []byte {
	var rb record.Builder
	n := 1 + p.r.IntN(4)
	for range n {
		p.count++
		value := fmt.Appendf(nil, "record %d", p.count)
		if p.chance(10) {
			value = append(value, make([]byte, p.r.IntN(3000))...)
		}
		rb.Add(&record.Record{Timestamp: max(p.now-int64(p.r.IntN(3000)), 0), Value: value})
	}
	from := record.NoProducer
	if p.chance(2) {
		pid := int64(p.r.IntN(3))
		name := fmt.Sprint(string(topic), partition, pid)
		from = record.Producer{ID: pid, Sequence: p.sequences[name]}
		switch p.r.IntN(15) {
		case 0:
			from.Sequence += 2
		case 1:
			from.Epoch = int16(p.r.IntN(3))
			from.Sequence = 0
		default:
			p.sequences[name] += int32(n)
		}
	}
	codec := wire.CompressionNone
	if p.chance(3) {
		codec = wire.Compression(p.r.IntN(5))
	}
	out, err := rb.AppendTo(nil, codec, from)
	if err != nil {
		panic(err)
	}
	return out
}

func (p *player) append() command {
	if len(p.sent) > 0 && p.chance(6) {
		return command{Op: wire.OpStreamAppend, Body: p.sent[p.r.IntN(len(p.sent))].Append(nil)}
	}
	m := wire.StreamAppend{Topic: p.topic(), Partition: p.partition()}
	m.Batch = p.batch(m.Topic, m.Partition)
	if p.sent = append(p.sent, m); len(p.sent) > 20 {
		p.sent = p.sent[1:]
	}
	return command{Op: wire.OpStreamAppend, Body: m.Append(nil)}
}

// command makes the next command.
func (p *player) command() command {
	t, g, c := p.topic(), p.group(), p.consumer()
	switch n := p.r.IntN(100); {
	case n < 50:
		return p.append()
	case n < 58:
		m := wire.StreamSubscribe{Topic: t, Group: g, Consumer: c, Latest: p.chance(2)}
		if p.chance(8) {
			m.Assignor = wire.AssignRange
		}
		return command{Op: wire.OpStreamSubscribe, Body: m.Append(nil)}
	case n < 62:
		m := wire.StreamMember{Topic: t, Group: g, Consumer: c}
		if p.chance(3) {
			m.Topic = nil
		}
		return command{Op: wire.OpStreamUnsubscribe, Body: m.Append(nil)}
	case n < 74:
		m := wire.StreamCommit{Topic: t, Group: g}
		switch p.r.IntN(4) {
		case 0:
			m.Group = []byte("lone") // which nobody joins
		case 1:
			m.Consumer = c
		case 2:
			m.Generation = p.generations[string(g)] + uint64(p.r.IntN(3))
		}
		for range 1 + p.r.IntN(3) {
			m.Offsets = append(m.Offsets, wire.StreamCommitted{Partition: p.partition(), Offset: int64(p.r.IntN(40)), Metadata: p.pick("", "", "note")})
		}
		return command{Op: wire.OpStreamCommit, Body: m.Append(nil)}
	case n < 79:
		return command{Op: wire.OpStreamRetain, Body: wire.AppendLimit(nil, 1+p.r.IntN(6))}
	case n < 82:
		return command{Op: wire.OpStreamExpire, Body: wire.AppendLimit(nil, 1+p.r.IntN(3))}
	case n < 85:
		return command{Op: wire.OpStreamCollect, Body: wire.AppendLimit(nil, 1+p.r.IntN(6))}
	case n < 88:
		if len(p.joined) > 0 {
			i := p.r.IntN(len(p.joined))
			m := p.joined[i]
			p.joined = slices.Delete(p.joined, i, i+1)
			return command{Op: wire.OpStreamEvict, Body: m.Append(nil)}
		}
		return command{Op: wire.OpStreamProducer, Body: nil}
	}
	return p.rare(t, g)
}

// rare makes a command that changes a topic or a group as a whole, or a read.
func (p *player) rare(t, g []byte) command {
	switch p.r.IntN(16) {
	case 0:
		return command{Op: wire.OpStreamDelete, Body: t}
	case 1:
		return command{Op: wire.OpStreamDeleteGroup, Body: (&wire.StreamGroupName{Group: p.pick("g", "h", "lone", "lone")}).Append(nil)}
	case 2, 3:
		m := wire.StreamReset{Topic: t, Group: g}
		for range 1 + p.r.IntN(2) {
			m.Resolved = append(m.Resolved, wire.StreamOffset{Partition: p.partition(), Offset: int64(p.r.IntN(20))})
		}
		return command{Op: wire.OpStreamReset, Body: m.Append(nil)}
	case 4:
		return command{Op: wire.OpStreamInfo, Body: t}
	case 5:
		return command{Op: wire.OpStreamGroup, Body: (&wire.StreamGroupName{Group: g}).Append(nil)}
	case 6:
		return command{Op: wire.OpStreamGroups, Body: (&wire.StreamList{}).Append(nil)}
	case 7:
		return command{Op: wire.OpStreamOffsets, Body: (&wire.StreamOffsets{Topic: t, Partition: wire.AnyPartition, Time: p.now - int64(p.r.IntN(4000))}).Append(nil)}
	case 8:
		return command{Op: wire.OpStreamProducer, Body: nil}
	}
	m := wire.TopicCreate{Topic: t, Fields: wire.TopicFields(p.r.IntN(16)), Partitions: uint64(p.r.IntN(6))}
	m.Settings = wire.TopicSettings{
		Retention: int64(p.r.IntN(4000) - 1), MaxBytes: int64(p.r.IntN(3000) - 1), MaxMessage: 1 << 20,
		Compression: wire.Compression(p.r.IntN(5)),
	}
	if p.chance(3) {
		return command{Op: wire.OpStreamAlter, Body: m.Append(nil)}
	}
	return command{Op: wire.OpStreamCreate, Body: m.Append(nil)}
}

// learn takes from an answer what later commands need.
func (p *player) learn(c command, rev uint64, ans *wire.Response) {
	if ans.Code != wire.OK || c.Op != wire.OpStreamSubscribe {
		return
	}
	var m wire.StreamSubscribe
	_ = m.Decode(c.Body)
	var a wire.StreamAssignment
	_ = a.Decode(ans.Body)
	p.generations[string(m.Group)] = a.Generation
	p.joined = append(p.joined, wire.StreamEvict{Group: m.Group, Members: []wire.StreamEvicted{{Consumer: m.Consumer, Joined: rev}}})
	if len(p.joined) > 20 {
		p.joined = p.joined[1:]
	}
}

// record plays a random log of n entries and keeps it.
func (p *player) record(b *bench, n int) (log []entry) {
	b.Now = max(b.Now, 1_000_000)
	for range n {
		switch p.r.IntN(12) {
		case 0:
			b.Now += int64(p.r.IntN(3000))
		case 1:
			if p.chance(8) {
				b.Now += expiry / 2
			}
		default:
			b.Now += int64(p.r.IntN(60))
		}
		p.now = b.Now
		e := entry{Time: b.Now}
		for range p.r.IntN(6) {
			e.Cmds = append(e.Cmds, p.command())
		}
		rev := b.Rev
		e.Answers = b.Apply(e.Cmds...)
		for i := range e.Answers {
			if KindOf(e.Cmds[i].Op) != Read {
				rev++
			}
			p.learn(e.Cmds[i], rev, &e.Answers[i])
		}
		log = append(log, e)
	}
	return log
}
