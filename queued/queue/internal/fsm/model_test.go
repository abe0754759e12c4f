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
			b.T.Fatal(err)
		}
		if c == nil {
			return out.String()
		}
		if err := b.m.load(c); err != nil {
			b.T.Fatal(err)
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
	b.T.Helper()
	b.m.mu.Lock()
	defer b.m.mu.Unlock()
	if len(b.m.sorted) != len(m.queues) {
		b.T.Fatalf("entry %d: there are %d queues, the model has %d", b.Index, len(b.m.sorted), len(m.queues))
	}
	for _, q := range b.m.sorted {
		want, got := m.queues[q.name].describe(), b.state(q)
		if got != want {
			b.T.Fatalf("entry %d at %d: the machine has\n%s\nthe model has\n%s", b.Index, b.Now, machinetest.Without(got, want), machinetest.Without(want, got))
		}
	}
}

func TestEveryAnswerIsThatOfAPlainModel(t *testing.T) {
	for seed := range uint64(3) {
		b := newBench(t, store.Options{Memory: true})
		b.m.cache.limit, b.m.sparseBytes = 64<<10, 20
		m, p := newModel(), newPlayer(500+seed)
		b.Now = 1_000_000
		for range 2500 {
			if p.chance(100) {
				b.Now += sparseAge / 2
			} else if p.chance(20) {
				b.Now += int64(p.r.IntN(3000))
			} else if p.chance(3) {
				b.Now += int64(p.r.IntN(40))
			}
			c := p.command()
			if c.Op == wire.OpQueueTick {
				c.Body = wire.AppendLimit(nil, TickLimit)
			}
			ans := b.Apply(c)[0]
			p.learn(c, &ans)
			m.pass(b.Now)
			b.compare(m, c, &ans)
			b.agree(m)
			if p.chance(10) {
				b.Check()
			}
		}
		b.Close()
	}
}

// compare has the model execute a command, and compares what it answers.
func (b *bench) compare(m *model, c command, ans *wire.Response) {
	b.T.Helper()
	q := m.queues[queueOf(c)]
	code, num := wire.OK, ans.Num
	var list []*modelMessage
	switch c.Op {
	case wire.OpQueuePush:
		var p wire.QueuePush
		_ = p.Decode(c.Body)
		var ids []wire.MessageID
		if code, ids = m.push(&p); code == wire.OK {
			r := wire.NewReader(ans.Body)
			for i, id := range ids {
				if got := wire.MessageID(r.Uint64()); got != id {
					b.T.Fatalf("entry %d: message %d of a push got the id %v, the model's is %v", b.Index, i, got, id)
				}
			}
		}
	case wire.OpQueuePop, wire.OpQueueLease:
		var p wire.QueuePop
		_ = p.Decode(c.Body)
		if list = m.pop(&p, c.Op == wire.OpQueueLease); len(list) == 0 {
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
		b.T.Fatalf("entry %d at %d: %v %.100q was answered %v %d %.100q, the model says %v %d", b.Index, b.Now, c.Op, c.Body, ans.Code, ans.Num, ans.Body, code, num)
	}
}

func queueOf(c command) string {
	switch c.Op {
	case wire.OpQueueClear, wire.OpQueueDelete, wire.OpQueuePause, wire.OpQueueResume, wire.OpQueueLen:
		return string(c.Body)
	case wire.OpQueueTick, wire.OpQueueCollect:
		return ""
	}
	r := wire.NewReader(c.Body)
	return string(r.Bytes())
}

func (b *bench) deliveriesAre(c command, ans *wire.Response, want []*modelMessage) {
	b.T.Helper()
	if ans.Code != wire.OK {
		return
	}
	got := deliveries(ans.Body)
	if len(got) != len(want) {
		b.T.Fatalf("entry %d: %v delivered %s, the model %d", b.Index, c.Op, brief(c.Op, ans), len(want))
	}
	for i, d := range got {
		x := want[i]
		if d.Receipt.ID != x.id || d.Receipt.Attempt != x.attempt || !bytes.Equal(d.Body, []byte(x.body)) || string(d.Group) != x.group ||
			headersOf(d.Headers) != headersOf(x.headers) || d.Expires != x.expires || d.PushedAt != x.pushed {
			b.T.Fatalf("entry %d: %v delivered %s, the %d-th of the model is %+v", b.Index, c.Op, brief(c.Op, ans), i, x)
		}
	}
}

// peeked compares a peek with what pops would take one after another.
func (b *bench) peeked(m *model, q *modelQueue, ans *wire.Response) {
	b.T.Helper()
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
	b.deliveriesAre(command{Op: wire.OpQueuePeek}, ans, want)
}
