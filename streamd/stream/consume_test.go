package stream

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestAConsumeThatWaitsIsAnsweredByWhatComes(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 2)
	w.create("other", 1)
	w.subscribe("t", "g", "a")
	w.subscribe("t", "g", "b")
	w.subscribe("t", "h", "a")
	c := newClient(t, w)
	c.consume(1, "t", "g", "a", 10, long)
	c.consume(2, "t", "g", "b", 10, long)
	c.consume(3, "t", "h", "a", 10, long)
	w.parked(3)
	w.publish("other", 0, "x")
	w.publish("t", 1, "y")
	resp := c.answer(2)
	if _, all := consumed(t, &resp); !slices.Equal(valuesOf(all), []string{"y"}) {
		t.Errorf("b of g got %v", all)
	}
	resp = c.answer(3)
	if _, all := consumed(t, &resp); !slices.Equal(valuesOf(all), []string{"y"}) {
		t.Errorf("a of h got %v", all)
	}
	w.parked(1)
	w.publish("t", 0, "z")
	resp = c.answer(1)
	if _, all := consumed(t, &resp); !slices.Equal(valuesOf(all), []string{"z"}) {
		t.Errorf("a of g got %v", all)
	}
	w.quiet()
}

func TestRecordsThatAreMuchWhenTheyAreNotCompressedComeInPieces(t *testing.T) {
	w := worlds.New(t, nil)
	w.Must(wire.OpStreamCreate, &wire.TopicCreate{Topic: []byte("t"), Partitions: 2, Fields: wire.TopicHasCompression, Settings: wire.TopicSettings{Compression: wire.CompressionZstd}})
	w.subscribe("t", "g", "c")
	value := strings.Repeat("x", 100_000)
	for p := range int32(2) {
		w.publish("t", p, value, value, value, value, value)
	}
	for offset, want := range map[int64]int64{0: 2, 1: 2, 4: 1} {
		if resp := w.Must(wire.OpStreamFetch, &wire.StreamFetch{Topic: []byte("t"), Offset: offset, Plain: 250_000}); resp.Num != want {
			t.Errorf("a fetch from %d brings %d records, not %d", offset, resp.Num, want)
		}
	}
	if resp := w.Must(wire.OpStreamFetch, &wire.StreamFetch{Topic: []byte("t"), Plain: 1}); resp.Num != 1 {
		t.Errorf("one record comes whatever its size, and it got %d", resp.Num)
	}
	m := consumption("t", "g", "c", 100)
	m.Plain = 700_000
	seen := map[got]bool{}
	for _, want := range []int64{7, 3, 0} {
		resp := w.Must(wire.OpStreamConsume, m)
		_, all := consumed(t, &resp)
		if resp.Num != want {
			t.Errorf("a consume brings %d records, not %d", resp.Num, want)
		}
		for _, x := range all {
			seen[x] = true
		}
	}
	if len(seen) != 10 {
		t.Errorf("%d of 10 records were handed out", len(seen))
	}
}

func TestConsumesOfOneMemberAtOnceShareWhatThereIs(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 2)
	w.subscribe("t", "g", "c")
	for i := range 100 {
		w.publish("t", int32(i%2), fmt.Sprint(i))
	}
	c := newClient(t, w)
	for i := range 40 {
		c.consume(uint64(i), "t", "g", "c", 3, 0)
	}
	seen := map[string]int{}
	for i := range 40 {
		resp := c.answer(uint64(i))
		_, all := consumed(t, &resp)
		for _, x := range all {
			seen[x.value]++
		}
	}
	for v, n := range seen {
		if n != 1 {
			t.Errorf("record %s was handed out %d times", v, n)
		}
	}
	if len(seen) != 100 {
		t.Errorf("%d of 100 records were handed out", len(seen))
	}
	w.quiet()
}

