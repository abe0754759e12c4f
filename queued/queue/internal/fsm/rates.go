package fsm

// rateSeconds is how far back rates look.
const rateSeconds = 10

// rates count what a queue did in the last seconds of entry time, as this node has seen it.
type rates struct{ push, pop rate }

// rate counts by second.
type rate struct {
	last   int64 // second that was counted last
	counts [rateSeconds]uint32
}

func (r *rate) add(now, n int64) {
	s := now / 1000
	switch {
	case s-r.last >= rateSeconds:
		r.counts = [rateSeconds]uint32{}
	default:
		for k := r.last + 1; k <= s; k++ {
			r.counts[k%rateSeconds] = 0
		}
	}
	r.last = s
	r.counts[s%rateSeconds] += uint32(n)
}

// sum is how many there were in the seconds before now.
func (r *rate) sum(now int64) (n uint64) {
	s := now / 1000
	for k := max(s-rateSeconds+1, 0); k <= r.last; k++ {
		if k > r.last-rateSeconds {
			n += uint64(r.counts[k%rateSeconds])
		}
	}
	return n
}
