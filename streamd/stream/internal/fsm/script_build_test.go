package fsm

import (
	"strings"

	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/replica/machinetest"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// script is one command as test files write it.
type script struct{ *machinetest.Line }

// partition reads a number; * is all.
func (s script) partition(text string) int32 {
	if text == "*" {
		return wire.AnyPartition
	}
	return int32(s.Num(text))
}

// place reads latest, earliest, or a number.
func (s script) place(text string) int64 {
	switch text {
	case "latest":
		return wire.OffsetLatest
	case "earliest":
		return wire.OffsetEarliest
	}
	return s.Num(text)
}

func (s script) producer() record.Producer {
	if s.Opts["pid"] == "" {
		return record.NoProducer
	}
	return record.Producer{ID: s.Opt("pid"), Epoch: int16(s.Opt("epoch")), Sequence: int32(s.Opt("seq"))}
}

// limits are the operations whose payload is a limit.
var limits = map[string]wire.Op{"retain": wire.OpStreamRetain, "expire": wire.OpStreamExpire, "collect": wire.OpStreamCollect}

func (s script) build() command {
	t := []byte(s.Arg(0))
	switch s.Name {
	case "retain", "expire", "collect":
		n := s.Num(s.Arg(0))
		if n == 0 {
			n = RetainLimit
		}
		return command{Op: limits[s.Name], Body: wire.AppendLimit(nil, int(n))}
	case "info":
		return command{Op: wire.OpStreamInfo, Body: t}
	case "delete":
		return command{Op: wire.OpStreamDelete, Body: t}
	case "producer":
		return command{Op: wire.OpStreamProducer, Body: nil}
	}
	op, m := s.payload(t)
	return command{Op: op, Body: m.Append(nil)}
}

func (s script) payload(t []byte) (wire.Op, machinetest.Payload) {
	g, c := []byte(s.Arg(1)), []byte(s.Arg(2))
	switch s.Name {
	case "create":
		return wire.OpStreamCreate, s.settings(t)
	case "alter":
		return wire.OpStreamAlter, s.settings(t)
	case "append":
		time := s.Opt("time")
		return wire.OpStreamAppend, &wire.StreamAppend{Topic: t, Partition: int32(s.Num(s.Arg(1))), Batch: batchOf(time, s.producer(), s.Rest(2)...)}
	case "corrupt":
		b := batchOf(0, record.NoProducer, "spoilt")
		b[len(b)-1] ^= 1
		return wire.OpStreamAppend, &wire.StreamAppend{Topic: t, Batch: b}
	case "list", "groups":
		op := map[string]wire.Op{"list": wire.OpStreamList, "groups": wire.OpStreamGroups}[s.Name]
		return op, &wire.StreamList{After: []byte(s.Opts["after"]), Match: []byte(s.Opts["match"]), Limit: uint64(s.Opt("limit")), Topic: []byte(s.Opts["topic"])}
	case "offsets":
		return wire.OpStreamOffsets, &wire.StreamOffsets{Topic: t, Partition: s.partition(s.Arg(1)), Time: s.place(s.Arg(2))}
	case "sub":
		p := &wire.StreamSubscribe{Topic: t, Group: g, Consumer: c, Session: uint64(s.Opt("session")), Poll: uint64(s.Opt("poll"))}
		for _, w := range s.Rest(3) {
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
		p := &wire.StreamCommit{Topic: t, Group: g, Consumer: []byte(s.Opts["by"]), Generation: uint64(s.Opt("gen"))}
		for _, w := range s.Rest(2) {
			f := strings.Split(w+"::", ":")
			p.Offsets = append(p.Offsets, wire.StreamCommitted{Partition: int32(s.Num(f[0])), Offset: s.Num(f[1]), Metadata: []byte(f[2])})
		}
		return wire.OpStreamCommit, p
	case "reset":
		p := &wire.StreamReset{Topic: t, Group: g}
		for _, w := range s.Rest(2) {
			no, at, _ := strings.Cut(w, ":")
			p.Resolved = append(p.Resolved, wire.StreamOffset{Partition: int32(s.Num(no)), Offset: s.Num(at)})
		}
		return wire.OpStreamReset, p
	case "evict":
		p := &wire.StreamEvict{Group: t}
		for _, w := range s.Rest(1) {
			name, joined, _ := strings.Cut(w, ":")
			p.Members = append(p.Members, wire.StreamEvicted{Consumer: []byte(name), Joined: uint64(s.Num(joined))})
		}
		return wire.OpStreamEvict, p
	case "group", "delgroup":
		op := map[string]wire.Op{"group": wire.OpStreamGroup, "delgroup": wire.OpStreamDeleteGroup}[s.Name]
		return op, &wire.StreamGroupName{Group: t, Topic: g}
	}
	s.T.Fatalf("%s: there is no such operation", s.Text)
	return 0, nil
}

func (s script) settings(t []byte) *wire.TopicCreate {
	c := &wire.TopicCreate{Topic: t, Partitions: uint64(s.Opt("parts"))}
	for name := range s.Opts {
		n := s.Opt(name)
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
