package fsm

import (
	"github.com/skshohagmiah/flin/pkg/wire"
)

// payloads are what bodies are decoded into, used again and again.
type payloads struct {
	push    wire.QueuePush
	pop     wire.QueuePop
	ack     wire.QueueAck
	nack    wire.QueueNack
	extend  wire.QueueExtend
	create  wire.QueueCreate
	id      wire.QueueMessageID
	peek    wire.QueuePeek
	list    wire.QueueList
	redrive wire.QueueRedrive
	back    wire.QueueReturn
}

// Check reports what is wrong with a payload before it is proposed: that it cannot be decoded, names, sizes, bounds. What
// depends on the queue is judged when the command is applied. Any goroutine may call it; body is on loan.
func (m *Machine) Check(op wire.Op, body []byte) error {
	if KindOf(op) == None {
		return wire.Errorf(wire.Unsupported, "the queue engine has no operation %v", op)
	}
	p := m.pool.Get().(*payloads) //nolint:forcetypeassert // the pool holds nothing else
	err := ops[byte(op)].check(m, p, body)
	if err == nil && op == wire.OpQueuePush {
		err = m.checkSizes(&p.push)
	}
	p.letGo()
	m.pool.Put(p)
	return err
}

// letGo forgets what has been decoded: it shares memory with the payload.
func (p *payloads) letGo() { clear(p.push.Messages) }

// checkSizes judges bodies by this node's configuration: that is asked before a command is proposed and never again, since
// replicas may be configured differently.
func (m *Machine) checkSizes(p *wire.QueuePush) error {
	for i := range p.Messages {
		if n := len(p.Messages[i].Body); n > m.o.MaxMessage {
			return wire.Errorf(wire.TooLarge, "message of %d bytes is over the limit of %d (-max-value)", n, m.o.MaxMessage)
		}
	}
	return nil
}

func checkName(_ *Machine, _ *payloads, body []byte) error { return wire.CheckName("queue", body) }

func checkPush(_ *Machine, p *payloads, body []byte) error {
	if err := p.push.Decode(body); err != nil {
		return err
	}
	if err := wire.CheckName("queue", p.push.Queue); err != nil {
		return err
	}
	if len(p.push.Messages) == 0 {
		return errNone
	}
	for i := range p.push.Messages {
		if err := checkMessage(&p.push.Messages[i]); err != nil {
			return err
		}
	}
	return nil
}

const messageFlags = wire.MessageDelayed | wire.MessageAt | wire.MessagePriority | wire.MessageDedup | wire.MessageGroup |
	wire.MessageTTL | wire.MessageHeaders

func checkMessage(ms *wire.QueueMessage) error {
	if len(ms.Body) > wire.MaxMessage {
		return wire.Errorf(wire.TooLarge, "message of %d bytes is over the limit of %d", len(ms.Body), wire.MaxMessage)
	}
	if ms.Flags&^wire.MessagePriority == 0 {
		return nil
	}
	const both = wire.MessageDelayed | wire.MessageAt
	switch f := ms.Flags; {
	case f&^messageFlags != 0 || f&both == both:
		return errPushFlag
	case f&both != 0 && ms.NotBefore < 0:
		return wire.Errorf(wire.Invalid, "a delay of %d ms is negative", ms.NotBefore)
	case f&wire.MessageDelayed != 0 && ms.NotBefore > wire.MaxDelay:
		return over("a delay in ms", uint64(ms.NotBefore), wire.MaxDelay)
	case f&wire.MessageDedup != 0 && len(ms.Dedup) == 0:
		return wire.Errorf(wire.Invalid, "a dedup id is empty")
	case len(ms.Dedup) > wire.MaxDedupID:
		return over("the bytes of a dedup id", uint64(len(ms.Dedup)), wire.MaxDedupID)
	case f&wire.MessageGroup != 0 && len(ms.Group) == 0:
		return wire.Errorf(wire.Invalid, "a group key is empty")
	case len(ms.Group) > wire.MaxGroupKey:
		return over("the bytes of a group key", uint64(len(ms.Group)), wire.MaxGroupKey)
	case f&wire.MessageTTL != 0 && ms.TTL < 1:
		return wire.Errorf(wire.Invalid, "a time to live of %d ms is less than 1", ms.TTL)
	case ms.TTL > wire.MaxDelay:
		return over("a time to live in ms", uint64(ms.TTL), wire.MaxDelay)
	}
	return checkHeaders(ms.Headers)
}

func checkHeaders(hs []wire.Header) error {
	if len(hs) > wire.MaxHeaders {
		return over("the number of headers", uint64(len(hs)), wire.MaxHeaders)
	}
	n := 0
	for _, h := range hs {
		n += len(h.Name) + len(h.Value)
	}
	if n > wire.MaxHeaderBytes {
		return over("the bytes of headers", uint64(n), wire.MaxHeaderBytes)
	}
	return nil
}

