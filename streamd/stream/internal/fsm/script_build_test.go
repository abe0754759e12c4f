package fsm

import (
	"strconv"
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/wire"
)

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

func (s *script) rest(i int) []string {
	if i >= len(s.args) {
		return nil
	}
	return s.args[i:]
}

// partition reads a number; * is all.
func (s *script) partition(text string) int32 {
	if text == "*" {
		return wire.AnyPartition
	}
	return int32(s.num(text))
}

// place reads latest, earliest, or a number.
func (s *script) place(text string) int64 {
	switch text {
	case "latest":
		return wire.OffsetLatest
	case "earliest":
		return wire.OffsetEarliest
	}
	return s.num(text)
}

func (s *script) producer() record.Producer {
	if s.opts["pid"] == "" {
		return record.NoProducer
	}
	return record.Producer{ID: s.opt("pid"), Epoch: int16(s.opt("epoch")), Sequence: int32(s.opt("seq"))}
}

// limits are the operations whose payload is a limit.
var limits = map[string]wire.Op{"retain": wire.OpStreamRetain, "expire": wire.OpStreamExpire, "collect": wire.OpStreamCollect}

func (s *script) build() command {
	t := []byte(s.arg(0))
	switch s.name {
	case "retain", "expire", "collect":
		n := s.num(s.arg(0))
		if n == 0 {
			n = RetainLimit
		}
		return command{limits[s.name], wire.AppendLimit(nil, int(n))}
	case "info":
		return command{wire.OpStreamInfo, t}
	case "delete":
		return command{wire.OpStreamDelete, t}
	case "producer":
		return command{wire.OpStreamProducer, nil}
	}
	op, m := s.payload(t)
	return command{op, m.Append(nil)}
}

func (s *script) payload(t []byte) (wire.Op, payload) {
	g, c := []byte(s.arg(1)), []byte(s.arg(2))
	switch s.name {
	case "create":
		return wire.OpStreamCreate, s.settings(t)
	case "alter":
		return wire.OpStreamAlter, s.settings(t)
	case "append":
		time := s.opt("time")
		return wire.OpStreamAppend, &wire.StreamAppend{Topic: t, Partition: int32(s.num(s.arg(1))), Batch: batchOf(time, s.producer(), s.rest(2)...)}
	case "corrupt":
		b := batchOf(0, record.NoProducer, "spoilt")
		b[len(b)-1] ^= 1
		return wire.OpStreamAppend, &wire.StreamAppend{Topic: t, Batch: b}
	case "list", "groups":
		op := map[string]wire.Op{"list": wire.OpStreamList, "groups": wire.OpStreamGroups}[s.name]
		return op, &wire.StreamList{After: []byte(s.opts["after"]), Match: []byte(s.opts["match"]), Limit: uint64(s.opt("limit")), Topic: []byte(s.opts["topic"])}
	case "offsets":
		return wire.OpStreamOffsets, &wire.StreamOffsets{Topic: t, Partition: s.partition(s.arg(1)), Time: s.place(s.arg(2))}
	case "sub":
		p := &wire.StreamSubscribe{Topic: t, Group: g, Consumer: c, Session: uint64(s.opt("session")), Poll: uint64(s.opt("poll"))}
		for _, w := range s.rest(3) {
			p.Latest = p.Latest || w == "latest"
			if w == "range" {
				p.Assignor = wire.AssignRange
			}
		}
		return wire.OpStreamSubscribe, p
	case "unsub":
		if string(t) == "*" {
			t = nil
		}
		return wire.OpStreamUnsubscribe, &wire.StreamMember{Topic: t, Group: g, Consumer: c}
	case "commit":
		p := &wire.StreamCommit{Topic: t, Group: g, Consumer: []byte(s.opts["by"]), Generation: uint64(s.opt("gen"))}
		for _, w := range s.rest(2) {
			f := strings.Split(w+"::", ":")
			p.Offsets = append(p.Offsets, wire.StreamCommitted{Partition: int32(s.num(f[0])), Offset: s.num(f[1]), Metadata: []byte(f[2])})
		}
		return wire.OpStreamCommit, p
	case "reset":
		p := &wire.StreamReset{Topic: t, Group: g}
		for _, w := range s.rest(2) {
			no, at, _ := strings.Cut(w, ":")
			p.Resolved = append(p.Resolved, wire.StreamOffset{Partition: int32(s.num(no)), Offset: s.num(at)})
		}
		return wire.OpStreamReset, p
	case "evict":
		p := &wire.StreamEvict{Group: t}
		for _, w := range s.rest(1) {
			name, joined, _ := strings.Cut(w, ":")
			p.Members = append(p.Members, wire.StreamEvicted{Consumer: []byte(name), Joined: uint64(s.num(joined))})
		}
		return wire.OpStreamEvict, p
	case "group", "delgroup":
		op := map[string]wire.Op{"group": wire.OpStreamGroup, "delgroup": wire.OpStreamDeleteGroup}[s.name]
		return op, &wire.StreamGroupName{Group: t, Topic: g}
	}
	s.t.Fatalf("%s: there is no such operation", s.text)
	return 0, nil
}

func (s *script) settings(t []byte) *wire.TopicCreate {
	c := &wire.TopicCreate{Topic: t, Partitions: uint64(s.opt("parts"))}
	for name := range s.opts {
		n := s.opt(name)
		switch name {
		case "retention":
			c.Fields, c.Settings.Retention = c.Fields|wire.TopicHasRetention, n
		case "maxbytes":
			c.Fields, c.Settings.MaxBytes = c.Fields|wire.TopicHasMaxBytes, n
		case "maxmessage":
			c.Fields, c.Settings.MaxMessage = c.Fields|wire.TopicHasMaxMessage, uint64(n)
		case "compression":
			c.Fields, c.Settings.Compression = c.Fields|wire.TopicHasCompression, wire.Compression(n)
		case "compact":
			c.Fields |= wire.TopicHasCompaction
		}
	}
	return c
}