func TestAConsumeKeepsToItsBytes(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 2)
	w.subscribe("t", "g", "c")
	value := strings.Repeat("x", 10_000)
	for range 5 {
		w.publish("t", 0, value)
		w.publish("t", 1, value)
	}
	m := consumption("t", "g", "c", 100)
	m.MaxBytes = 35_000
	sum := 0
	for range 4 {
		resp := w.Must(wire.OpStreamConsume, m)
		if len(resp.Body) > 36_000 {
			t.Errorf("an answer has %d bytes", len(resp.Body))
		}
		sum += int(resp.Num)
	}
	if sum != 10 {
		t.Errorf("%d records were handed out", sum)
	}
	m.MaxBytes = 1
	w.publish("t", 0, value, value)
	if resp := w.Must(wire.OpStreamConsume, m); resp.Num != 2 {
		t.Errorf("one batch is handed out whatever its size: it got %d records", resp.Num)
	}
}

func TestAMemberSeeksWhereItWants(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 2)
	w.publish("t", 0, numbered(0, 9)...)
	w.subscribe("t", "g", "a")
	seek := func(partition int32, offset int64) wire.Response {
		return w.Do(wire.OpStreamSeek, &wire.StreamSeek{Topic: []byte("t"), Group: []byte("g"), Consumer: []byte("a"), Partition: partition, Offset: offset}, 0)
	}
	if resp := seek(0, 7); resp.Num != 7 {
		t.Errorf("it was answered %v %d", resp.Code, resp.Num)
	}
	if got := valuesOf(w.consume("t", "g", "a", 2)); !slices.Equal(got, []string{"7", "8"}) {
		t.Errorf("behind the seek is %q", got)
	}
	if resp := seek(0, wire.OffsetEarliest); resp.Num != 0 {
		t.Errorf("it was answered %v %d", resp.Code, resp.Num)
	}
	if got := valuesOf(w.consume("t", "g", "a", 2)); !slices.Equal(got, []string{"0", "1"}) {
		t.Errorf("at the start is %q", got)
	}
	c := newClient(t, w)
	if resp := seek(0, wire.OffsetLatest); resp.Num != 10 {
		t.Errorf("it was answered %v %d", resp.Code, resp.Num)
	}
	c.consume(1, "t", "g", "a", 10, long)
	w.parked(1)
	seek(0, 9)
	resp := c.answer(1)
	if _, all := consumed(t, &resp); !slices.Equal(valuesOf(all), []string{"9"}) {
		t.Errorf("who waited got %v after a seek", all)
	}
	for i, x := range []struct {
		resp wire.Response
		code wire.Code
	}{{seek(0, 11), wire.OutOfRange}, {seek(2, 0), wire.OutOfRange}} {
		if x.resp.Code != x.code {
			t.Errorf("bad seek %d was answered %v %s", i, x.resp.Code, x.resp.Body)
		}
	}
	w.subscribe("t", "g", "b")
	if resp := seek(1, 0); resp.Code != wire.Fenced {
		t.Errorf("in a partition of another's it was answered %v %s", resp.Code, resp.Body)
	}
}

func TestAGroupIsResetToWhatWasMeant(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 2)
	for i := range 10 {
		w.Must(wire.OpStreamPublish, &wire.StreamPublish{Topic: []byte("t"), Records: []wire.StreamRecord{{Flags: wire.RecordTime, Time: int64(100 * i), Value: fmt.Append(nil, i)}}})
	}
	w.subscribe("t", "g", "a")
	w.consume("t", "g", "a", 100)
	reset := func(m wire.StreamReset) wire.Response {
		m.Topic, m.Group = []byte("t"), []byte("g")
		return w.Do(wire.OpStreamReset, &m, 0)
	}
	for _, x := range []struct {
		m    wire.StreamReset
		want string
	}{
		{wire.StreamReset{Partition: wire.AnyPartition, Offset: wire.OffsetEarliest}, "0"},
		{wire.StreamReset{Partition: wire.AnyPartition, Offset: 350, ByTime: true}, "4"},
		{wire.StreamReset{Partition: 0, Offset: 7}, "7"},
	} {
		if resp := reset(x.m); resp.Code != wire.OK {
			t.Fatalf("%+v was answered %v %s", x.m, resp.Code, resp.Body)
		}
		if got := w.consume("t", "g", "a", 1); len(got) != 1 || got[0].value != x.want {
			t.Errorf("after %+v came %v", x.m, got)
		}
	}
	c := newClient(t, w)
	if resp := reset(wire.StreamReset{Partition: wire.AnyPartition, Offset: wire.OffsetLatest}); resp.Num != 2 {
		t.Errorf("it concerned %d partitions", resp.Num)
	}
	c.consume(1, "t", "g", "a", 10, long)
	w.parked(1)
	reset(wire.StreamReset{Partition: 0, Offset: 9})
	resp := c.answer(1)
	if _, all := consumed(t, &resp); !slices.Equal(valuesOf(all), []string{"9"}) {
		t.Errorf("who waited got %v after a reset", all)
	}
	for i, x := range []struct {
		m    wire.StreamReset
		code wire.Code
	}{
		{wire.StreamReset{Partition: 0, Offset: 11}, wire.OutOfRange},
		{wire.StreamReset{Partition: 2, Offset: wire.OffsetLatest}, wire.OutOfRange},
		{wire.StreamReset{Partition: 0, Resolved: []wire.StreamOffset{{Offset: 5}}}, wire.Invalid},
	} {
		if resp := reset(x.m); resp.Code != x.code {
			t.Errorf("bad reset %d was answered %v %s", i, resp.Code, resp.Body)
		}
	}
}

