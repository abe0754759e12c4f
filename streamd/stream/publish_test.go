package stream

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestWhatIsPublishedIsFetchedInOrder(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 2)
	if got := w.publish("t", 1, "a", "b"); !slices.Equal(got, []at{{1, 0}, {1, 1}}) {
		t.Errorf("placed at %v", got)
	}
	w.publish("t", 1, "c")
	if got := w.fetch("t", 1, 0); !slices.Equal(got, []string{"a", "b", "c"}) {
		t.Errorf("fetched %q", got)
	}
	if got := w.fetch("t", 1, 2); !slices.Equal(got, []string{"c"}) {
		t.Errorf("fetched %q", got)
	}
	if got := w.fetch("t", 0, wire.OffsetEarliest); len(got) != 0 {
		t.Errorf("fetched %q from a partition that is empty", got)
	}
}

func TestPublishesThatArePendingTogetherShareBatches(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 3)
	const clients, each = 40, 50
	var mu sync.Mutex
	where := map[at]string{}
	var wg sync.WaitGroup
	for i := range clients {
		wg.Go(func() {
			c := newClient(t, w)
			for k := range each {
				c.ask(uint64(k), wire.OpStreamPublish, &wire.StreamPublish{
					Topic: []byte("t"), Partition: int32(k % 3), Records: values(fmt.Sprint(i, "/", k), fmt.Sprint(i, "/", k, "+")),
				})
			}
			last := map[int32]int64{0: -1, 1: -1, 2: -1}
			for k := range each {
				resp := c.answer(uint64(k))
				got := places(t, &resp)
				if len(got) != 2 || got[0].partition != int32(k%3) || got[1] != (at{got[0].partition, got[0].offset + 1}) {
					t.Errorf("publish %d/%d was placed at %v", i, k, got)
				}
				if got[0].offset <= last[got[0].partition] {
					t.Errorf("publish %d/%d came before one of the same client that was sent earlier", i, k)
				}
				last[got[0].partition] = got[1].offset
				mu.Lock()
				where[got[0]], where[got[1]] = fmt.Sprint(i, "/", k), fmt.Sprint(i, "/", k, "+")
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if len(where) != 2*clients*each {
		t.Fatalf("%d records have %d places", 2*clients*each, len(where))
	}
	for p := range int32(3) {
		all := w.all("t", p)
		for i, x := range all {
			if x.offset != int64(i) {
				t.Fatalf("record %d of partition %d has the offset %d", i, p, x.offset)
			}
			if where[x.at] != x.value {
				t.Errorf("at %v is %q, %q was said to be there", x.at, x.value, where[x.at])
			}
		}
	}
	if info := w.info("t"); info.Partitions[0].Batches >= uint64(clients*each/3) {
		t.Errorf("%d batches for %d publishes: none was shared", info.Partitions[0].Batches, clients*each/3)
	}
}

func TestKeysChoosePartitionsAsKafkaHasIt(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 5)
	m := wire.StreamPublish{Topic: []byte("t"), Partition: wire.AnyPartition}
	for i := range 100 {
		m.Records = append(m.Records, wire.StreamRecord{Flags: wire.RecordKey, Key: fmt.Append(nil, "key-", i%10), Value: fmt.Append(nil, i)})
	}
	resp := w.Must(wire.OpStreamPublish, &m)
	got := places(t, &resp)
	next := map[int32]int64{}
	for i, x := range got {
		if want := int32(record.Partition(m.Records[i].Key, 5)); x.partition != want {
			t.Errorf("key %q went to partition %d, not %d", m.Records[i].Key, x.partition, want)
		}
		if x.offset != next[x.partition] {
			t.Errorf("record %d is at %v, the next offset was %d", i, x, next[x.partition])
		}
		next[x.partition]++
	}
	if len(next) < 2 {
		t.Fatal("all keys went to one partition")
	}
}

func TestRecordsWithoutAKeyStayTogetherAndMoveOn(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 4)
	seen := map[int32]bool{}
	for range 60 {
		got := w.publish("t", wire.AnyPartition, "a", "b", "c")
		if got[0].partition != got[2].partition {
			t.Fatalf("records of one request went to %v", got)
		}
		seen[got[0].partition] = true
	}
	if len(seen) != 4 {
		t.Errorf("60 batches went to %d of 4 partitions", len(seen))
	}
}

func TestARecordComesBackAsItWas(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 1)
	before := wallClock()
	w.Must(wire.OpStreamPublish, &wire.StreamPublish{Topic: []byte("t"), Records: []wire.StreamRecord{
		{Flags: wire.RecordKey | wire.RecordTime | wire.RecordHeaders, Key: []byte{}, Time: 77, Headers: []wire.Header{{Name: []byte("n"), Value: []byte("v")}, {Name: []byte("n")}}, Value: []byte{}},
		{Flags: wire.RecordNull},
	}})
	resp := w.Must(wire.OpStreamFetch, &wire.StreamFetch{Topic: []byte("t")})
	s, _ := section(t, &resp)
	b, _, err := record.Next(s.Batches)
	if err != nil {
		t.Fatal(err)
	}
	var r record.Reader
	if err := r.Reset(b); err != nil {
		t.Fatal(err)
	}
	var x record.Record
	if _, err := r.Next(&x); err != nil || x.Key == nil || x.Value == nil || len(x.Key)+len(x.Value) != 0 || x.Timestamp != 77 ||
		len(x.Headers) != 2 || string(x.Headers[0].Value) != "v" {
		t.Errorf("the first came back as %+v: %v", x, err)
	}
	if _, err := r.Next(&x); err != nil || x.Key != nil || x.Value != nil || len(x.Headers) != 0 || x.Timestamp < before {
		t.Errorf("the second came back as %+v: %v", x, err)
	}
}

