package stream

import (
	"testing"

	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestTheAppendThatMakesATopicKeepsToItsLimitToo(t *testing.T) {
	w := worlds.New(t, nil)
	for _, c := range []struct {
		size int
		code wire.Code
	}{{wire.DefaultRecordBytes + 1, wire.TooLarge}, {wire.DefaultRecordBytes, wire.OK}} {
		var b record.Builder
		b.Add(&record.Record{Value: make([]byte, c.size)})
		batch, err := b.AppendTo(nil, wire.CompressionGzip, record.NoProducer)
		if err != nil {
			t.Fatal(err)
		}
		topic := c.code.String()
		resp := w.Do(wire.OpStreamAppend, &wire.StreamAppend{Topic: []byte(topic), Batch: batch}, 0)
		if resp.Code != c.code {
			t.Errorf("a record of %d bytes was answered %v %s, not %v", c.size, resp.Code, resp.Body, c.code)
		}
		if end, want := w.info(topic).Partitions[0].End, map[wire.Code]int64{wire.OK: 1}[c.code]; end != want {
			t.Errorf("the topic has %d records, not %d", end, want)
		}
	}
}
