package fsm

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/skshohagmiah/flin/pkg/replica/machinetest"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// TestOperations runs the files in testdata (machinetest.Scripts). Run it with -rewrite and read the difference when answers are to change.
//
//	apply [time=ms] [ready]   each line is a command with an entry of its own; ready shows what OnReady is told
//	entry [time=ms]           all lines are one entry
//	due                       when a tick is wanted
func TestOperations(t *testing.T) {
	machinetest.Scripts(t, "testdata", newBench, (*bench).directive)
}

func (b *bench) directive(d *datadriven.TestData) string {
	if d.Cmd == "due" {
		if b.m.Due() == math.MaxInt64 {
			return "never\n"
		}
		return fmt.Sprintln(b.m.Due())
	}
	var out strings.Builder
	var cmds []command
	for line := range strings.Lines(d.Input) {
		c := script{machinetest.ParseLine(b.T, line)}.build()
		if KindOf(c.Op) != Own {
			if err := b.m.Check(c.Op, c.Body); err != nil {
				fmt.Fprintf(&out, "before: %v: %v\n", wire.CodeOf(err), err)
				continue
			}
		}
		if d.Cmd == "entry" {
			cmds = append(cmds, c)
			continue
		}
		b.show(&out, c.Op, b.Apply(c)[0])
		if d.HasArg("ready") {
			fmt.Fprintf(&out, "  ready: %v\n", b.ready)
		}
	}
	for i, ans := range b.Apply(cmds...) {
		b.show(&out, cmds[i].Op, ans)
	}
	b.Check()
	return out.String()
}

// show writes an answer as test files have it.
func (b *bench) show(out *strings.Builder, op wire.Op, ans wire.Response) {
	if ans.Code != wire.OK {
		fmt.Fprintf(out, "%v: %s\n", ans.Code, ans.Body)
		return
	}
	out.WriteString("ok")
	if ans.Num != 0 {
		fmt.Fprintf(out, " num=%d", ans.Num)
	}
	if ans.Rev != 0 {
		out.WriteString(" more")
	}
	r := wire.NewReader(ans.Body)
	switch op {
	case wire.OpQueuePush:
		for r.Len() > 0 {
			fmt.Fprintf(out, " %v", wire.MessageID(r.Uint64()))
		}
	case wire.OpQueueAck:
		for r.Len() > 0 {
			fmt.Fprintf(out, " %v", wire.Code(r.Byte()))
		}
	case wire.OpQueuePop, wire.OpQueueLease, wire.OpQueuePeek, wire.OpQueueGet:
		for _, d := range deliveries(ans.Body) {
			out.WriteString(showDelivery(&d))
		}
	case wire.OpQueueInfo, wire.OpQueueList:
		for r.Len() > 0 {
			var i wire.QueueInfo
			wire.TakeQueueInfo(&r, &i)
			out.WriteString(showInfo(&i))
		}
	}
	out.WriteString("\n")
}

func showDelivery(d *wire.QueueDelivery) string {
	s := fmt.Sprintf(" [%v/%d/%d %.20q", d.Receipt.ID, d.Receipt.Attempt, d.Receipt.Nonce, d.Body)
	for _, f := range []struct {
		name string
		at   int64
	}{{"pushed", d.PushedAt}, {"until", d.Until}, {"expires", d.Expires}} {
		if f.at != 0 {
			s += fmt.Sprintf(" %s=%d", f.name, f.at)
		}
	}
	if len(d.Group) > 0 {
		s += fmt.Sprintf(" group=%s", d.Group)
	}
	for _, h := range d.Headers {
		s += fmt.Sprintf(" %s=%q", h.Name, h.Value)
	}
	return s + "]"
}

func showInfo(i *wire.QueueInfo) string {
	return fmt.Sprintf("\n  %s ready=%d delayed=%d leased=%d dead=%d oldest=%d created=%d paused=%v"+
		"\n    pushed=%d popped=%d acked=%d died=%d dropped=%d rates=%d/%d"+
		"\n    lease=%d maxdeliver=%d dlq=%s maxlen=%d overflow=%d ttl=%d window=%d",
		i.Name, i.Ready, i.Delayed, i.Leased, i.Dead, i.Oldest, i.Created, i.Paused,
		i.Pushed, i.Popped, i.Acked, i.Died, i.Dropped, i.PushRate, i.PopRate,
		i.Settings.Lease, i.Settings.MaxDeliver, i.Settings.DeadLetter, i.Settings.MaxLen, i.Settings.Overflow, i.Settings.TTL, i.Settings.Window)
}

// script is one command as test files write it.
type script struct{ *machinetest.Line }

// receipt reads id/attempt/nonce.
func (s script) receipt(text string) (r wire.Receipt) {
	p := strings.Split(text+"//", "/")
	r.ID = s.id(p[0])
	r.Attempt, r.Nonce = uint32(s.Num(p[1])), uint64(s.Num(p[2]))
	return r
}

func (s script) id(text string) wire.MessageID {
	id, err := wire.ParseMessageID(text)
	if err != nil {
		s.T.Fatalf("%s: %v", s.Text, err)
	}
	return id
}