func TestWhatCannotBePublishedIsRefusedWithTheReason(t *testing.T) {
	w := worlds.New(t, func(c *Config) { c.MaxRecord = 2 << 20 })
	w.create("t", 3)
	w.Must(wire.OpStreamAlter, &wire.TopicCreate{Topic: []byte("t"), Fields: wire.TopicHasMaxMessage, Settings: wire.TopicSettings{MaxMessage: 1000}})
	w.Must(wire.OpStreamCreate, &wire.TopicCreate{Topic: []byte("large"), Fields: wire.TopicHasMaxMessage, Settings: wire.TopicSettings{MaxMessage: wire.MaxRecord}})
	large := strings.Repeat("x", 2<<20)
	for _, x := range []struct {
		m    wire.StreamPublish
		code wire.Code
		says string
	}{
		{wire.StreamPublish{Topic: []byte("t"), Partition: 3, Records: values("a")}, wire.OutOfRange, "3 partitions"},
		{wire.StreamPublish{Topic: []byte("t"), Partition: math.MaxInt32, Records: values("a")}, wire.OutOfRange, "3 partitions"},
		{wire.StreamPublish{Topic: []byte("t"), Partition: -2, Records: values("a")}, wire.Invalid, "-2"},
		{wire.StreamPublish{Topic: []byte("t"), Partition: 0, Records: values("a", strings.Repeat("x", 1001))}, wire.TooLarge, "1000"},
		{wire.StreamPublish{Topic: []byte("large"), Partition: 0, Records: values(large + "x")}, wire.TooLarge, "-max-value"},
		{wire.StreamPublish{Topic: []byte("large"), Partition: 0, Records: values(large, large, large, large, large, large)}, wire.TooLarge, "fewer"},
	} {
		resp := w.Do(wire.OpStreamPublish, &x.m, 0)
		if resp.Code != x.code || !strings.Contains(string(resp.Body), x.says) {
			t.Errorf("it was answered %v %s, not %v with %q", resp.Code, resp.Body, x.code, x.says)
		}
	}
	for p := range int32(3) {
		if all := w.all("t", p); len(all) != 0 {
			t.Errorf("partition %d has %v", p, all)
		}
	}
	w.publish("large", 0, large, large, large, large, large)
	if got := w.fetch("large", 0, 4); len(got) != 1 || got[0] != large {
		t.Errorf("%d records came back", len(got))
	}
}

