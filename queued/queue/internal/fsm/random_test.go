package fsm

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func sortedStrings(list []string) []string {
	slices.Sort(list)
	return list
}

// player makes commands over few queues, so that they meet, and learns receipts and ids from the answers.
type player struct {
	r        *rand.Rand
	receipts []held
	taken    []wire.QueueReturn
	ids      []wire.QueueMessageID
	nonce    uint64
	count    int
}

type held struct {
	queue string
	r     wire.Receipt
}

func newPlayer(seed uint64) *player { return &player{r: rand.New(rand.NewPCG(seed, 1))} }

func (p *player) queue() []byte {
	return []byte([]string{"a", "a", "a", "b", "c", "a.dead", "b.dead"}[p.r.IntN(7)])
}

func (p *player) chance(n int) bool { return p.r.IntN(n) == 0 }

func (p *player) message() (m wire.QueueMessage) {
	p.count++
	m.Body = fmt.Appendf(nil, "message %d", p.count)
	if p.chance(12) {
		m.Body = append(m.Body, make([]byte, p.r.IntN(30_000))...)
	}
	if p.chance(6) {
		m.Flags |= wire.MessageDelayed
		m.NotBefore = int64(p.r.IntN(2000))
	}
	if p.chance(4) {
		m.Flags |= wire.MessagePriority
		m.Priority = uint8(p.r.IntN(3))
	}
	if p.chance(6) {
		m.Flags |= wire.MessageDedup
		m.Dedup = fmt.Appendf(nil, "dedup %d", p.r.IntN(40))
	}
	if p.chance(3) {
		m.Flags |= wire.MessageGroup
		m.Group = fmt.Appendf(nil, "g%d", p.r.IntN(5))
	}
	if p.chance(6) {
		m.Flags |= wire.MessageTTL
		m.TTL = int64(1 + p.r.IntN(4000))
	}
	if p.chance(6) {
		m.Flags |= wire.MessageHeaders
		m.Headers = []wire.Header{{Name: []byte("color"), Value: []byte("red")}, {Name: []byte("x-attempts"), Value: []byte("no")}}
	}
	return m
}

func (p *player) receipt(queue []byte) wire.Receipt {
	for range 4 {
		if len(p.receipts) == 0 || p.chance(20) {
			break
		}
		i := p.r.IntN(len(p.receipts))
		if h := p.receipts[i]; h.queue == string(queue) {
			if !p.chance(8) {
				p.receipts = slices.Delete(p.receipts, i, i+1)
			}
			return h.r
		}
	}
	return wire.Receipt{ID: wire.NewMessageID(0, uint64(1+p.r.IntN(50))), Attempt: 1, Nonce: 7}
}

// command makes the next command.
func (p *player) command() command {
	q := p.queue()
	switch n := p.r.IntN(100); {
	case n < 24:
		m := wire.QueuePush{Queue: q}
		for range 1 + p.r.IntN(1+p.r.IntN(8)) {
			m.Messages = append(m.Messages, p.message())
		}
		return command{Op: wire.OpQueuePush, Body: m.Append(nil)}
	case n < 32:
		return command{Op: wire.OpQueuePop, Body: (&wire.QueuePop{Queue: q, Count: uint64(1 + p.r.IntN(4))}).Append(nil)}
	case n < 52:
		p.nonce++
		m := wire.QueuePop{Queue: q, Count: uint64(1 + p.r.IntN(6)), Lease: uint64(p.r.IntN(1500)), Nonce: p.nonce}
		return command{Op: wire.OpQueueLease, Body: m.Append(nil)}
	case n < 63:
		m := wire.QueueAck{Queue: q}
		for range 1 + p.r.IntN(4) {
			m.Receipts = append(m.Receipts, p.receipt(q))
		}
		return command{Op: wire.OpQueueAck, Body: m.Append(nil)}
	case n < 71:
		m := wire.QueueNack{Queue: q, Receipt: p.receipt(q), Error: []byte("did not work")}
		if p.chance(2) {
			m.Delay = uint64(p.r.IntN(1000))
		}
		return command{Op: wire.OpQueueNack, Body: m.Append(nil)}
	case n < 74:
		return command{Op: wire.OpQueueReject, Body: (&wire.QueueNack{Queue: q, Receipt: p.receipt(q), Error: []byte("cannot")}).Append(nil)}
	case n < 77:
		return command{Op: wire.OpQueueExtend, Body: (&wire.QueueExtend{Queue: q, Receipt: p.receipt(q), Lease: uint64(1 + p.r.IntN(2000))}).Append(nil)}
	case n < 80:
		id := wire.QueueMessageID{Queue: q, ID: wire.NewMessageID(uint8(p.r.IntN(2)), uint64(1+p.r.IntN(60)))}
		if len(p.ids) > 0 {
			id = p.ids[p.r.IntN(len(p.ids))]
		}
		return command{Op: wire.OpQueueRemove, Body: id.Append(nil)}
	case n < 84:
		if len(p.taken) > 0 {
			i := p.r.IntN(len(p.taken))
			m := p.taken[i]
			p.taken = slices.Delete(p.taken, i, i+1)
			return command{Op: wire.OpQueueReturn, Body: m.Append(nil)}
		}
		fallthrough
	case n < 90:
		return command{Op: wire.OpQueueTick, Body: wire.AppendLimit(nil, 1+p.r.IntN(12))}
	case n < 92:
		return command{Op: wire.OpQueueCollect, Body: wire.AppendLimit(nil, 1+p.r.IntN(6))}
	case n < 94:
		return command{Op: wire.OpQueueRedrive, Body: (&wire.QueueRedrive{Queue: q, Count: uint64(p.r.IntN(4))}).Append(nil)}
	}
	return p.rare(q)
}

