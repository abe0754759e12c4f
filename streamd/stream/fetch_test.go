package stream

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestAFetchThatWaitsIsAnsweredByWhatComes(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 2)
	c := newClient(t, w)
	const n = 50
	for i := range n {
		c.fetch(uint64(i), "t", 0, long)
	}
	c.ask(n, wire.OpStreamFetch, &wire.StreamFetch{Topic: []byte("t"), Partition: 1, Offset: wire.OffsetLatest, Wait: wire.MaxFetchWait})
	w.parked(n + 1)
	w.publish("t", 0, "a")
	for i := range n {
		resp := c.answer(uint64(i))
		if s, all := section(t, &resp); !slices.Equal(valuesOf(all), []string{"a"}) || s.End != 1 {
			t.Errorf("fetch %d got %v of %+v", i, all, s)
		}
	}
	w.parked(1)
	w.publish("t", 1, "b", "c")
	resp := c.answer(n)
	if s, all := section(t, &resp); !slices.Equal(valuesOf(all), []string{"b", "c"}) || s.From != 0 || s.To != 2 {
		t.Errorf("the other got %v of %+v", all, s)
	}
	w.quiet()
}

func TestAFetchWaitsForAsManyBytesAsItAsksFor(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 1)
	c := newClient(t, w)
	c.ask(1, wire.OpStreamFetch, &wire.StreamFetch{Topic: []byte("t"), MinBytes: 5000, Wait: wire.MaxFetchWait})
	c.ask(2, wire.OpStreamFetch, &wire.StreamFetch{Topic: []byte("t"), MinBytes: 5000, MaxBytes: 1, Wait: wire.MaxFetchWait})
	w.parked(2)
	value := strings.Repeat("x", 1000)
	for i := range 10 {
		w.publish("t", 0, value)
		if i == 0 {
			resp := c.answer(2)
			if _, all := section(t, &resp); len(all) != 1 {
				t.Errorf("who has room for less than it wants got %d records", len(all))
			}
		}
	}
	resp := c.answer(1)
	if s, _ := section(t, &resp); len(s.Batches) < 5000 {
		t.Errorf("it got %d bytes", len(s.Batches))
	}
}

func TestAFetchThatHasWaitedLongEnoughIsAnsweredWithWhatIsThere(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 1)
	w.publish("t", 0, "a")
	resp := w.Must(wire.OpStreamFetch, &wire.StreamFetch{Topic: []byte("t"), Offset: 1, Wait: 20})
	if s, all := section(t, &resp); len(all) != 0 || s.From != 1 || s.To != 1 || s.End != 1 {
		t.Errorf("it got %v of %+v", all, s)
	}
	resp = w.Must(wire.OpStreamFetch, &wire.StreamFetch{Topic: []byte("t"), MinBytes: 1000, Wait: 20})
	if _, all := section(t, &resp); len(all) != 1 {
		t.Errorf("it got %v", all)
	}
	c := newClient(t, w)
	body := (&wire.StreamFetch{Topic: []byte("t"), Offset: 1, Wait: wire.MaxFetchWait}).Append(nil)
	c.w.Submit(wire.Request{Op: wire.OpStreamFetch, Tag: 1, Deadline: wire.DeadlineAfter(20 * time.Millisecond), Body: body}, c)
	if resp := c.answer(1); resp.Code != wire.Timeout {
		t.Errorf("behind its deadline it was answered %v", resp.Code)
	}
	w.quiet()
}

func TestAFetchSaysWhatIsOutOfRange(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 2)
	w.publish("t", 0, "a", "b")
	for _, x := range []struct {
		m    wire.StreamFetch
		code wire.Code
		says string
	}{
		{wire.StreamFetch{Topic: []byte("t"), Offset: 3}, wire.OutOfRange, "0 to 2"},
		{wire.StreamFetch{Topic: []byte("t"), Offset: -3}, wire.OutOfRange, "0 to 2"},
		{wire.StreamFetch{Topic: []byte("t"), Offset: 1, Partition: 1}, wire.OutOfRange, "0 to 0"},
		{wire.StreamFetch{Topic: []byte("t"), Partition: 2}, wire.OutOfRange, "2 partitions"},
		{wire.StreamFetch{Topic: []byte("none")}, wire.NotFound, `"none"`},
	} {
		for _, wait := range []uint64{0, wire.MaxFetchWait} {
			x.m.Wait = wait
			resp := w.Do(wire.OpStreamFetch, &x.m, 0)
			if resp.Code != x.code || !strings.Contains(string(resp.Body), x.says) {
				t.Errorf("%+v was answered %v %s", x.m, resp.Code, resp.Body)
			}
		}
	}
}

func TestAFetchKeepsToItsBounds(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 1)
	for i := range 20 {
		w.publish("t", 0, fmt.Sprint(i, "a"), fmt.Sprint(i, "b"))
	}
	resp := w.Must(wire.OpStreamFetch, &wire.StreamFetch{Topic: []byte("t"), Offset: 3, Count: 4})
	if _, all := section(t, &resp); !slices.Equal(valuesOf(all), []string{"1b", "2a", "2b", "3a"}) {
		t.Errorf("by count it got %v", all)
	}
	resp = w.Must(wire.OpStreamFetch, &wire.StreamFetch{Topic: []byte("t"), Offset: 1, MaxBytes: 1})
	if _, all := section(t, &resp); !slices.Equal(valuesOf(all), []string{"0b"}) {
		t.Errorf("by bytes it got %v", all)
	}
}

