package stream

import (
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// gate has what is gathered wait until it is opened. It must be called before anything is published.
func (w *world) gate() (open func()) {
	wait := make(chan struct{})
	w.presses = newCrew(1, func(s *source) {
		<-wait
		w.press(s)
	})
	return func() { close(wait) }
}

// createWith makes a topic of one partition with a codec.
func (w *world) createWith(topic string, codec wire.Compression) {
	w.T.Helper()
	w.Must(wire.OpStreamCreate, codecOf(topic, codec))
}

func codecOf(topic string, codec wire.Compression) *wire.TopicCreate {
	return &wire.TopicCreate{Topic: []byte(topic), Fields: wire.TopicHasCompression, Settings: wire.TopicSettings{Compression: codec}}
}

func publication(topic, value string) *wire.StreamPublish {
	return &wire.StreamPublish{Topic: []byte(topic), Partition: wire.AnyPartition, Records: values(value)}
}

func TestPublishesDoNotOvertakeWhatIsGatheredWhenTheirTopicLosesItsCodec(t *testing.T) {
	w := worlds.New(t, nil)
	open := w.gate()
	w.createWith("t", wire.CompressionZstd)
	c := newClient(t, w)
	c.ask(0, wire.OpStreamPublish, publication("t", "gathered"))
	w.Must(wire.OpStreamAlter, codecOf("t", wire.CompressionNone))
	c.ask(1, wire.OpStreamPublish, publication("t", "without a codec"))
	open()
	for tag := range uint64(2) {
		resp := c.answer(tag)
		if got := places(t, &resp); got[0].offset != int64(tag) {
			t.Errorf("publish %d has the offset %d", tag, got[0].offset)
		}
	}
	if w.holdsBack(c) {
		t.Error("something is held back though everything has been answered")
	}
	w.publish("t", 0, "later")
	if got := w.fetch("t", 0, 0); len(got) != 3 {
		t.Errorf("fetched %q", got)
	}
}

func TestWhatIsGatheredWhenTheEngineStopsIsRefusedHoweverOften(t *testing.T) {
	w := worlds.New(t, nil)
	w.createWith("t", wire.CompressionGzip)
	w.closePresses()
	c := newClient(t, w)
	for tag := range uint64(3) {
		c.ask(tag, wire.OpStreamPublish, publication("t", "v"))
		if resp := c.answer(tag); resp.Code != wire.Unavailable {
			t.Errorf("publish %d was answered %v", tag, resp.Code)
		}
	}
	if n := w.pressing.Load(); n != 0 {
		t.Errorf("%d bytes are said to wait", n)
	}
}

func TestAGatheredBatchIsRefusedWhenTheDeadlinesOfAllItsPublishesHavePassed(t *testing.T) {
	w := worlds.New(t, nil)
	open := w.gate()
	c := newClient(t, w)
	ask := func(tag uint64, topic string, deadline int64) {
		w.Submit(wire.Request{Op: wire.OpStreamPublish, Tag: tag, Deadline: deadline, Body: publication(topic, "v").Append(nil)}, c)
	}
	for _, topic := range []string{"late", "one", "last"} {
		w.createWith(topic, wire.CompressionGzip)
	}
	soon, far := wire.DeadlineAfter(20*time.Millisecond), wire.DeadlineAfter(time.Hour)
	ask(0, "late", soon-1)
	ask(1, "late", soon)
	ask(2, "one", far)
	ask(3, "one", soon) // it shares the batch of the one before, or is late already
	ask(4, "last", 0)
	for wire.Clock() <= soon {
		time.Sleep(time.Millisecond)
	}
	open()
	for tag, want := range []wire.Code{wire.Timeout, wire.Timeout, wire.OK} {
		if resp := c.answer(uint64(tag)); resp.Code != want {
			t.Errorf("publish %d was answered %v %s, not %v", tag, resp.Code, resp.Body, want)
		}
	}
	if resp := c.answer(4); resp.Code != wire.OK {
		t.Errorf("a publish without a deadline was answered %v %s", resp.Code, resp.Body)
	}
	if end := w.info("late").Partitions[0].End; end != 0 {
		t.Errorf("%d records of late publishes were written", end)
	}
}
