package stream

import (
	"testing"

	"github.com/skshohagmiah/flin/pkg/engine/enginetest"
	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// counter is the topic that the suite writes to: each Write changes its largest record.
const counter = "contract-the-counter"

// contract is what enginetest must know of this engine. Its names are longer than what the suite leaves of a payload that it
// cuts, so that no rest of a fetch is one that waits.
func contract() enginetest.Spec {
	line, large := []byte("contract-the-line"), []byte("contract-the-large")
	fetching := func(topic []byte, partition, offset int, wait uint64) wire.Request {
		m := wire.StreamFetch{Topic: topic, Partition: int32(partition), Offset: int64(offset), Wait: wait}
		return wire.Request{Op: wire.OpStreamFetch, Body: m.Append(nil)}
	}
	publishing := func(topic []byte, partition int, value []byte) wire.Request {
		m := wire.StreamPublish{Topic: topic, Partition: int32(partition), Records: []wire.StreamRecord{{Value: value}}}
		return wire.Request{Op: wire.OpStreamPublish, Body: m.Append(nil)}
	}
	member := []wire.Code{wire.NotFound, wire.OutOfRange, wire.Fenced}
	spec := enginetest.Spec{
		Ops: map[wire.Op][]wire.Code{
			wire.OpStreamPublish:     {wire.NotFound, wire.OutOfRange},
			wire.OpStreamConsume:     member,
			wire.OpStreamCommit:      member,
			wire.OpStreamCreate:      {wire.Exists},
			wire.OpStreamSubscribe:   {wire.NotFound, wire.Conflict},
			wire.OpStreamUnsubscribe: {wire.NotFound},
			wire.OpStreamOffsets:     {wire.NotFound, wire.OutOfRange},
			wire.OpStreamFetch:       {wire.NotFound, wire.OutOfRange},
			wire.OpStreamAppend:      {wire.NotFound, wire.OutOfRange, wire.Exists, wire.Conflict, wire.Fenced},
			wire.OpStreamProducer:    nil,
			wire.OpStreamAlter:       {wire.NotFound, wire.Conflict},
			wire.OpStreamDelete:      {wire.NotFound},
			wire.OpStreamList:        nil,
			wire.OpStreamInfo:        {wire.NotFound},
			wire.OpStreamHeartbeat:   {wire.NotFound, wire.Fenced},
			wire.OpStreamGroups:      {wire.NotFound},
			wire.OpStreamGroup:       {wire.NotFound},
			wire.OpStreamReset:       {wire.NotFound, wire.OutOfRange},
			wire.OpStreamSeek:        member,
			wire.OpStreamDeleteGroup: {wire.NotFound, wire.Conflict},
		},
		Own: []wire.Op{wire.OpStreamEvict, wire.OpStreamRetain, wire.OpStreamExpire, wire.OpStreamCollect},
		Write: func(n int) wire.Request {
			m := wire.TopicCreate{Topic: []byte(counter), Fields: wire.TopicHasMaxMessage, Settings: wire.TopicSettings{MaxMessage: uint64(n)}}
			return wire.Request{Op: wire.OpStreamAlter, Body: m.Append(nil)}
		},
		Read: func() wire.Request { return wire.Request{Op: wire.OpStreamInfo, Body: []byte(counter)} },
		Found: func(resp *wire.Response) (int, error) {
			if err := resp.Err(); err != nil {
				return 0, err
			}
			var info wire.TopicInfo
			err := info.Decode(resp.Body)
			if info.Settings.MaxMessage == wire.DefaultRecordBytes {
				return 0, err
			}
			return int(info.Settings.MaxMessage), err
		},
		Wait: func(n int) wire.Request { return fetching(line, 0, n, wire.MaxFetchWait) },
		Feed: func() wire.Request { return publishing(line, 0, []byte("fed")) },
		Large: func(i int, b []byte) (write, read wire.Request) {
			return publishing(large, i, b), fetching(large, i, 0, 0)
		},
	}
	for _, m := range []wire.TopicCreate{
		{Topic: []byte(counter)},
		{Topic: line},
		{Topic: large, Partitions: 10, Fields: wire.TopicHasMaxMessage, Settings: wire.TopicSettings{MaxMessage: 8 << 20}},
	} {
		spec.Before = append(spec.Before, wire.Request{Op: wire.OpStreamCreate, Body: m.Append(nil)})
	}
	sample := func(op wire.Op, m payload) {
		spec.Samples = append(spec.Samples, wire.Request{Op: op, Body: m.Append(nil)})
	}
	topic, group, consumer := []byte("contract-the-samples"), []byte("contract:the-group"), []byte("contract:the-consumer")
	sample(wire.OpStreamCreate, &wire.TopicCreate{Topic: topic, Partitions: 3})
	sample(wire.OpStreamProducer, nothing{})
	sample(wire.OpStreamPublish, &wire.StreamPublish{Topic: topic, Partition: wire.AnyPartition, Records: []wire.StreamRecord{
		{Value: []byte("a")},
		{Flags: wire.RecordKey | wire.RecordTime | wire.RecordHeaders, Key: []byte("k"), Time: 5, Headers: []wire.Header{{Name: []byte("n"), Value: []byte("v")}}, Value: []byte("b")},
		{Flags: wire.RecordKey | wire.RecordNull, Key: []byte("k")},
	}})
	sample(wire.OpStreamAppend, &wire.StreamAppend{Topic: topic, Partition: 1, Batch: oneBatch(record.NoProducer, "x", "y")})
	sample(wire.OpStreamFetch, &wire.StreamFetch{Topic: topic, Partition: 1, Offset: wire.OffsetEarliest})
	sample(wire.OpStreamOffsets, &wire.StreamOffsets{Topic: topic, Partition: wire.AnyPartition, Time: wire.OffsetLatest})
	sample(wire.OpStreamInfo, &wire.TopicName{Topic: topic})
	sample(wire.OpStreamList, &wire.StreamList{Limit: 10})
	sample(wire.OpStreamSubscribe, &wire.StreamSubscribe{Topic: topic, Group: group, Consumer: consumer})
	sample(wire.OpStreamHeartbeat, &wire.StreamMember{Topic: topic, Group: group, Consumer: consumer})
	sample(wire.OpStreamConsume, &wire.StreamConsume{Topic: topic, Group: group, Consumer: consumer, Count: 2})
	sample(wire.OpStreamSeek, &wire.StreamSeek{Topic: topic, Group: group, Consumer: consumer, Offset: wire.OffsetEarliest})
	sample(wire.OpStreamCommit, &wire.StreamCommit{Topic: topic, Group: group, Offsets: []wire.StreamCommitted{{}}})
	sample(wire.OpStreamGroups, &wire.StreamList{})
	sample(wire.OpStreamGroup, &wire.StreamGroupName{Group: group})
	sample(wire.OpStreamReset, &wire.StreamReset{Topic: topic, Group: group, Partition: wire.AnyPartition, Offset: wire.OffsetLatest})
	sample(wire.OpStreamUnsubscribe, &wire.StreamMember{Topic: topic, Group: group, Consumer: consumer})
	sample(wire.OpStreamDeleteGroup, &wire.StreamGroupName{Group: group})
	sample(wire.OpStreamAlter, &wire.TopicCreate{Topic: topic, Partitions: 4})
	sample(wire.OpStreamDelete, &wire.TopicName{Topic: topic})
	return spec
}

// nothing is the payload of operations that have none.
type nothing struct{}

// Append appends nothing.
func (nothing) Append(b []byte) []byte { return b }

// oneBatch is a record batch as a producer makes it.
func oneBatch(p record.Producer, values ...string) []byte {
	var b record.Builder
	for i, v := range values {
		b.Add(&record.Record{Timestamp: int64(1000 + i), Value: []byte(v)})
	}
	out, err := b.AppendTo(nil, wire.CompressionNone, p)
	if err != nil {
		panic(err)
	}
	return out
}

func TestTheEngineKeepsItsContract(t *testing.T) {
	worlds.Contract(t, contract())
}

func TestAnInvalidRequestNeverReachesTheLog(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 1)
	before := w.Group.Status().Proposed
	for i, resp := range []wire.Response{
		w.Do(wire.OpStreamPublish, &wire.StreamPublish{Topic: []byte("no name"), Records: values("a")}, 0),
		w.Do(wire.OpStreamPublish, &wire.StreamPublish{Topic: []byte("t")}, 0),
		w.Do(wire.OpStreamFetch, &wire.StreamFetch{Topic: []byte("t"), Wait: wire.MaxFetchWait + 1}, 0),
		w.Do(wire.OpStreamConsume, &wire.StreamConsume{Topic: []byte("t"), Group: []byte("g"), Consumer: []byte("c")}, 0),
		w.Do(wire.OpStreamHeartbeat, &wire.StreamMember{Topic: []byte("t"), Group: []byte("no name"), Consumer: []byte("c")}, 0),
		w.Do(wire.OpStreamSeek, &wire.StreamSeek{Topic: []byte("t"), Group: []byte("g")}, 0),
		w.Do(wire.OpStreamAppend, &wire.StreamAppend{Topic: []byte("t"), Batch: []byte("no batch")}, 0),
	} {
		if resp.Code != wire.Invalid || len(resp.Body) == 0 {
			t.Errorf("invalid request %d was answered %v %s", i, resp.Code, resp.Body)
		}
	}
	if n := w.Group.Status().Proposed - before; n != 0 {
		t.Errorf("%d commands were proposed", n)
	}
}

func TestWhatWasAnsweredIsThereAfterARestart(t *testing.T) {
	dir := t.TempDir()
	w := worlds.Start(t, dir, nil)
	w.create("t", 1)
	w.publish("t", 0, numbered(1, 500)...)
	w.subscribe("t", "g", "c")
	w.consume("t", "g", "c", 100)
	w.commit("t", "g", 0, 50)
	w.Stop()

	w = worlds.Start(t, dir, nil)
	if got := w.fetch("t", 0, 499); len(got) != 1 || got[0] != "500" {
		t.Errorf("fetched %q", got)
	}
	if got := w.consume("t", "g", "c", 1); len(got) != 1 || got[0].offset != 50 {
		t.Errorf("what was consumed and not committed does not come again: %v", got)
	}
}

func TestEveryMetricCanBeCollected(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 1)
	w.publish("t", 0, "a", "b")
	if n := collected(t, w, "flin_stream_records"); n != 2 {
		t.Errorf("%v records are there", n)
	}
	c := newClient(t, w)
	c.fetch(1, "t", 2, long)
	w.parked(1)
	if n := collected(t, w, "flin_stream_calls_parked"); n != 1 {
		t.Errorf("%v calls wait", n)
	}
}
