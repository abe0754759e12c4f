package record

import "github.com/skshohagmiah/flin/pkg/wire"

// Bounds of a batch beside those in package wire.
const (
	// MaxUncompressed is how many bytes the records of a batch may have without compression. What says, or turns out, to be more
	// is not decompressed any further.
	MaxUncompressed = 64 << 20
	// keepBytes is how much memory a Builder and a Reader keep from one batch for the next.
	keepBytes = 1 << 20
)

// Record is one record of a batch.
type Record struct {
	Offset     int64         // in its partition, as the batch says; Builder.Add ignores it
	Timestamp  int64         // ms since 1970, not below 0
	Key, Value []byte        // nil: there is none, which is not an empty one
	Headers    []wire.Header // at most wire.MaxHeaders; a nil Value is null, a nil Name an empty one
}

// Size returns the bytes of the record's key, value and headers: what limits are held against.
func Size(r *Record) int {
	n := len(r.Key) + len(r.Value)
	for i := range r.Headers {
		n += len(r.Headers[i].Name) + len(r.Headers[i].Value)
	}
	return n
}

// Producer identifies a batch for the detection of duplicates.
type Producer struct {
	ID       int64
	Epoch    int16
	Sequence int32 // of the batch's first record; after 2^31-1 comes 0
}

// NoProducer is the Producer of a batch that takes no part in the detection of duplicates.
var NoProducer = Producer{ID: -1, Epoch: -1, Sequence: -1}
