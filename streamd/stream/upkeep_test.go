package stream

import (
	"strings"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// eventually waits for what nobody tells.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !ok(); {
		if time.Now().After(end) {
			t.Fatalf("%s: not after 30 s", what)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestWhatATopicDoesNotKeepIsRemoved(t *testing.T) {
	w := worlds.New(t, nil)
	w.Must(wire.OpStreamCreate, &wire.TopicCreate{
		Topic: []byte("small"), Fields: wire.TopicHasMaxBytes | wire.TopicHasRetention, Settings: wire.TopicSettings{MaxBytes: 20_000, Retention: -1},
	})
	w.Must(wire.OpStreamCreate, &wire.TopicCreate{
		Topic: []byte("short"), Fields: wire.TopicHasRetention, Settings: wire.TopicSettings{Retention: 60_000},
	})
	value := strings.Repeat("x", 10_000)
	for range 8 {
		w.publish("small", 0, value)
	}
	hour := uint64(time.Hour.Milliseconds())
	for _, age := range []uint64{2 * hour, hour, 0} {
		w.Must(wire.OpStreamPublish, &wire.StreamPublish{Topic: []byte("short"), Records: []wire.StreamRecord{
			{Flags: wire.RecordTime, Time: wallClock() - int64(age), Value: []byte("v")},
		}})
	}
	eventually(t, "retention", func() bool {
		return w.info("small").Partitions[0].Start == 6 && w.info("short").Partitions[0].Start == 2
	})
	if p := w.info("small").Partitions[0]; p.End != 8 || p.Batches != 2 {
		t.Errorf("of the small topic is left %+v", p)
	}
	if got := w.fetch("short", 0, wire.OffsetEarliest); len(got) != 1 {
		t.Errorf("of the short topic is left %q", got)
	}
	if resp := w.Do(wire.OpStreamFetch, &wire.StreamFetch{Topic: []byte("small"), Offset: 1}, 0); resp.Code != wire.OutOfRange || !strings.Contains(string(resp.Body), "6 to 8") {
		t.Errorf("what is gone was fetched with %v %s", resp.Code, resp.Body)
	}
	w.subscribe("small", "g", "a")
	w.commit("small", "g", 0, 0)
	if got := w.consume("small", "g", "a", 10); len(got) != 2 || got[0].offset != 6 {
		t.Errorf("a group that was further behind got %d records", len(got))
	}
	eventually(t, "counting them", func() bool { return collected(t, w, "flin_stream_batches_retired_total") == 8 })
}

func TestWhatADeletedTopicLeavesIsCollected(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 3)
	w.create("kept", 1)
	for i := range 30 {
		w.publish("t", int32(i%3), "v")
	}
	w.publish("kept", 0, "v")
	w.Must(wire.OpStreamDelete, topicName("t"))
	eventually(t, "collection", func() bool { return !w.machine.Garbage() })
	eventually(t, "forgetting where to publish", func() bool {
		w.topics.mu.RLock()
		defer w.topics.mu.RUnlock()
		return len(w.topics.all) == 1
	})
	w.create("t", 2)
	if got := w.publish("t", 1, "again"); got[0] != (at{1, 0}) {
		t.Errorf("in a topic that was made again it was placed at %v", got)
	}
}

func TestASilentMemberIsRemovedInTime(t *testing.T) {
	w := worlds.New(t, nil)
	w.create("t", 2)
	w.Must(wire.OpStreamSubscribe, &wire.StreamSubscribe{Topic: []byte("t"), Group: []byte("g"), Consumer: []byte("gone"), Session: 30})
	w.subscribe("t", "g", "b")
	eventually(t, "the other has all partitions", func() bool {
		resp := w.Must(wire.OpStreamHeartbeat, &wire.StreamMember{Topic: []byte("t"), Group: []byte("g"), Consumer: []byte("b")})
		var a wire.StreamAssignment
		if err := a.Decode(resp.Body); err != nil {
			t.Fatal(err)
		}
		return len(a.Partitions) == 2
	})
	eventually(t, "counting it", func() bool { return collected(t, w, "flin_stream_members_evicted_total") == 1 })
}
