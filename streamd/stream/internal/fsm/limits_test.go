package fsm

import (
	"fmt"
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/replica/machinetest"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// refused is one for a command that must be refused.
func (b *bench) refused(op wire.Op, m machinetest.Payload, code wire.Code, what string) {
	b.T.Helper()
	ans := b.One(op, m)
	if ans.Code != code || !strings.Contains(string(ans.Body), what) {
		b.T.Errorf("%v was answered %v %s, not %v with %q", op, ans.Code, ans.Body, code, what)
	}
}

func TestThereAreNoMoreTopicsAndPartitionsThanTheLimit(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	for i := range wire.MaxTopics {
		b.create(fmt.Sprint("t", i), 1, 0, wire.TopicSettings{})
	}
	b.refused(wire.OpStreamCreate, &wire.TopicCreate{Topic: []byte("one-more")}, wire.Full, "10000 topics")
	for i := range wire.MaxTopics {
		b.Must(wire.OpStreamDelete, &wire.TopicName{Topic: fmt.Append(nil, "t", i)})
	}
	for i := range wire.MaxAllPartitions / wire.MaxPartitions {
		b.create(fmt.Sprint("w", i), wire.MaxPartitions-1, 0, wire.TopicSettings{})
	}
	b.refused(wire.OpStreamCreate, &wire.TopicCreate{Topic: []byte("wide"), Partitions: 21}, wire.Full, "199980 partitions")
	b.create("wide", 20, 0, wire.TopicSettings{})
	b.refused(wire.OpStreamAlter, &wire.TopicCreate{Topic: []byte("wide"), Partitions: 21}, wire.Full, "200000 partitions")
	b.Must(wire.OpStreamDelete, &wire.TopicName{Topic: []byte("wide")})
	b.Must(wire.OpStreamAlter, &wire.TopicCreate{Topic: []byte("w0"), Partitions: wire.MaxPartitions})
}

func TestThereAreNoMoreGroupsAndMembersThanTheLimit(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	b.create("t", 3, 0, wire.TopicSettings{})
	join := func(name string) *wire.StreamSubscribe {
		return &wire.StreamSubscribe{Topic: []byte("t"), Group: []byte("g"), Consumer: []byte(name)}
	}
	for i := range wire.MaxMembers {
		b.Must(wire.OpStreamSubscribe, join(fmt.Sprint("m", i)))
	}
	b.refused(wire.OpStreamSubscribe, join("one-more"), wire.Full, "1000 members")
	b.Must(wire.OpStreamSubscribe, join("m5"))
	b.Must(wire.OpStreamUnsubscribe, &wire.StreamMember{Group: []byte("g"), Consumer: []byte("m5")})
	b.Must(wire.OpStreamSubscribe, join("one-more"))
	commit := func(group string) *wire.StreamCommit {
		return &wire.StreamCommit{Topic: []byte("t"), Group: []byte(group), Offsets: make([]wire.StreamCommitted, 1)}
	}
	for i := range wire.MaxGroups - 1 {
		b.Must(wire.OpStreamCommit, commit(fmt.Sprint("c", i)))
	}
	b.refused(wire.OpStreamCommit, commit("one-more"), wire.Full, "10000 consumer groups")
	b.refused(wire.OpStreamSubscribe, &wire.StreamSubscribe{Topic: []byte("t"), Group: []byte("one-more"), Consumer: []byte("c")}, wire.Full, "consumer groups")
	b.Must(wire.OpStreamDeleteGroup, &wire.StreamGroupName{Group: []byte("c7")})
	b.Must(wire.OpStreamCommit, commit("one-more"))
	b.Check()
}

func TestAProducerOverTheLimitIsRefusedUntilAnotherIsForgotten(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	b.create("t", 1, 0, wire.TopicSettings{})
	send := func(pid int64) *wire.StreamAppend {
		return &wire.StreamAppend{Topic: []byte("t"), Batch: batchOf(1, record.Producer{ID: pid}, "a")}
	}
	b.Must(wire.OpStreamAppend, send(1))
	b.m.producers.count += wire.MaxProducers - 1
	b.refused(wire.OpStreamAppend, send(2), wire.Full, "1000000 pairs")
	b.Must(wire.OpStreamAppend, send(1)) // which is there already
	b.Now += expiry
	b.Must(wire.OpStreamExpire, limit(10))
	b.Must(wire.OpStreamAppend, send(2))
}

func TestAnEnginesOwnCommandDoesNoMoreThanItsLimit(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	b.create("t", 2, wire.TopicHasRetention, wire.TopicSettings{Retention: 1})
	for i := range 3 * RetainLimit / 2 {
		b.put("t", int32(i%2), "a")
	}
	b.Now += 10
	for _, want := range []int64{RetainLimit, RetainLimit / 2, 0} {
		ans := b.Must(wire.OpStreamRetain, limit(1_000_000))
		if ans.Num != want || (ans.Rev != 0) != (want > 0) {
			t.Errorf("retention removed %d batches, not %d", ans.Num, want)
		}
	}
	for i := range 3 * CollectLimit / 2 {
		b.put("t", int32(i%2), "a")
	}
	b.Must(wire.OpStreamDelete, &wire.TopicName{Topic: []byte("t")})
	if !b.m.Garbage() {
		t.Error("a deleted topic has left no garbage")
	}
	total := int64(0)
	for b.m.Garbage() {
		ans := b.Must(wire.OpStreamCollect, limit(1_000_000))
		if ans.Num > CollectLimit || ans.Rev == 0 {
			t.Fatalf("%d keys were collected at once", ans.Num)
		}
		total += ans.Num
	}
	if want := int64(3*CollectLimit/2 + 2); total != want || b.Dump() != "" {
		t.Errorf("%d keys were collected, not %d; left is\n%s", total, want, b.Dump())
	}
}

func TestARecordOverTheNodesLimitIsRefusedBeforeItIsProposed(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	m, err := NewMachine(b.Store, Options{MaxMessage: 10})
	if err != nil {
		t.Fatal(err)
	}
	header := []wire.Header{{Name: []byte("name"), Value: []byte("value")}}
	for _, c := range []struct {
		r    wire.StreamRecord
		code wire.Code
	}{
		{wire.StreamRecord{Flags: wire.RecordKey, Key: []byte("12345"), Value: []byte("12345")}, wire.OK},
		{wire.StreamRecord{Flags: wire.RecordKey, Key: []byte("12345"), Value: []byte("123456")}, wire.TooLarge},
		{wire.StreamRecord{Flags: wire.RecordHeaders, Headers: header, Value: []byte("1")}, wire.OK},
		{wire.StreamRecord{Flags: wire.RecordHeaders, Headers: header, Value: []byte("12")}, wire.TooLarge},
		{wire.StreamRecord{Flags: wire.RecordTime, Time: -1}, wire.Invalid},
		{wire.StreamRecord{Flags: wire.RecordNull << 1}, wire.Invalid},
	} {
		p := wire.StreamPublish{Topic: []byte("t"), Partition: wire.AnyPartition, Records: []wire.StreamRecord{c.r}}
		if err := m.Check(wire.OpStreamPublish, p.Append(nil)); wire.CodeOf(err) != c.code {
			t.Errorf("%+v: %v, not %v", c.r, err, c.code)
		}
	}
	a := wire.StreamAppend{Topic: []byte("t"), Batch: batchOf(1, record.NoProducer, "12345678901")}
	if err := m.Check(wire.OpStreamAppend, a.Append(nil)); wire.CodeOf(err) != wire.TooLarge {
		t.Errorf("a batch with a record over the limit: %v", err)
	}
}

func TestTheHeadersOfARecordHaveALimitOfTheirOwn(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	for size, code := range map[int]wire.Code{wire.MaxHeaderBytes: wire.OK, wire.MaxHeaderBytes + 1: wire.TooLarge} {
		headers := []wire.Header{{Name: []byte("name"), Value: make([]byte, 1000)}, {Name: []byte("n"), Value: make([]byte, size-1005)}}
		p := wire.StreamPublish{Topic: []byte("t"), Records: []wire.StreamRecord{{Flags: wire.RecordHeaders, Headers: headers, Value: make([]byte, 100)}}}
		if err := b.m.Check(wire.OpStreamPublish, p.Append(nil)); wire.CodeOf(err) != code {
			t.Errorf("a publish with %d bytes of headers: %v", size, err)
		}
		var rb record.Builder
		rb.Add(&record.Record{Headers: headers, Key: []byte("key"), Value: make([]byte, 100)})
		batch, err := rb.AppendTo(nil, wire.CompressionZstd, record.NoProducer)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.m.Check(wire.OpStreamAppend, (&wire.StreamAppend{Topic: []byte("t"), Batch: batch}).Append(nil)); wire.CodeOf(err) != code {
			t.Errorf("a batch with a record of %d bytes of headers: %v", size, err)
		}
	}
}
