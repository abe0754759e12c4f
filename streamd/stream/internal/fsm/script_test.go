package fsm

import (
	"fmt"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/skshohagmiah/flin/pkg/replica/machinetest"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// TestOperations runs the files in testdata (machinetest.Scripts). Run it with -rewrite and read the difference when answers are to change.
//
//	apply [time=ms] [told]   each line is a command with an entry of its own; told shows what the hooks were told
//	entry [time=ms] [told]   all lines are one entry
//	due                      when retention and expiry are wanted
func TestOperations(t *testing.T) {
	machinetest.Scripts(t, "testdata", newBench, (*bench).directive)
}

func (b *bench) directive(d *datadriven.TestData) string {
	if d.Cmd == "due" {
		return fmt.Sprintf("retain %s, expire %s\n", when(b.m.RetainDue()), when(b.m.ExpireDue()))
	}
	var out strings.Builder
	var cmds []command
	for line := range strings.Lines(d.Input) {
		s := script{machinetest.ParseLine(b.T, line)}
		if b.look(&out, s) {
			continue
		}
		c := s.build()
		if KindOf(c.Op) != Own && s.Name != "reset" {
			if err := b.m.Check(c.Op, c.Body); err != nil {
				fmt.Fprintf(&out, "before: %v: %v\n", wire.CodeOf(err), err)
				continue
			}
		}
		if d.Cmd == "entry" {
			cmds = append(cmds, c)
			continue
		}
		show(&out, c.Op, b.Apply(c)[0])
		if d.HasArg("told") {
			fmt.Fprintf(&out, "  told: %s\n", strings.Join(b.told, ", "))
		}
	}
	if d.Cmd == "entry" {
		for i, ans := range b.Apply(cmds...) {
			show(&out, cmds[i].Op, ans)
		}
		if d.HasArg("told") {
			fmt.Fprintf(&out, "  told: %s\n", strings.Join(b.told, ", "))
		}
	}
	b.Check()
	return out.String()
}

func when(ms int64) string {
	if ms == never {
		return "never"
	}
	return fmt.Sprint("at ", ms)
}

// look serves what is asked of the machine beside the log.
func (b *bench) look(out *strings.Builder, s script) bool {
	topic := []byte(s.Arg(0))
	switch s.Name {
	case "fetch":
		_, end, _ := b.m.Span(topic, int(s.Num(s.Arg(1))))
		size := 1 << 20
		if n := s.Opt("max"); n > 0 {
			size = int(n)
		}
		if s.Opts["to"] != "" {
			end = s.Opt("to")
		}
		list, next, err := b.fetch(s.Arg(0), int(s.Num(s.Arg(1))), s.Num(s.Arg(2)), end, size)
		if err != nil {
			fmt.Fprintf(out, "%v: %v\n", wire.CodeOf(err), err)
			return true
		}
		fmt.Fprintf(out, "to %d", next)
		for _, r := range list {
			fmt.Fprintf(out, " %d=%s", r.Offset, r.Value)
		}
		out.WriteString("\n")
	case "available":
		n, err := b.m.Available(topic, int(s.Num(s.Arg(1))), s.Num(s.Arg(2)))
		fmt.Fprintf(out, "%d bytes, %v\n", n, err)
	case "member":
		ms, owned, err := b.m.Member(topic, []byte(s.Arg(1)), []byte(s.Arg(2)), nil)
		if err != nil {
			fmt.Fprintf(out, "%v: %v\n", wire.CodeOf(err), err)
			return true
		}
		fmt.Fprintf(out, "generation=%d joined=%d begun=%d session=%d poll=%d", ms.Generation, ms.Joined, ms.Begun, ms.Session, ms.Poll)
		for _, o := range owned {
			fmt.Fprintf(out, " [%d since %d at %d]", o.Partition, o.Since, o.Committed)
		}
		out.WriteString("\n")
	default:
		return false
	}
	return true
}

// show writes an answer as test files have it.
func show(out *strings.Builder, op wire.Op, ans wire.Response) {
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
	case wire.OpStreamSubscribe:
		var a wire.StreamAssignment
		_ = a.Decode(ans.Body)
		fmt.Fprintf(out, " generation=%d %v", a.Generation, a.Partitions)
	case wire.OpStreamOffsets:
		for r.Len() > 0 {
			o := wire.TakeStreamOffset(&r)
			fmt.Fprintf(out, " %d:%d@%d", o.Partition, o.Offset, o.Time)
		}
	case wire.OpStreamInfo, wire.OpStreamList:
		for r.Len() > 0 {
			var i wire.TopicInfo
			wire.TakeTopicInfo(&r, &i)
			fmt.Fprintf(out, "\n  %s created=%d retention=%d maxbytes=%d maxmessage=%d compression=%d", i.Name, i.Created,
				i.Settings.Retention, i.Settings.MaxBytes, i.Settings.MaxMessage, i.Settings.Compression)
			for k, p := range i.Partitions {
				fmt.Fprintf(out, "\n    %d: %d to %d, %d bytes in %d batches, newest %d", k, p.Start, p.End, p.Bytes, p.Batches, p.Newest)
			}
		}
	case wire.OpStreamGroups:
		for r.Len() > 0 {
			var g wire.GroupSummary
			wire.TakeGroupSummary(&r, &g)
			fmt.Fprintf(out, "\n  %s generation=%d members=%d topics=%d lag=%d", g.Name, g.Generation, g.Members, g.Topics, g.Lag)
		}
	case wire.OpStreamGroup:
		var g wire.GroupInfo
		_ = g.Decode(ans.Body)
		fmt.Fprintf(out, " %s generation=%d assignor=%d", g.Name, g.Generation, g.Assignor)
		for i, x := range g.Members {
			fmt.Fprintf(out, "\n  %d: %s session=%d poll=%d joined=%d", i+1, x.Name, x.Session, x.Poll, x.Joined)
		}
		for _, p := range g.Partitions {
			fmt.Fprintf(out, "\n  %s/%d owner=%d since=%d committed=%d at %d %q of %d to %d, lag %d", p.Topic, p.Partition, p.Owner, p.Since,
				p.Committed, p.Time, p.Metadata, p.Start, p.End, p.Lag())
		}
	}
	out.WriteString("\n")
}
