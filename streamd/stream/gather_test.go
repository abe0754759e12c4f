package stream

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestBatchesOfATopicWithACodecAreCompressed(t *testing.T) {
	w := worlds.New(t, nil)
	for codec := wire.CompressionGzip; codec <= wire.CompressionZstd; codec++ {
		name := record.CompressionName(codec)
		w.Must(wire.OpStreamCreate, &wire.TopicCreate{
			Topic: []byte(name), Partitions: 2, Fields: wire.TopicHasCompression, Settings: wire.TopicSettings{Compression: codec},
		})
		c := newClient(t, w)
		const n = 200
		value := strings.Repeat("the same again and again ", 40)
		for i := range n {
			c.ask(uint64(i), wire.OpStreamPublish, &wire.StreamPublish{Topic: []byte(name), Partition: 1, Records: values(fmt.Sprint(i, value))})
		}
		for i := range n {
			resp := c.answer(uint64(i))
			if got := places(t, &resp); got[0] != (at{1, int64(i)}) {
				t.Errorf("%s: publish %d was placed at %v", name, i, got)
			}
		}
		resp := w.Must(wire.OpStreamFetch, &wire.StreamFetch{Topic: []byte(name), Partition: 1})
		s, all := section(t, &resp)
		for i, x := range all {
			if x.value != fmt.Sprint(i, value) {
				t.Errorf("%s: record %d came back as %.20q", name, i, x.value)
			}
		}
		b, _, err := record.Next(s.Batches)
		if err != nil || b.Compression() != codec {
			t.Errorf("%s: the first batch has codec %v: %v", name, b.Compression(), err)
		}
		if len(all) != n || len(s.Batches) > n*len(value)/2 {
			t.Errorf("%s: %d records take %d bytes", name, len(all), len(s.Batches))
		}
	}
}

func TestAnOrderedReadSeesWhatWasGatheredBeforeIt(t *testing.T) {
	w := worlds.New(t, nil)
	w.Must(wire.OpStreamCreate, &wire.TopicCreate{Topic: []byte("t"), Fields: wire.TopicHasCompression, Settings: wire.TopicSettings{Compression: wire.CompressionZstd}})
	c := newClient(t, w)
	for i := range uint64(50) {
		flags := wire.FlagOrdered
		c.w.Submit(wire.Request{Op: wire.OpStreamPublish, Tag: 2 * i, Flags: flags, Body: (&wire.StreamPublish{Topic: []byte("t"), Records: values("v")}).Append(nil)}, c)
		c.w.Submit(wire.Request{Op: wire.OpStreamInfo, Tag: 2*i + 1, Flags: flags, Body: []byte("t")}, c)
	}
	for i := range uint64(50) {
		resp := c.answer(2*i + 1)
		var info wire.TopicInfo
		if err := info.Decode(resp.Body); err != nil || resp.Code != wire.OK {
			t.Fatal(resp.Code, err)
		}
		if end := info.Partitions[0].End; end < int64(i+1) {
			t.Errorf("behind %d publishes the end was %d", i+1, end)
		}
	}
	if order := c.Answered(); len(order) != 100 {
		t.Errorf("%d answers", len(order))
	}
	if w.holdsBack(c) {
		t.Error("something is held back though everything has been answered")
	}
}

func TestWhatWaitsBehindAGatheredPublishCanBeWithdrawn(t *testing.T) {
	w := worlds.New(t, nil)
	w.Must(wire.OpStreamCreate, &wire.TopicCreate{Topic: []byte("t"), Fields: wire.TopicHasCompression, Settings: wire.TopicSettings{Compression: wire.CompressionGzip}})
	c := newClient(t, w)
	w.held.Enter(wire.OpStreamPublish, c)
	c.w.Submit(wire.Request{Op: wire.OpStreamInfo, Tag: 1, Flags: wire.FlagOrdered, Body: []byte("t")}, c)
	c.w.Submit(wire.Request{Op: wire.OpStreamInfo, Tag: 2, Flags: wire.FlagOrdered, Body: []byte("t")}, c)
	w.Cancel(c, 1)
	if resp := c.answer(1); resp.Code != wire.Canceled {
		t.Errorf("it was answered %v", resp.Code)
	}
	if got := c.Answered(); !slices.Equal(got, []uint64{1}) {
		t.Errorf("answered: %v", got)
	}
	w.held.Leave(wire.OpStreamPublish, c)
	if resp := c.answer(2); resp.Code != wire.OK {
		t.Errorf("it was answered %v", resp.Code)
	}
}

// holdsBack reports whether what a client asks for in order must wait.
func (w *world) holdsBack(c *client) bool {
	return w.held.Join(&wire.Request{Op: wire.OpStreamInfo}, c)
}
