package slow

import (
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Moment is a time by wire.Clock in milliseconds modulo 2^32: of two that are less than 24 days apart it can be said which
// is the later.
type Moment uint32

// At returns the moment of a time by wire.Clock.
func At(clock int64) Moment { return Moment(clock / int64(time.Millisecond)) }

// Mark is what is remembered of a request until it is answered. The zero Mark is of one that is never slow.
type Mark struct {
	since Moment
	size  uint32 // bytes of the payload
	op    wire.Op
}

// MarkOf returns the mark of a request that arrived at since with a payload of size bytes. What waits or streams by its
// nature is never slow.
func MarkOf(op wire.Op, since Moment, size int) Mark {
	if op.Waits() || op.Streams() {
		return Mark{}
	}
	return Mark{since, uint32(size), op}
}