func TestAFetchBeginsAtATime(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 1)
	for i := range 10 {
		w.Must(wire.OpStreamPublish, &wire.StreamPublish{Topic: []byte("t"), Records: []wire.StreamRecord{
			{Flags: wire.RecordTime, Time: int64(100 * i), Value: fmt.Append(nil, i, "a")},
			{Flags: wire.RecordTime, Time: int64(100*i + 50), Value: fmt.Append(nil, i, "b")},
		}})
	}
	resp := w.Must(wire.OpStreamFetch, &wire.StreamFetch{Topic: []byte("t"), Offset: 720, ByTime: true})
	if _, all := section(t, &resp); len(all) != 5 || all[0].value != "7b" {
		t.Errorf("it got %v", all)
	}
	c := newClient(t, w)
	c.ask(1, wire.OpStreamFetch, &wire.StreamFetch{Topic: []byte("t"), Offset: 5000, ByTime: true, Wait: wire.MaxFetchWait})
	w.parked(1)
	w.Must(wire.OpStreamPublish, &wire.StreamPublish{Topic: []byte("t"), Records: []wire.StreamRecord{{Flags: wire.RecordTime, Time: 4999, Value: []byte("early")}}})
	w.Must(wire.OpStreamPublish, &wire.StreamPublish{Topic: []byte("t"), Records: []wire.StreamRecord{{Flags: wire.RecordTime, Time: 5000, Value: []byte("late")}}})
	resp = c.answer(1)
	if _, all := section(t, &resp); len(all) != 1 || all[0].value != "late" {
		t.Errorf("who waited for a time got %v", all)
	}
}

func TestWhoWaitsForATopicThatIsDeletedIsTold(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 1)
	w.subscribe("t", "g", "c")
	c := newClient(t, w)
	c.fetch(1, "t", 0, long)
	c.consume(2, "t", "g", "c", 10, long)
	w.parked(2)
	w.Must(wire.OpStreamDelete, topicName("t"))
	for tag := range uint64(2) {
		if resp := c.answer(tag + 1); resp.Code != wire.NotFound && resp.Code != wire.Fenced {
			t.Errorf("call %d was answered %v %s", tag+1, resp.Code, resp.Body)
		}
	}
	w.quiet()
}

func TestACallThatWaitsCanBeWithdrawn(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 1)
	w.subscribe("t", "g", "c")
	c := newClient(t, w)
	c.fetch(1, "t", 0, long)
	c.consume(2, "t", "g", "c", 10, long)
	w.parked(2)
	w.Cancel(c, 1)
	w.Cancel(c, 2)
	w.Cancel(c, 2)
	for tag := range uint64(2) {
		if resp := c.answer(tag + 1); resp.Code != wire.Canceled {
			t.Errorf("call %d was answered %v", tag+1, resp.Code)
		}
	}
	w.publish("t", 0, "a")
	if got := w.consume("t", "g", "c", 10); len(got) != 1 {
		t.Errorf("what a consume that was withdrawn might have taken: %v", got)
	}
	w.quiet()
}

func TestTooManyCallsAtOnceAreRefused(t *testing.T) {
	w := worlds.New(t, func(c *Config) { c.MaxCalls = 3 })
	w.create("t", 1)
	c := newClient(t, w)
	for i := range 3 {
		c.fetch(uint64(i), "t", 0, long)
	}
	w.parked(3)
	c.fetch(3, "t", 0, 0)
	if resp := c.answer(3); resp.Code != wire.Busy {
		t.Errorf("it was answered %v", resp.Code)
	}
	w.publish("t", 0, "a")
	for i := range 3 {
		if resp := c.answer(uint64(i)); resp.Code != wire.OK {
			t.Errorf("call %d was answered %v", i, resp.Code)
		}
	}
}

func TestWhoWaitsWhenTheEngineStopsIsAnswered(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 1)
	w.subscribe("t", "g", "c")
	c := newClient(t, w)
	c.fetch(1, "t", 0, long)
	c.consume(2, "t", "g", "c", 10, long)
	w.parked(2)
	w.Stop()
	for tag := range uint64(2) {
		if resp := c.answer(tag + 1); resp.Code != wire.Unavailable {
			t.Errorf("call %d was answered %v", tag+1, resp.Code)
		}
	}
}

func TestNoWakeupIsLost(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 1)
	w.subscribe("t", "g", "c")
	c := newClient(t, w)
	for i := range int64(300) {
		c.fetch(uint64(2*i), "t", i, long)
		c.consume(uint64(2*i+1), "t", "g", "c", 10, long)
		w.publish("t", 0, fmt.Sprint(i))
		for k := range uint64(2) {
			if resp := c.answer(uint64(2*i) + k); resp.Num != 1 {
				t.Fatalf("call %d of round %d was answered %v with %d records", k, i, resp.Code, resp.Num)
			}
		}
	}
}
