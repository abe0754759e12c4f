package stream

import (
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestRecordsWithoutAKeyGoToThePartitionsThatATopicHasGot(t *testing.T) {
	for _, codec := range []wire.Compression{wire.CompressionNone, wire.CompressionSnappy} {
		w := worlds.New(t, nil)
		w.Must(wire.OpStreamCreate, &wire.TopicCreate{
			Topic: []byte("t"), Partitions: 2, Fields: wire.TopicHasCompression, Settings: wire.TopicSettings{Compression: codec},
		})
		w.publish("t", wire.AnyPartition, "before")
		w.Must(wire.OpStreamAlter, &wire.TopicCreate{Topic: []byte("t"), Partitions: 4})
		seen := map[int32]bool{}
		for range 80 {
			seen[w.publish("t", wire.AnyPartition, "after")[0].partition] = true
		}
		if len(seen) != 4 {
			t.Errorf("with codec %d, 80 batches went to %d of 4 partitions", codec, len(seen))
		}
	}
}
