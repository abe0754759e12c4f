package flin

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/wire"
)

var events, processors, worker = []byte("events"), []byte("processors"), []byte("worker-1")

// at is the answer to a publish.
func at(places ...Position) wire.Response {
	resp := wire.Response{Num: int64(len(places))}
	for _, p := range places {
		resp.Body = binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(resp.Body, uint32(p.Partition)), uint64(p.Offset))
	}
	return resp
}

// someSection is records 5 to 9 of a partition, of which 6 to 8 are handed out: a full one, an empty one and one of nulls.
func someSection(codec Codec) wire.StreamSection {
	var b record.Builder
	for _, r := range []record.Record{
		{Value: []byte("before")},
		{Timestamp: 1000, Key: []byte("k"), Value: []byte("v"), Headers: []wire.Header{{Name: []byte("h"), Value: []byte("x")}}},
		{Timestamp: 2000, Key: []byte{}, Value: []byte{}},
		{Timestamp: 3000},
		{Value: []byte("behind")},
	} {
		b.Add(&r)
	}
	p, err := b.AppendTo(nil, codec, record.NoProducer)
	if err != nil {
		panic(err) // it is one of the codecs
	}
	record.Batch(p).Patch(5, 1)
	return wire.StreamSection{Partition: 2, From: 6, To: 9, Start: 0, End: 10, Batches: p}
}

// show renders records.
func show(records []Record, err error) (any, error) {
	var b strings.Builder
	for _, r := range records {
		fmt.Fprintf(&b, "%s/%d/%d@%d %v:%q %v:%q %v; ", r.Topic, r.Partition, r.Offset, r.Timestamp.UnixMilli(), r.Key != nil, r.Key, r.Value != nil, r.Value, r.Headers)
	}
	return b.String(), err
}

const someRecords = `events/2/6@1000 true:"k" true:"v" [{h [120]}]; events/2/7@2000 true:"" true:"" []; events/2/8@3000 false:"" false:"" []; `