func TestATopicIsMadeWhenItIsFirstPublishedTo(t *testing.T) {
	w := worlds.New(t, nil)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			c := newClient(t, w)
			for k := range 10 {
				c.ask(uint64(k), wire.OpStreamPublish, &wire.StreamPublish{Topic: []byte("new"), Partition: wire.AnyPartition, Records: values("v")})
			}
			last := int64(-1)
			for k := range 10 {
				resp := c.answer(uint64(k))
				if got := places(t, &resp); got[0].offset <= last {
					t.Errorf("publish %d came before one that was sent earlier", k)
				} else {
					last = got[0].offset
				}
			}
		})
	}
	wg.Wait()
	w.Must(wire.OpStreamAppend, &wire.StreamAppend{Topic: []byte("other"), Batch: oneBatch(record.NoProducer, "x")})
	if info := w.info("new"); len(info.Partitions) != 1 || info.Partitions[0].End != 200 {
		t.Errorf("the topic is %+v", info)
	}
	if got := w.fetch("other", 0, 0); !slices.Equal(got, []string{"x"}) {
		t.Errorf("the other has %q", got)
	}
}

func TestATopicIsNotMadeWhereThatIsOff(t *testing.T) {
	w := worlds.New(t, func(c *Config) { c.AutoTopics = false })
	resp := w.Do(wire.OpStreamPublish, &wire.StreamPublish{Topic: []byte("new"), Records: values("v")}, 0)
	if resp.Code != wire.NotFound || !strings.Contains(string(resp.Body), `"new"`) {
		t.Errorf("it was answered %v %s", resp.Code, resp.Body)
	}
	if resp := w.Do(wire.OpStreamAppend, &wire.StreamAppend{Topic: []byte("new"), Batch: oneBatch(record.NoProducer, "x")}, 0); resp.Code != wire.NotFound {
		t.Errorf("it was answered %v %s", resp.Code, resp.Body)
	}
	if resp := w.Do(wire.OpStreamInfo, topicName("new"), 0); resp.Code != wire.NotFound {
		t.Errorf("it is there: %v", resp.Code)
	}
}

func TestAPipelineOfOneClientTakesEffectInItsOrder(t *testing.T) {
	for _, auto := range []bool{true, false} {
		t.Run(fmt.Sprint("auto=", auto), func(t *testing.T) {
			w := worlds.New(t, func(c *Config) { c.AutoTopics = auto })
			c := newClient(t, w)
			tag := uint64(0)
			ordered := func(op wire.Op, m payload) uint64 {
				tag++
				c.w.Submit(wire.Request{Op: op, Tag: tag, Flags: wire.FlagOrdered, Body: m.Append(nil)}, c)
				return tag
			}
			ends := func(tag uint64, partitions int, first int64) {
				t.Helper()
				resp := c.answer(tag)
				var info wire.TopicInfo
				if err := resp.Err(); err != nil {
					t.Fatal(err)
				}
				if err := info.Decode(resp.Body); err != nil {
					t.Fatal(err)
				}
				if len(info.Partitions) != partitions || info.Partitions[0].End != first {
					t.Errorf("in its place the pipeline saw %+v", info)
				}
			}
			name := topicName("t")
			publish := func(p int32) payload {
				return &wire.StreamPublish{Topic: []byte("t"), Partition: p, Records: values("v")}
			}
			ordered(wire.OpStreamCreate, &wire.TopicCreate{Topic: []byte("t"), Partitions: 2})
			ordered(wire.OpStreamPublish, publish(0))
			a := ordered(wire.OpStreamInfo, name)
			ordered(wire.OpStreamPublish, publish(0))
			fetch := ordered(wire.OpStreamFetch, &wire.StreamFetch{Topic: []byte("t")})
			ordered(wire.OpStreamAlter, &wire.TopicCreate{Topic: []byte("t"), Partitions: 9})
			grown := ordered(wire.OpStreamPublish, publish(8))
			b := ordered(wire.OpStreamInfo, name)
			ends(a, 2, 1)
			ends(b, 9, 2)
			resp := c.answer(fetch)
			if _, all := section(t, &resp); len(all) != 2 {
				t.Errorf("behind two publishes a fetch found %v", all)
			}
			resp = c.answer(grown)
			if got := places(t, &resp); got[0] != (at{8, 0}) {
				t.Errorf("placed at %v", got)
			}
		})
	}
}
