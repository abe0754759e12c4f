package fsm

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/pkg/replica/machinetest"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// describe says what a model's queue holds, in the words of state.
func (q *modelQueue) describe() string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s ready=%d delayed=%d leased=%d\n", q.name, q.count(ready), q.count(delayed), q.count(leased))
	for _, x := range q.messages {
		fmt.Fprintf(&out, "%v %d/%d until=%d group=%s %s %d %.20q\n", x.id, x.state, x.attempt, x.until, x.group, headersOf(x.headers), len(x.body), x.body)
	}
	return out.String()
}

// state says what a queue holds.
func (b *bench) state(q *queue) string {
	var out strings.Builder
	fmt.Fprintf(&out, "%s ready=%d delayed=%d leased=%d\n", q.name, q.ready, q.delayed, q.leased)
	for at := uint64(0); ; {
		c, i, err := b.m.following(q, at)
		if err != nil {
			b.t.Fatal(err)
		}
		if c == nil {
			return out.String()
		}
		if err := b.m.load(c); err != nil {
			b.t.Fatal(err)
		}
		e, ms := ext{}, &c.msgs[i]
		if c.ext != nil {
			e = c.ext[i]
		}
		var hs []wire.Header
		eachHeader(ms.headers, func(h wire.Header) { hs = append(hs, h) })
		fmt.Fprintf(&out, "%v %d/%d until=%d group=%s %s %d %.20q\n",
			wire.MessageID(c.id(i)), e.status, e.attempt, e.until, ms.group, headersOf(hs), len(ms.body), ms.body)
		at = c.id(i) + 1
	}
}

// agree compares every queue with the model's.
func (b *bench) agree(m *model) {
	b.t.Helper()
	b.m.mu.Lock()
	defer b.m.mu.Unlock()
	if len(b.m.sorted) != len(m.queues) {
		b.t.Fatalf("entry %d: there are %d queues, the model has %d", b.index, len(b.m.sorted), len(m.queues))
	}
	for _, q := range b.m.sorted {
		want, got := m.queues[q.name].describe(), b.state(q)
		if got != want {
			b.t.Fatalf("entry %d at %d: the machine has\n%s\nthe model has\n%s", b.index, b.now, machinetest.Without(got, want), machinetest.Without(want, got))
		}
	}
}

func TestEveryAnswerIsThatOfAPlainModel(t *testing.T) {
	for seed := range uint64(3) {
		b := newBench(t, store.Options{Memory: true})
		b.m.cache.limit, b.m.sparseBytes = 64<<10, 20
		m, p := newModel(), newPlayer(500+seed)
		b.now = 1_000_000
		for range 2500 {
			if p.chance(100) {
				b.now += sparseAge / 2
			} else if p.chance(20) {
				b.now += int64(p.r.IntN(3000))
			} else if p.chance(3) {
				b.now += int64(p.r.IntN(40))
			}
			c := p.command()
			if c.op == wire.OpQueueTick {
				c.body = wire.AppendLimit(nil, TickLimit)
			}
			ans := b.apply(c)[0]
			p.learn(c, &ans)
			m.pass(b.now)
			b.compare(m, c, &ans)
			b.agree(m)
			if p.chance(10) {
				b.check()
			}
		}
		b.close()
	}
}

// compare has the model execute a command, and compares what it answers.
func (b *bench) compare(m *model, c command, ans *wire.Response) {
	b.t.Helper()
	q := m.queues[queueOf(c)]
	code, num := wire.OK, ans.Num
	var list []*modelMessage
	switch c.op {
	case wire.OpQueuePush:
		var p wire.QueuePush
		_ = p.Decode(c.body)
		var ids []wire.MessageID
		if code, ids = m.push(&p); code == wire.OK {
			r := wire.NewReader(ans.Body)
			for i, id := range ids {
				if got := wire.MessageID(r.Uint64()); got != id {
					b.t.Fatalf("entry %d: message %d of a push got the id %v, the model's is %v", b.index, i, got, id)
				}
			}
		}
	case wire.OpQueuePop, wire.OpQueueLease:
		var p wire.QueuePop
		_ = p.Decode(c.body)
		if list = m.pop(&p, c.op == wire.OpQueueLease); len(list) == 0 {
			code = wire.Empty
		}
		num = int64(len(list))
		b.deliveriesAre(c, ans, list)
	case wire.OpQueuePeek:
		if q != nil {
			b.peeked(m, q, ans)
		}
	case wire.OpQueueLen:
		num = 0
		if q != nil {
			num = int64(q.count(ready))
		}
	default:
		code, num = m.settle(b, c, q, ans)
	}
	if ans.Code != code || code == wire.OK && ans.Num != num {
		b.t.Fatalf("entry %d at %d: %v %.100q was answered %v %d %.100q, the model says %v %d", b.index, b.now, c.op, c.body, ans.Code, ans.Num, ans.Body, code, num)
	}
}

func queueOf(c command) string {
	switch c.op {
	case wire.OpQueueClear, wire.OpQueueDelete, wire.OpQueuePause, wire.OpQueueResume, wire.OpQueueLen:
		return string(c.body)
	case wire.OpQueueTick, wire.OpQueueCollect:
		return ""
	}
	r := wire.NewReader(c.body)
	return string(r.Bytes())
}

func (b *bench) deliveriesAre(c command, ans *wire.Response, want []*modelMessage) {
	b.t.Helper()
	if ans.Code != wire.OK {
		return
	}
	got := deliveries(ans.Body)
	if len(got) != len(want) {
		b.t.Fatalf("entry %d: %v delivered %s, the model %d", b.index, c.op, brief(c.op, ans), len(want))
	}
	for i, d := range got {
		x := want[i]
		if d.Receipt.ID != x.id || d.Receipt.Attempt != x.attempt || !bytes.Equal(d.Body, []byte(x.body)) || string(d.Group) != x.group ||
			headersOf(d.Headers) != headersOf(x.headers) || d.Expires != x.expires || d.PushedAt != x.pushed {
			b.t.Fatalf("entry %d: %v delivered %s, the %d-th of the model is %+v", b.index, c.op, brief(c.op, ans), i, x)
		}
	}
}

// peeked compares a peek with what pops would take one after another.
func (b *bench) peeked(m *model, q *modelQueue, ans *wire.Response) {
	b.t.Helper()
	again := *q
	again.messages = slices.Clone(q.messages)
	again.turns = maps.Clone(q.turns)
	grouped := again.grouped()
	var want []*modelMessage
	for len(want) < 5 {
		x := again.next()
		if x == nil {
			break
		}
		again.delete(x)
		if x.expires != 0 && x.expires <= m.now {
			continue
		}
		if grouped {
			again.turn++
			again.turns[x.group] = again.turn
		}
		want = append(want, x)
	}
	b.deliveriesAre(command{op: wire.OpQueuePeek}, ans, want)
}
