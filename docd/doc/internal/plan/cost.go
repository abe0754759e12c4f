package plan

import (
	"slices"

	"github.com/skshohagmiah/flin/docd/doc/internal/filter"
	"github.com/skshohagmiah/flin/docd/doc/internal/fsm"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

const (
	// countLimit bounds the keys that are counted to compare two plans.
	countLimit = 1000

	perKey  = 1.5 // what a key of an index and its document cost, where a document in a walk through all costs 1
	perSort = 0.5 // what a document costs that is sorted
)

// What part of the keys a condition is taken to leave where nothing better is known.
const (
	pointGuess = 0.05
	rangeGuess = 0.3
)

// guess returns what part of the keys intervals are taken to hold.
func guess(intervals []filter.Interval) float64 {
	part := 0.0
	for i := range intervals {
		iv := &intervals[i]
		switch {
		case iv.IsPoint():
			part += pointGuess
		case iv.Low.Type == value.MinKey && iv.High.Type == value.MaxKey:
			part++
		case iv.Low.Type == value.MinKey || iv.High.Type == value.MaxKey:
			part += 2 * rangeGuess
		default:
			part += rangeGuess
		}
	}
	return min(part, 1)
}

// best returns the plan that costs least.
func (c *chooser) best() (*Plan, error) {
	all := []*Plan{c.build(nil)}
	bounded := len(all[0].Bounds) > 0
	for _, ix := range c.r.Indexes {
		if !ix.Ready() || len(all) > 0 && all[0].unique() && len(all[0].Ranges) <= 1 {
			continue
		}
		if p := c.build(ix); (len(p.Bounds) > 0 || len(c.q.Sort) > 0 && p.Ordered) && c.holds(ix) {
			all = append(all, p)
			bounded = bounded || len(p.Bounds) > 0
		}
	}
	if len(all[0].Bounds) == 0 && (bounded || len(all) > 1) && !(len(c.q.Sort) > 0 && all[0].Ordered) {
		all = all[1:] // not through all documents where an index serves
	}
	if len(all) == 1 {
		all[0].Guess = float64(c.upper(all[0]))
		return all[0], nil
	}
	for _, p := range all {
		if err := c.estimate(p); err != nil {
			return nil, err
		}
	}
	match := float64(c.r.Documents()) // at most so many documents match
	for _, p := range all {
		if len(p.Bounds) > 0 {
			match = min(match, p.Guess)
		}
	}
	slices.SortStableFunc(all, func(a, b *Plan) int {
		x, y := c.cost(a, match), c.cost(b, match)
		switch {
		case x < y:
			return -1
		case x > y:
			return 1
		}
		return len(b.Bounds) - len(a.Bounds)
	})
	all[0].Rejected = all[1:]
	return all[0], nil
}

// cost is what a plan costs if so many documents match.
func (c *chooser) cost(p *Plan, match float64) float64 {
	examined := p.Guess
	if p.Ordered && c.q.Limit > 0 {
		share := 1.0 // of the keys that are of a document that matches
		if p.Residual && p.Guess > 0 {
			share = max(min(match/p.Guess, 1), 1e-9)
		}
		examined = min(examined, float64(c.q.Limit)/share)
	}
	each := perKey
	if p.Index == nil {
		each = 1
	}
	cost := examined * each
	if !p.Ordered {
		cost += min(match, examined) * perSort
	}
	return cost
}

// upper is how many keys there are in a plan's ranges at most.
func (c *chooser) upper(p *Plan) int64 {
	n := c.r.Documents()
	if p.Index != nil {
		n = p.Index.Entries()
	}
	if p.unique() || len(p.Ranges) == 0 {
		n = min(n, int64(len(p.Ranges)))
	}
	return n
}

// estimate says how many keys there are in a plan's ranges: exactly where they are few, else by guessing.
func (c *chooser) estimate(p *Plan) error {
	upper := c.upper(p)
	p.Guess = float64(upper)
	if len(p.Bounds) == 0 || p.unique() || len(p.Ranges) == 0 {
		return nil
	}
	n := 0
	for _, rg := range p.Ranges {
		k, err := Count(c.r, p.Index, rg, countLimit-n)
		if err != nil {
			return err
		}
		if n += k; n >= countLimit {
			part := 1.0
			for _, iv := range p.Bounds {
				part *= guess(iv)
			}
			p.Guess = max(part*float64(upper), countLimit)
			return nil
		}
	}
	p.Guess = float64(n)
	return nil
}

// Count returns how many keys there are in a range of an index, at most bound.
func Count(r *fsm.Reader, ix *fsm.Index, rg Range, bound int) (n int, err error) {
	if ix != nil {
		return r.Count(ix, rg.From, rg.To, bound)
	}
	return r.CountIDs(rg.From, rg.To, bound)
}