func (s script) message(body string) wire.QueueMessage {
	m := wire.QueueMessage{Body: []byte(body)}
	for name, v := range s.Opts {
		switch name {
		case "delay":
			m.Flags, m.NotBefore = m.Flags|wire.MessageDelayed, s.Num(v)
		case "at":
			m.Flags, m.NotBefore = m.Flags|wire.MessageAt, s.Num(v)
		case "prio":
			m.Flags, m.Priority = m.Flags|wire.MessagePriority, uint8(s.Num(v))
		case "dedup":
			m.Flags, m.Dedup = m.Flags|wire.MessageDedup, []byte(v)
		case "group":
			m.Flags, m.Group = m.Flags|wire.MessageGroup, []byte(v)
		case "ttl":
			m.Flags, m.TTL = m.Flags|wire.MessageTTL, s.Num(v)
		case "h":
			name, value, _ := strings.Cut(v, ":")
			m.Flags |= wire.MessageHeaders
			m.Headers = append(m.Headers, wire.Header{Name: []byte(name), Value: []byte(value)})
		}
	}
	return m
}

// names are the operations whose payload is a queue's name, or a limit.
var names = map[string]wire.Op{
	"len": wire.OpQueueLen, "info": wire.OpQueueInfo, "clear": wire.OpQueueClear, "delete": wire.OpQueueDelete,
	"pause": wire.OpQueuePause, "resume": wire.OpQueueResume, "tick": wire.OpQueueTick, "collect": wire.OpQueueCollect,
}

func (s script) build() command {
	q := []byte(s.Arg(0))
	var m interface{ Append(b []byte) []byte }
	op := names[s.Name]
	switch s.Name {
	case "len", "info", "clear", "delete", "pause", "resume":
		m = &wire.QueueName{Queue: q}
	case "tick", "collect":
		n := s.Num(s.Arg(0))
		if n == 0 {
			n = TickLimit
		}
		return command{Op: op, Body: wire.AppendLimit(nil, int(n))}
	case "push":
		p := &wire.QueuePush{Queue: q}
		for _, body := range s.Args[1:] {
			p.Messages = append(p.Messages, s.message(body))
		}
		op, m = wire.OpQueuePush, p
	case "pop", "lease":
		p := &wire.QueuePop{Queue: q, Count: uint64(max(s.Num(s.Arg(1)), 1)), Lease: uint64(s.Opt("for")), Nonce: uint64(s.Opt("nonce"))}
		op, m = wire.OpQueuePop, p
		if s.Name == "lease" {
			op = wire.OpQueueLease
		}
	case "ack":
		p := &wire.QueueAck{Queue: q}
		for _, r := range s.Args[1:] {
			p.Receipts = append(p.Receipts, s.receipt(r))
		}
		op, m = wire.OpQueueAck, p
	case "nack", "reject":
		m = &wire.QueueNack{Queue: q, Receipt: s.receipt(s.Arg(1)), Delay: uint64(s.Opt("delay")), Error: []byte(s.Opts["err"])}
		if op = wire.OpQueueNack; s.Name == "reject" {
			op = wire.OpQueueReject
		}
	case "extend":
		op, m = wire.OpQueueExtend, &wire.QueueExtend{Queue: q, Receipt: s.receipt(s.Arg(1)), Lease: uint64(s.Num(s.Arg(2)))}
	case "get", "remove":
		m = &wire.QueueMessageID{Queue: q, ID: s.id(s.Arg(1))}
		if op = wire.OpQueueGet; s.Name == "remove" {
			op = wire.OpQueueRemove
		}
	case "peek":
		op, m = wire.OpQueuePeek, &wire.QueuePeek{Queue: q, Count: uint64(s.Num(s.Arg(1)))}
	case "list":
		op, m = wire.OpQueueList, &wire.QueueList{After: []byte(s.Opts["after"]), Match: []byte(s.Opts["match"]), Limit: uint64(s.Opt("limit"))}
	case "redrive":
		op, m = wire.OpQueueRedrive, &wire.QueueRedrive{Queue: q, Count: uint64(s.Num(s.Arg(1)))}
	case "create":
		op, m = wire.OpQueueCreate, s.settings(q)
	case "return", "unlease":
		p := &wire.QueueReturn{Queue: q, Leased: s.Name == "unlease"}
		for _, r := range s.Args[1:] {
			p.Deliveries = append(p.Deliveries, wire.QueueDelivery{
				Receipt: s.receipt(r), Body: []byte("back"), PushedAt: s.Opt("pushed"), Group: []byte(s.Opts["group"]),
			})
		}
		op, m = wire.OpQueueReturn, p
	default:
		s.T.Fatalf("%s: there is no such operation", s.Text)
	}
	return command{Op: op, Body: m.Append(nil)}
}

func (s script) settings(q []byte) *wire.QueueCreate {
	c := &wire.QueueCreate{Queue: q}
	for name := range s.Opts {
		n := uint64(s.Opt(map[bool]string{true: "", false: name}[name == "dlq" || name == "overflow"]))
		switch name {
		case "lease":
			c.Fields, c.Settings.Lease = c.Fields|wire.QueueHasLease, n
		case "max":
			c.Fields, c.Settings.MaxDeliver = c.Fields|wire.QueueHasMaxDeliver, n
		case "dlq":
			c.Fields, c.Settings.DeadLetter = c.Fields|wire.QueueHasDeadLetter, []byte(s.Opts[name])
		case "maxlen":
			c.Fields, c.Settings.MaxLen = c.Fields|wire.QueueHasMaxLen, n
		case "overflow":
			c.Fields |= wire.QueueHasOverflow
			if s.Opts[name] == "drop" {
				c.Settings.Overflow = wire.QueueDrop
			}
		case "ttl":
			c.Fields, c.Settings.TTL = c.Fields|wire.QueueHasTTL, n
		case "window":
			c.Fields, c.Settings.Window = c.Fields|wire.QueueHasWindow, n
		}
	}
	return c
}
