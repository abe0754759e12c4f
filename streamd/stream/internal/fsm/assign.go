package fsm

import (
	"cmp"
	"slices"
	"strings"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// balance gives every partition of a topic an owner among those who have subscribed, as the group's assignor has it, and notes
// gen as the generation in which it got it where that is another than before. It depends on nothing but who owns what, and on
// names.
//
// Every member gets the same number of partitions, some one more: sticky those who have so many already, then those with the
// fewest in other topics, then by name. With range each gets a run of partitions, in the order of names.
func (sh *share) balance(gen uint64) {
	n := len(sh.t.parts)
	if len(sh.subs) == 0 {
		sh.owners = nil
		return
	}
	before := sh.owners
	var to []*subscriber
	if sh.g.assignor == wire.AssignRange {
		to = sh.inRuns(n)
	} else {
		to = sh.sticky(n)
	}
	for _, s := range sh.subs {
		s.x.owned -= len(s.parts)
		s.parts = s.parts[:0]
	}
	if len(before) != n {
		sh.owners = append(make([]owner, 0, n), before...)[:n]
	}
	for i, s := range to {
		if o := &sh.owners[i]; o.s != s {
			*o = owner{s: s, since: gen}
		}
		s.parts = append(s.parts, int32(i))
		s.x.owned++
	}
}

// inRuns assigns by range.
func (sh *share) inRuns(n int) []*subscriber {
	to := make([]*subscriber, 0, n)
	each, more := n/len(sh.subs), n%len(sh.subs)
	for i, s := range sh.subs {
		k := each
		if i < more {
			k++
		}
		for range k {
			to = append(to, s)
		}
	}
	return to
}

// sticky assigns so that everybody keeps what it can.
func (sh *share) sticky(n int) []*subscriber {
	quota := sh.quotas(n)
	to := make([]*subscriber, n)
	// Everybody keeps its lowest partitions: what is too much is given up from the highest on.
	for k, s := range sh.subs {
		kept := min(quota[k], len(s.parts))
		for _, i := range s.parts[:kept] {
			to[i] = s
		}
		quota[k] -= kept
	}
	k := 0
	for i := range to {
		if to[i] != nil {
			continue
		}
		for quota[k] == 0 {
			k++
		}
		to[i] = sh.subs[k]
		quota[k]--
	}
	return to
}

// quotas says how many of n partitions each subscriber gets.
func (sh *share) quotas(n int) []int {
	each, more := n/len(sh.subs), n%len(sh.subs)
	quota, order := make([]int, len(sh.subs)), make([]int, len(sh.subs))
	for k := range order {
		quota[k], order[k] = each, k
	}
	if more == 0 {
		return quota
	}
	slices.SortFunc(order, func(a, b int) int {
		s, t := sh.subs[a], sh.subs[b]
		if x, y := len(s.parts) > each, len(t.parts) > each; x != y {
			if x {
				return -1
			}
			return 1
		}
		if c := cmp.Compare(s.x.owned-len(s.parts), t.x.owned-len(t.parts)); c != 0 {
			return c
		}
		return strings.Compare(s.x.name, t.x.name)
	})
	for _, k := range order[:more] {
		quota[k]++
	}
	return quota
}
