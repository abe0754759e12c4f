package fsm

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// TestOperations runs the files in testdata. Run it with -rewrite and read the difference when answers are to change.
//
//	apply [time=ms] [ready]   each line is a command with an entry of its own; ready shows what OnReady is told
//	entry [time=ms]           all lines are one entry
//	restart                   forgets what is in memory
//	due, dump                 when a tick is wanted; the store's keys
func TestOperations(t *testing.T) {
	datadriven.Walk(t, "testdata", func(t *testing.T, path string) {
		b := newBench(t, store.Options{Memory: true})
		defer b.close()
		b.now = 1000
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			b.t = t
			if d.HasArg("time") {
				d.ScanArgs(t, "time", &b.now)
			}
			return b.directive(d)
		})
	})
}

func (b *bench) directive(d *datadriven.TestData) string {
	switch d.Cmd {
	case "dump":
		return b.dump()
	case "due":
		if b.m.Due() == math.MaxInt64 {
			return "never\n"
		}
		return fmt.Sprintln(b.m.Due())
	case "restart":
		if err := b.m.Reset(); err != nil {
			b.t.Fatal(err)
		}
		return ""
	}
	var out strings.Builder
	var cmds []command
	for line := range strings.Lines(d.Input) {
		c := parseScript(b.t, strings.TrimSpace(line)).build()
		if KindOf(c.op) != Own {
			if err := b.m.Check(c.op, c.body); err != nil {
				fmt.Fprintf(&out, "before: %v: %v\n", wire.CodeOf(err), err)
				continue
			}
		}
		if d.Cmd == "entry" {
			cmds = append(cmds, c)
			continue
		}
		b.show(&out, c.op, b.apply(c)[0])
		if d.HasArg("ready") {
			fmt.Fprintf(&out, "  ready: %v\n", b.ready)
		}
	}
	for i, ans := range b.apply(cmds...) {
		b.show(&out, cmds[i].op, ans)
	}
	b.check()
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

// script is one command as test files write it: name, positional arguments, then options as name=value. big*n stands for n
// bytes.
type script struct {
	t    testing.TB
	text string
	name string
	args []string
	opts map[string]string
}

func parseScript(t testing.TB, line string) *script {
	s := &script{t: t, text: line, opts: map[string]string{}}
	for i, word := range strings.Fields(line) {
		name, value, has := strings.Cut(word, "=")
		size, isBig := strings.CutPrefix(word, "big*")
		switch {
		case i == 0:
			s.name = word
		case has:
			s.opts[name] = value
		case isBig:
			s.args = append(s.args, strings.Repeat("x", int(s.num(size))))
		default:
			s.args = append(s.args, word)
		}
	}
	return s
}

func (s *script) arg(i int) string {
	if i >= len(s.args) {
		return ""
	}
	return s.args[i]
}

func (s *script) num(text string) int64 {
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		s.t.Fatalf("%s: %v", s.text, err)
	}
	return n
}

func (s *script) opt(name string) int64 { return s.num(s.opts[name]) }

// receipt reads id/attempt/nonce.
func (s *script) receipt(text string) (r wire.Receipt) {
	p := strings.Split(text+"//", "/")
	r.ID = s.id(p[0])
	r.Attempt, r.Nonce = uint32(s.num(p[1])), uint64(s.num(p[2]))
	return r
}

func (s *script) id(text string) wire.MessageID {
	id, err := wire.ParseMessageID(text)
	if err != nil {
		s.t.Fatalf("%s: %v", s.text, err)
	}
	return id
}