// rare makes a command that changes a queue as a whole.
func (p *player) rare(q []byte) command {
	name := wire.QueueName{Queue: q}
	switch p.r.IntN(16) {
	case 0:
		return command{Op: wire.OpQueueClear, Body: name.Append(nil)}
	case 1:
		return command{Op: wire.OpQueueDelete, Body: name.Append(nil)}
	case 2:
		return command{Op: wire.OpQueuePause, Body: name.Append(nil)}
	case 3, 4, 5:
		return command{Op: wire.OpQueueResume, Body: name.Append(nil)}
	case 6:
		return command{Op: wire.OpQueueLen, Body: name.Append(nil)}
	case 7:
		return command{Op: wire.OpQueuePeek, Body: (&wire.QueuePeek{Queue: q, Count: 5}).Append(nil)}
	}
	m := wire.QueueCreate{Queue: q, Fields: wire.QueueFields(p.r.IntN(128))}
	m.Settings = wire.QueueSettings{
		Lease: uint64(1 + p.r.IntN(1000)), MaxDeliver: uint64(p.r.IntN(4)), MaxLen: uint64(p.r.IntN(3) * 20),
		Overflow: wire.QueueOverflow(p.r.IntN(2)), TTL: uint64(p.r.IntN(2) * p.r.IntN(3000)), Window: uint64(p.r.IntN(4000)),
	}
	if p.chance(2) {
		m.Settings.DeadLetter = p.queue()
	}
	return command{Op: wire.OpQueueCreate, Body: m.Append(nil)}
}

// learn takes from an answer what later commands need.
func (p *player) learn(c command, ans *wire.Response) {
	if ans.Code != wire.OK {
		return
	}
	switch c.Op {
	case wire.OpQueuePush:
		var m wire.QueuePush
		_ = m.Decode(c.Body)
		r := wire.NewReader(ans.Body)
		for r.Len() > 0 {
			p.ids = append(p.ids, wire.QueueMessageID{Queue: m.Queue, ID: wire.MessageID(r.Uint64())})
		}
		if len(p.ids) > 40 {
			p.ids = p.ids[len(p.ids)-40:]
		}
	case wire.OpQueuePop, wire.OpQueueLease:
		var m wire.QueuePop
		_ = m.Decode(c.Body)
		back := wire.QueueReturn{Queue: m.Queue, Leased: c.Op == wire.OpQueueLease}
		for _, d := range deliveries(ans.Body) {
			back.Deliveries = append(back.Deliveries, d)
			if back.Leased {
				p.receipts = append(p.receipts, held{string(m.Queue), d.Receipt})
			}
		}
		if p.chance(3) {
			p.taken = append(p.taken, back)
		}
	}
}

func deliveries(body []byte) (list []wire.QueueDelivery) {
	r := wire.NewReader(body)
	for r.Len() > 0 {
		var d wire.QueueDelivery
		wire.TakeDelivery(&r, &d)
		list = append(list, d)
	}
	if r.Err() != nil {
		panic(r.Err())
	}
	return list
}

// record plays a random log of n entries and keeps it.
func (p *player) record(b *bench, n int) (log []entry) {
	b.m.sparseBytes = 20
	b.Now = max(b.Now, 1_000_000)
	for range n {
		switch p.r.IntN(12) {
		case 0:
			b.Now += int64(p.r.IntN(3000))
		case 1:
			if p.chance(3) {
				b.Now += sparseAge / 2
			}
		default:
			b.Now += int64(p.r.IntN(60))
		}
		e := entry{Time: b.Now}
		for range p.r.IntN(5) {
			e.Cmds = append(e.Cmds, p.command())
		}
		e.Answers = b.Apply(e.Cmds...)
		for i := range e.Answers {
			p.learn(e.Cmds[i], &e.Answers[i])
		}
		log = append(log, e)
	}
	return log
}
