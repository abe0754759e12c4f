package replica

import "time"

// rally decides how long the proposer waits for more commands before it closes an entry while nothing is on its way.
//
// Clients that wait for each answer come in rounds. When an entry has been answered, the first of them to come back would
// have an entry, and an fsync, to itself, and the rest would wait for it. So the entry waits for most of those who were
// just answered, but no longer than a quarter of what an entry has taken lately: on a fast disk hardly at all, and never
// for a client that is alone. Who waited in vain makes the next ones wait less. It is guarded by the proposer's mutex.
type rally struct {
	want   int   // commands that end the waiting; 0: nobody waits
	expect int   // commands that the next round is likely to have
	took   int64 // ns that an entry has taken lately, from its closing to its last answer
	vain   int   // waits lately that were not rewarded; each halves the next
}

const (
	longestRally  = int64(500 * time.Microsecond)
	shortestRally = int64(30 * time.Microsecond)
	mostVain      = 8
)

// begin returns how long to wait before an entry of n commands is closed: 0 is not at all, and ends a waiting.
func (r *rally) begin(n int, full bool) time.Duration {
	want := r.expect * 3 / 4
	wait := min(r.took/4, longestRally) >> r.vain
	if full || r.want != 0 || n >= want || wait < shortestRally {
		r.want, r.expect = 0, 0
		return 0
	}
	r.want = want
	return time.Duration(wait)
}

// over reports whether the proposer should be woken when the open batch has n commands.
func (r *rally) over(n int, full bool) bool { return n >= r.want || full }

// late notes that the wait ended before enough had come.
func (r *rally) late() { r.vain = min(r.vain+1, mostVain) }

// ended notes that an entry of n commands has been answered after took ns, while others were waiting.
func (r *rally) ended(n, waiting int, took int64) {
	r.expect = n + waiting
	r.took += (took - r.took) / 8
	if r.vain > 0 && waiting >= n {
		r.vain-- // rounds have fallen apart: waiting may pay again
	}
}