func (s *script) message(body string) wire.QueueMessage {
	m := wire.QueueMessage{Body: []byte(body)}
	for name, v := range s.opts {
		switch name {
		case "delay":
			m.Flags, m.NotBefore = m.Flags|wire.MessageDelayed, s.num(v)
		case "at":
			m.Flags, m.NotBefore = m.Flags|wire.MessageAt, s.num(v)
		case "prio":
			m.Flags, m.Priority = m.Flags|wire.MessagePriority, uint8(s.num(v))
		case "dedup":
			m.Flags, m.Dedup = m.Flags|wire.MessageDedup, []byte(v)
		case "group":
			m.Flags, m.Group = m.Flags|wire.MessageGroup, []byte(v)
		case "ttl":
			m.Flags, m.TTL = m.Flags|wire.MessageTTL, s.num(v)
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

func (s *script) build() command {
	q := []byte(s.arg(0))
	var m interface{ Append(b []byte) []byte }
	op := names[s.name]
	switch s.name {
	case "len", "info", "clear", "delete", "pause", "resume":
		m = &wire.QueueName{Queue: q}
	case "tick", "collect":
		n := s.num(s.arg(0))
		if n == 0 {
			n = TickLimit
		}
		return command{op, wire.AppendLimit(nil, int(n))}
	case "push":
		p := &wire.QueuePush{Queue: q}
		for _, body := range s.args[1:] {
			p.Messages = append(p.Messages, s.message(body))
		}
		op, m = wire.OpQueuePush, p
	case "pop", "lease":
		p := &wire.QueuePop{Queue: q, Count: uint64(max(s.num(s.arg(1)), 1)), Lease: uint64(s.opt("for")), Nonce: uint64(s.opt("nonce"))}
		op, m = wire.OpQueuePop, p
		if s.name == "lease" {
			op = wire.OpQueueLease
		}
	case "ack":
		p := &wire.QueueAck{Queue: q}
		for _, r := range s.args[1:] {
			p.Receipts = append(p.Receipts, s.receipt(r))
		}
		op, m = wire.OpQueueAck, p
	case "nack", "reject":
		m = &wire.QueueNack{Queue: q, Receipt: s.receipt(s.arg(1)), Delay: uint64(s.opt("delay")), Error: []byte(s.opts["err"])}
		if op = wire.OpQueueNack; s.name == "reject" {
			op = wire.OpQueueReject
		}
	case "extend":
		op, m = wire.OpQueueExtend, &wire.QueueExtend{Queue: q, Receipt: s.receipt(s.arg(1)), Lease: uint64(s.num(s.arg(2)))}
	case "get", "remove":
		m = &wire.QueueMessageID{Queue: q, ID: s.id(s.arg(1))}
		if op = wire.OpQueueGet; s.name == "remove" {
			op = wire.OpQueueRemove
		}
	case "peek":
		op, m = wire.OpQueuePeek, &wire.QueuePeek{Queue: q, Count: uint64(s.num(s.arg(1)))}
	case "list":
		op, m = wire.OpQueueList, &wire.QueueList{After: []byte(s.opts["after"]), Match: []byte(s.opts["match"]), Limit: uint64(s.opt("limit"))}
	case "redrive":
		op, m = wire.OpQueueRedrive, &wire.QueueRedrive{Queue: q, Count: uint64(s.num(s.arg(1)))}
	case "create":
		op, m = wire.OpQueueCreate, s.settings(q)
	case "return", "unlease":
		p := &wire.QueueReturn{Queue: q, Leased: s.name == "unlease"}
		for _, r := range s.args[1:] {
			p.Deliveries = append(p.Deliveries, wire.QueueDelivery{
				Receipt: s.receipt(r), Body: []byte("back"), PushedAt: s.opt("pushed"), Group: []byte(s.opts["group"]),
			})
		}
		op, m = wire.OpQueueReturn, p
	default:
		s.t.Fatalf("%s: there is no such operation", s.text)
	}
	return command{op, m.Append(nil)}
}

func (s *script) settings(q []byte) *wire.QueueCreate {
	c := &wire.QueueCreate{Queue: q}
	for name := range s.opts {
		n := uint64(s.opt(map[bool]string{true: "", false: name}[name == "dlq" || name == "overflow"]))
		switch name {
		case "lease":
			c.Fields, c.Settings.Lease = c.Fields|wire.QueueHasLease, n
		case "max":
			c.Fields, c.Settings.MaxDeliver = c.Fields|wire.QueueHasMaxDeliver, n
		case "dlq":
			c.Fields, c.Settings.DeadLetter = c.Fields|wire.QueueHasDeadLetter, []byte(s.opts[name])
		case "maxlen":
			c.Fields, c.Settings.MaxLen = c.Fields|wire.QueueHasMaxLen, n
		case "overflow":
			c.Fields |= wire.QueueHasOverflow
			if s.opts[name] == "drop" {
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