// TestEveryStreamCallSendsItsPayload looks at the frames, and at what becomes of a made-up answer.
func TestEveryStreamCallSendsItsPayload(t *testing.T) {
	f := newFake(t)
	s := connect(t, f.addr()).Stream
	day := time.UnixMilli(1_900_000_000_000)
	publish := func(partition int32, records ...wire.StreamRecord) payload {
		return &wire.StreamPublish{Topic: events, Partition: partition, Records: records}
	}
	section := someSection(NoCompression)
	zstd := someSection(Zstd)
	fetched := wire.Response{Num: 3, Body: section.Append(nil)}
	places := wire.Response{Num: 2, Body: wire.AppendStreamOffset(wire.AppendStreamOffset(nil, wire.StreamOffset{Offset: 7, Time: 1000}), wire.StreamOffset{Partition: 1, Time: -1})}
	settings := wire.TopicSettings{Retention: 3_600_000, MaxBytes: -1, MaxMessage: 1000, Compression: Gzip}
	info := wire.TopicInfo{Name: events, Settings: settings, Created: day.UnixMilli(), Partitions: []wire.PartitionInfo{{Start: 1, End: 5, Bytes: 9, Batches: 2, Newest: 1000}}}
	group := wire.GroupInfo{
		Name: processors, Generation: 7, Assignor: wire.AssignRange, Members: []wire.GroupMember{{Name: worker, Session: 1000, Poll: 2000, Joined: 1}},
		Partitions: []wire.GroupPartition{
			{Topic: events, Owner: 1, Since: 6, Committed: 3, Time: 1000, Metadata: []byte("m"), Start: 1, End: 5}, {Topic: events, Partition: 1, Committed: -1, End: 4},
		},
	}
	owns := wire.Response{Body: (&wire.StreamAssignment{Generation: 7, Partitions: []int32{0, 3}}).Append(nil)}
	member := &wire.StreamMember{Topic: events, Group: processors, Consumer: worker}
	cases := []callCase{
		{"publish", wire.OpStreamPublish, publish(-1, wire.StreamRecord{Value: []byte("v")}), at(Position{3, 1 << 40}), func() (any, error) { return s.Publish("events", AnyPartition, "", []byte("v")) }, "{3 1099511627776}"},
		{
			"publish with everything", wire.OpStreamPublish,
			publish(2, wire.StreamRecord{
				Flags: wire.RecordKey | wire.RecordTime | wire.RecordHeaders, Time: day.UnixMilli(), Key: []byte("user"), Value: []byte("v"),
				Headers: []wire.Header{{Name: []byte("a"), Value: []byte("1")}, {Name: []byte("a"), Value: []byte("2")}},
			}), at(Position{2, 0}),
			func() (any, error) {
				return s.Publish("events", 2, "user", []byte("v"), Timestamp(day), RecordHeaders(Header{"a", []byte("1")}, Header{"a", []byte("2")}))
			}, "{2 0}",
		},
		{
			"publish nothing", wire.OpStreamPublish, publish(-2, wire.StreamRecord{Flags: wire.RecordKey | wire.RecordNull, Key: []byte{}}), at(Position{}),
			func() (any, error) { return s.Publish("events", -2, "", []byte("v"), Key(nil), NullValue()) }, "{0 0}",
		},
		{
			"publish a batch", wire.OpStreamPublish,
			publish(-1, wire.StreamRecord{Flags: wire.RecordKey | wire.RecordTime | wire.RecordNull, Time: 1000, Key: []byte{}}, wire.StreamRecord{Flags: wire.RecordHeaders, Headers: []wire.Header{{Name: []byte("h")}}, Value: []byte{}}),
			at(Position{1, 5}, Position{0, 6}),
			func() (any, error) {
				return s.PublishBatch("events", AnyPartition, []Record{{Key: []byte{}, Timestamp: time.UnixMilli(1000)}, {Value: []byte{}, Headers: []Header{{Name: "h"}}}})
			}, "[{1 5} {0 6}]",
		},
		{"fetch", wire.OpStreamFetch, &wire.StreamFetch{Topic: events, Partition: 2, Offset: 6}, fetched, func() (any, error) { return show(s.Fetch("events", 2, 6)) }, someRecords},
		{
			"fetch with everything", wire.OpStreamFetch,
			&wire.StreamFetch{Topic: events, Partition: 2, Offset: 1000, ByTime: true, Count: 5, MinBytes: 6, MaxBytes: 7, Wait: 8},
			wire.Response{Num: 3, Body: zstd.Append(nil)},
			func() (any, error) {
				return show(s.Fetch("events", 2, Latest, FromTime(time.UnixMilli(1000)), MaxRecords(5), MinBytes(6), MaxBytes(7), Wait(8*time.Millisecond)))
			}, someRecords,
		},
		{"fetch nothing", wire.OpStreamFetch, &wire.StreamFetch{Topic: events, Offset: Latest}, wire.Response{}, func() (any, error) { return show(s.Fetch("events", 0, Latest)) }, ""},
		{
			"offsets", wire.OpStreamOffsets, &wire.StreamOffsets{Topic: events, Partition: -1, Time: Earliest}, places,
			func() (any, error) {
				list, err := s.Offsets("events", AnyPartition, Earliest)
				return fmt.Sprint(len(list), list[0].Offset, list[0].Timestamp.UnixMilli(), list[1].Timestamp.IsZero()), err
			}, "2 7 1000 true",
		},
		{
			"offsets by time", wire.OpStreamOffsets, &wire.StreamOffsets{Topic: events, Partition: 1, Time: 1000},
			wire.Response{},
			func() (any, error) { return s.Offsets("events", 1, 0, FromTime(time.UnixMilli(1000))) }, "[]",
		},
		{
			"create", wire.OpStreamCreate, &wire.TopicCreate{Topic: events, Partitions: 4},
			wire.Response{Num: 1},
			func() (any, error) { return done(s.CreateTopic("events", 4, 0)) }, "",
		},
		{
			"create with everything", wire.OpStreamCreate,
			&wire.TopicCreate{Topic: events, Partitions: 4, Fields: 15, Settings: wire.TopicSettings{Retention: -1, MaxBytes: 9, MaxMessage: 8, Compression: LZ4}},
			wire.Response{},
			func() (any, error) {
				return done(s.CreateTopic("events", 4, -1, MaxBytes(9), MaxMessage(8), Compression(LZ4)))
			}, "",
		},
		{
			"alter", wire.OpStreamAlter, &wire.TopicCreate{Topic: events, Partitions: 9, Fields: wire.TopicHasRetention, Settings: wire.TopicSettings{Retention: 5}},
			wire.Response{},
			func() (any, error) {
				return done(s.AlterTopic("events", Partitions(9), Retention(5*time.Millisecond)))
			}, "",
		},
		{"delete", wire.OpStreamDelete, &wire.TopicName{Topic: events}, wire.Response{}, func() (any, error) { return done(s.DeleteTopic("events")) }, ""},
		{
			"topic", wire.OpStreamInfo, &wire.TopicName{Topic: events},
			wire.Response{Body: info.Append(nil)},
			func() (any, error) {
				i, err := s.Topic("events")
				return fmt.Sprint(i.Retention, i.MaxBytes, i.MaxMessage, i.Compression, i.Created.Equal(day), i.Partitions[0].End, i.Partitions[0].Newest.UnixMilli()), err
			}, "1h0m0s -1 1000 1 true 5 1000",
		},
		{
			"topics", wire.OpStreamList, &wire.StreamList{Match: []byte("e*")},
			wire.Response{Body: info.Append(info.Append(nil))},
			func() (any, error) {
				n := 0
				for i, err := range s.Topics("e*") {
					if err != nil || i.Name != "events" {
						return n, err
					}
					n++
				}
				return n, nil
			}, "2",
		},
		{
			"subscribe", wire.OpStreamSubscribe, &wire.StreamSubscribe{Topic: events, Group: processors, Consumer: worker}, owns,
			func() (any, error) { return done(s.Subscribe("events", "processors", "worker-1")) }, "",
		},
		{
			"subscribe with everything", wire.OpStreamSubscribe,
			&wire.StreamSubscribe{Topic: events, Group: processors, Consumer: worker, Latest: true, Assignor: wire.AssignRange, Session: 60_000, Poll: 6}, owns,
			func() (any, error) {
				return done(s.Subscribe("events", "processors", "worker-1", FromLatest(), RangeAssignor(), SessionTimeout(time.Minute), MaxPoll(6*time.Millisecond)))
			}, "",
		},
		{"assignment", wire.OpStreamHeartbeat, member, owns, func() (any, error) { return s.Assignment("events", "processors", "worker-1") }, "{7 [0 3]}"},
		{
			"consume", wire.OpStreamConsume, &wire.StreamConsume{Topic: events, Group: processors, Consumer: worker, Count: 10, MaxBytes: 9, Wait: 8, Turn: 1},
			wire.Response{Num: 3, Body: section.Append(wire.AppendUvarint(nil, 7))},
			func() (any, error) {
				return show(s.Consume("events", "processors", "worker-1", 10, Wait(8*time.Millisecond), MaxBytes(9)))
			}, someRecords,
		},
		{
			"commit what was consumed", wire.OpStreamCommit,
			&wire.StreamCommit{Topic: events, Group: processors, Consumer: worker, Generation: 7, Offsets: []wire.StreamCommitted{{Partition: 2, Offset: 9, Metadata: []byte("m")}}},
			wire.Response{Num: 1},
			func() (any, error) { return done(s.Commit("events", "processors", 2, 9, Metadata("m"))) }, "",
		},
		{
			"commit what was not", wire.OpStreamCommit, &wire.StreamCommit{Topic: events, Group: processors, Offsets: []wire.StreamCommitted{{Partition: 3, Offset: 9}}},
			wire.Response{Num: 1},
			func() (any, error) { return done(s.Commit("events", "processors", 3, 9)) }, "",
		},
		{
			"commit as another", wire.OpStreamCommit,
			&wire.StreamCommit{Topic: events, Group: processors, Consumer: []byte("x"), Generation: 3, Offsets: []wire.StreamCommitted{{Partition: 2, Offset: 9}, {Partition: 3, Offset: 1}}},
			wire.Response{Num: 1},
			func() (any, error) {
				return done(s.CommitBatch("events", "processors", []Position{{2, 9}, {3, 1}}, As("x", 3)))
			}, "",
		},
		{
			"seek", wire.OpStreamSeek, &wire.StreamSeek{Topic: events, Group: processors, Consumer: worker, Partition: 2, Offset: Earliest},
			wire.Response{Num: 4},
			func() (any, error) { return s.Seek("events", "processors", "worker-1", 2, Earliest) }, "4",
		},
		{"unsubscribe", wire.OpStreamUnsubscribe, member, wire.Response{Num: 1}, func() (any, error) { return done(s.Unsubscribe("events", "processors", "worker-1")) }, ""},
		{"lag", wire.OpStreamGroup, &wire.StreamGroupName{Group: processors, Topic: events}, wire.Response{Body: group.Append(nil)}, func() (any, error) { return s.Lag("events", "processors") }, "6"},
		{
			"group", wire.OpStreamGroup, &wire.StreamGroupName{Group: processors},
			wire.Response{Body: group.Append(nil)},
			func() (any, error) {
				g, err := s.Group("processors")
				one, two := g.Partitions[0], g.Partitions[1]
				return []any{g.Generation, g.Range, g.Members[0].Session, one.Owner, one.At.UnixMilli(), one.Lag, two.Owner == "", two.At.IsZero(), two.Lag}, err
			}, "[7 true 1s worker-1 1000 2 true true 4]",
		},
		{
			"groups", wire.OpStreamGroups, &wire.StreamList{Match: []byte("p*"), Topic: events},
			wire.Response{Body: wire.AppendGroupSummary(nil, &wire.GroupSummary{Name: processors, Generation: 1, Members: 2, Topics: 3, Lag: 4})},
			func() (any, error) {
				var all []GroupSummary
				for g, err := range s.Groups("events", "p*") {
					if err != nil {
						return nil, err
					}
					all = append(all, g)
				}
				return all, nil
			}, "[{processors 1 2 3 4}]",
		},
		{
			"reset", wire.OpStreamReset, &wire.StreamReset{Topic: events, Group: processors, Partition: -1, Offset: 1000, ByTime: true}, places,
			func() (any, error) {
				list, err := s.Reset("events", "processors", AnyPartition, Latest, FromTime(time.UnixMilli(1000)))
				return len(list), err
			}, "2",
		},
		{"delete a group", wire.OpStreamDeleteGroup, &wire.StreamGroupName{Group: processors}, wire.Response{}, func() (any, error) { return done(s.DeleteGroup("processors")) }, ""},
	}
	for _, tc := range cases {
		tc.run(t, f)
		if len(tc.resp.Body) == 0 || tc.op == wire.OpStreamOffsets || tc.op == wire.OpStreamReset {
			continue
		}
		call := tc.call
		tc.call = func() (_ any, err error) {
			defer func() {
				if recover() != nil {
					err = ErrInternal // the case looks at what is not there
				}
			}()
			return call()
		}
		tc.cutOff(t, f, 2)
	}
}