func checkPop(_ *Machine, p *payloads, body []byte) error {
	if err := p.pop.Decode(body); err != nil {
		return err
	}
	if err := wire.CheckName("queue", p.pop.Queue); err != nil {
		return err
	}
	switch {
	case p.pop.Count == 0:
		return errNone
	case p.pop.Count > wire.MaxBatch:
		return over("the count of messages", p.pop.Count, wire.MaxBatch)
	case p.pop.Wait > wire.MaxWait:
		return over("a wait in ms", p.pop.Wait, wire.MaxWait)
	case p.pop.Lease > wire.MaxLease:
		return over("a lease in ms", p.pop.Lease, wire.MaxLease)
	}
	return nil
}

func checkAck(_ *Machine, p *payloads, body []byte) error {
	if err := p.ack.Decode(body); err != nil {
		return err
	}
	if len(p.ack.Receipts) == 0 {
		return errNone
	}
	return wire.CheckName("queue", p.ack.Queue)
}

func checkNack(_ *Machine, p *payloads, body []byte) error {
	if err := p.nack.Decode(body); err != nil {
		return err
	}
	if p.nack.Delay > wire.MaxDelay {
		return over("a delay in ms", p.nack.Delay, wire.MaxDelay)
	}
	return wire.CheckName("queue", p.nack.Queue)
}

func checkExtend(_ *Machine, p *payloads, body []byte) error {
	if err := p.extend.Decode(body); err != nil {
		return err
	}
	switch {
	case p.extend.Lease == 0:
		return wire.Errorf(wire.Invalid, "a lease of 0 ms is no lease")
	case p.extend.Lease > wire.MaxLease:
		return over("a lease in ms", p.extend.Lease, wire.MaxLease)
	}
	return wire.CheckName("queue", p.extend.Queue)
}

func checkCreate(_ *Machine, p *payloads, body []byte) error {
	if err := p.create.Decode(body); err != nil {
		return err
	}
	if err := wire.CheckName("queue", p.create.Queue); err != nil {
		return err
	}
	const all = wire.QueueHasWindow<<1 - 1
	f, s := p.create.Fields, &p.create.Settings
	switch {
	case f&^all != 0:
		return wire.Errorf(wire.Invalid, "a setting that does not exist is given")
	case f&wire.QueueHasLease != 0 && s.Lease == 0:
		return wire.Errorf(wire.Invalid, "a lease of 0 ms is no lease")
	case f&wire.QueueHasLease != 0 && s.Lease > wire.MaxLease:
		return over("a lease in ms", s.Lease, wire.MaxLease)
	case f&wire.QueueHasMaxDeliver != 0 && s.MaxDeliver > 1<<31:
		return over("the number of deliveries", s.MaxDeliver, 1<<31)
	case f&wire.QueueHasOverflow != 0 && s.Overflow > wire.QueueDrop:
		return wire.Errorf(wire.Invalid, "%d is no overflow policy", s.Overflow)
	case f&wire.QueueHasTTL != 0 && s.TTL > wire.MaxDelay:
		return over("a time to live in ms", s.TTL, wire.MaxDelay)
	case f&wire.QueueHasWindow != 0 && s.Window > wire.MaxDelay:
		return over("a dedup window in ms", s.Window, wire.MaxDelay)
	case f&wire.QueueHasMaxLen != 0 && s.MaxLen > 1<<56:
		return over("the maximum length", s.MaxLen, 1<<56)
	case f&wire.QueueHasDeadLetter != 0 && len(s.DeadLetter) > 0:
		return wire.CheckName("queue", s.DeadLetter)
	}
	return nil
}

func checkID(_ *Machine, p *payloads, body []byte) error {
	if err := p.id.Decode(body); err != nil {
		return err
	}
	return wire.CheckName("queue", p.id.Queue)
}

func checkPeek(_ *Machine, p *payloads, body []byte) error {
	if err := p.peek.Decode(body); err != nil {
		return err
	}
	switch {
	case p.peek.Count == 0:
		return errNone
	case p.peek.Count > wire.MaxPeek:
		return over("the count of messages", p.peek.Count, wire.MaxPeek)
	}
	return wire.CheckName("queue", p.peek.Queue)
}

func checkList(_ *Machine, p *payloads, body []byte) error {
	if err := p.list.Decode(body); err != nil {
		return err
	}
	if p.list.Limit > wire.MaxPeek {
		return over("the count of queues", p.list.Limit, wire.MaxPeek)
	}
	return nil
}

func checkRedrive(_ *Machine, p *payloads, body []byte) error {
	if err := p.redrive.Decode(body); err != nil {
		return err
	}
	return wire.CheckName("queue", p.redrive.Queue)
}

func checkReturn(_ *Machine, p *payloads, body []byte) error {
	if err := p.back.Decode(body); err != nil {
		return err
	}
	return wire.CheckName("queue", p.back.Queue)
}

func checkLimit(_ *Machine, _ *payloads, body []byte) error {
	_, err := wire.TakeLimit(body, 1)
	return err
}
