package load

import (
	"math/bits"
	"time"
)

// The buckets of a Histogram: 32 to each doubling of the duration, counted in units of 128 ns. The first 32 are one unit
// wide, so short waits are told apart to 128 ns, all others to about 3 %; the last bucket begins at 4 minutes.
const (
	unitBits  = 7
	subBits   = 5
	subs      = 1 << subBits
	doublings = 27
	buckets   = subs * doublings
)

// Histogram counts durations. The zero value is empty. It is for one goroutine: each worker has its own (3.5 KiB, of
// which a run touches little), and they are merged when the run is over.
type Histogram struct {
	counts [buckets]uint32
	total  uint64
	max    time.Duration
}

// Add counts d once.
func (h *Histogram) Add(d time.Duration) {
	h.counts[bucket(d)]++
	h.total++
	h.max = max(h.max, d)
}

// Merge adds what other has counted.
func (h *Histogram) Merge(other *Histogram) {
	for i, n := range &other.counts {
		h.counts[i] += n
	}
	h.total += other.total
	h.max = max(h.max, other.max)
}

// Total returns how many durations were counted.
func (h *Histogram) Total() uint64 { return h.total }

// Max returns the longest duration, exactly.
func (h *Histogram) Max() time.Duration { return h.max }

// Quantile returns the duration that the fraction q (0 to 1) of all did not exceed: the middle of its bucket, at most
// Max; 0 when nothing was counted.
func (h *Histogram) Quantile(q float64) time.Duration {
	rank := min(uint64(q*float64(h.total)), max(h.total, 1)-1)
	var seen uint64
	for i, n := range &h.counts {
		if seen += uint64(n); seen > rank {
			return min(middle(i), h.max)
		}
	}
	return h.max
}

func bucket(d time.Duration) int {
	v := uint64(max(d, 0)) >> unitBits
	if v < subs {
		return int(v)
	}
	shift := bits.Len64(v) - subBits - 1
	return min((shift+1)<<subBits|int(v>>shift-subs), buckets-1)
}

func middle(i int) time.Duration {
	if i < subs {
		return time.Duration(i)<<unitBits + 1<<(unitBits-1)
	}
	shift := i>>subBits - 1
	low := uint64(i&(subs-1)|subs) << shift
	return time.Duration((low<<1 + 1<<shift) << (unitBits - 1))
}