func TestACoordinatorForgetsMembersThatAreGoneAndTermsThatAreOver(t *testing.T) {
	var now atomic.Int64
	now.Store(1000)
	w := worlds.New(t, func(c *Config) { c.clock = now.Load })
	w.create("t", 1)
	w.publish("t", 0, numbered(0, 9)...)
	w.subscribe("t", "g", "a")
	w.consume("t", "g", "a", 5)
	w.commit("t", "g", 0, 2)
	w.coord.mu.Lock()
	w.coord.rule(w.coord.term + 1) // as after two changes of leadership
	w.coord.term--
	w.coord.mu.Unlock()
	if got := w.consume("t", "g", "a", 1); len(got) != 1 || got[0].offset != 2 {
		t.Errorf("in another term it got %v: what is committed says 2", got)
	}
	w.Must(wire.OpStreamUnsubscribe, &wire.StreamMember{Topic: []byte("t"), Group: []byte("g"), Consumer: []byte("a")})
	w.evict(t.Context(), w.Group)
	w.evict(t.Context(), w.Group) // it was too young for the first
	w.coord.mu.Lock()
	defer w.coord.mu.Unlock()
	if len(w.coord.groups) != 0 {
		t.Errorf("it still knows %v", w.coord.groups)
	}
}

func TestAConsumeThatIsWithdrawnTakesNothing(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 1)
	w.subscribe("t", "g", "a")
	c := newClient(t, w)
	next := 0
	take := func(resp *wire.Response) {
		t.Helper()
		_, all := consumed(t, resp)
		for _, x := range all {
			if x.value != fmt.Sprint(next) {
				t.Fatalf("record %s was handed out in the place of %d", x.value, next)
			}
			next++
		}
	}
	withdrawn := 0
	for i := range 300 {
		tag := uint64(i)
		c.consume(tag, "t", "g", "a", 10, long)
		c.ask(tag+1000, wire.OpStreamPublish, &wire.StreamPublish{Topic: []byte("t"), Records: values(fmt.Sprint(i))})
		if i%3 == 0 {
			c.answer(tag + 1000)
		}
		w.Cancel(c, tag)
		resp := c.answer(tag)
		if resp.Code == wire.Canceled {
			withdrawn++
			continue
		}
		take(&resp)
	}
	for i := range 300 {
		c.answer(uint64(i + 1000))
	}
	resp := w.Must(wire.OpStreamConsume, consumption("t", "g", "a", 1000))
	take(&resp)
	if next != 300 {
		t.Errorf("%d of 300 records were handed out", next)
	}
	if withdrawn == 0 {
		t.Error("none was withdrawn in time")
	}
	w.quiet()
}

func TestWhoWaitsAndIsRemovedIsTold(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 1)
	w.subscribe("t", "g", "a")
	c := newClient(t, w)
	c.consume(1, "t", "g", "a", 10, long)
	w.parked(1)
	w.Must(wire.OpStreamUnsubscribe, &wire.StreamMember{Topic: []byte("t"), Group: []byte("g"), Consumer: []byte("a")})
	if resp := c.answer(1); resp.Code != wire.Fenced {
		t.Errorf("it was answered %v %s", resp.Code, resp.Body)
	}
}
