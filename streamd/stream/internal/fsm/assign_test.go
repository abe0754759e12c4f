package fsm

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// crowd is a group over some topics whose members come and go, without a store.
type crowd struct {
	t      *testing.T
	r      *rand.Rand
	g      *group
	topics []*topic
}

func newCrowd(t *testing.T, seed uint64, a wire.Assignor) *crowd {
	c := &crowd{t: t, r: rand.New(rand.NewPCG(seed, 5)), g: &group{name: "g", gid: 1, assignor: a}}
	for i := range 3 {
		x := &topic{snap: Topic{Name: fmt.Sprint("t", i), ID: uint64(i + 1)}}
		c.grow(x, c.r.IntN(12))
		c.topics = append(c.topics, x)
	}
	return c
}

func (c *crowd) grow(x *topic, n int) {
	for range n + 1 {
		x.parts = append(x.parts, &partition{t: x, no: int32(len(x.parts))})
	}
}

// step changes something at random, and returns what was changed.
func (c *crowd) step() string {
	c.g.generation++
	x := c.topics[c.r.IntN(len(c.topics))]
	name := fmt.Sprintf("m%02d", c.r.IntN(10))
	sh := c.g.ensureShare(x)
	switch {
	case c.r.IntN(12) == 0:
		c.grow(x, c.r.IntN(4))
		sh.balance(c.g.generation)
		return "growth of " + x.snap.Name
	case sh.subscriber(name) != nil:
		sh.leave(name)
		sh.balance(c.g.generation)
		return name + " leaves " + x.snap.Name
	}
	m := c.g.member(name)
	if m == nil {
		m = &member{name: name}
		c.g.addMember(m)
	}
	sh.subscribe(m, 1)
	sh.balance(c.g.generation)
	return name + " joins " + x.snap.Name
}

// owners returns who owns what, by name.
func (c *crowd) owners() map[string][]string {
	all := map[string][]string{}
	for _, sh := range c.g.shares {
		var list []string
		for _, o := range sh.owners {
			list = append(list, fmt.Sprintf("%s since %d", o.s.x.name, o.since))
		}
		all[sh.t.snap.Name] = list
	}
	return all
}

// check looks at what must be true after every balance.
func (c *crowd) check(what string) {
	c.t.Helper()
	total := map[string]int{}
	for _, sh := range c.g.shares {
		n := len(sh.t.parts)
		if len(sh.subs) == 0 {
			if len(sh.owners) > 0 {
				c.t.Fatalf("%s: nobody has subscribed to %s, but it has owners", what, sh.t.snap.Name)
			}
			continue
		}
		if len(sh.owners) != n {
			c.t.Fatalf("%s: %d of %d partitions of %s have an owner", what, len(sh.owners), n, sh.t.snap.Name)
		}
		parts := map[*subscriber][]int32{}
		for i, o := range sh.owners {
			if !slices.Contains(sh.subs, o.s) {
				c.t.Fatalf("%s: partition %d of %s belongs to somebody who has not subscribed", what, i, sh.t.snap.Name)
			}
			parts[o.s] = append(parts[o.s], int32(i))
		}
		for _, s := range sh.subs {
			if !slices.Equal(parts[s], s.parts) {
				c.t.Fatalf("%s: %s has noted %v and owns %v", what, s.x.name, s.parts, parts[s])
			}
			if k := len(s.parts); k != n/len(sh.subs) && k != (n+len(sh.subs)-1)/len(sh.subs) {
				c.t.Fatalf("%s: %s has %d of %d partitions of %s, which %d share", what, s.x.name, k, n, sh.t.snap.Name, len(sh.subs))
			}
			total[s.x.name] += len(s.parts)
		}
	}
	for _, x := range c.g.members {
		if x.owned != total[x.name] {
			c.t.Fatalf("%s: %s is said to own %d partitions and owns %d", what, x.name, x.owned, total[x.name])
		}
	}
}

func TestEveryPartitionHasOneOwnerAndAllMembersHaveAsManyAsTheOthers(t *testing.T) {
	for _, a := range []wire.Assignor{wire.AssignSticky, wire.AssignRange} {
		for seed := range uint64(30) {
			c := newCrowd(t, seed, a)
			for range 120 {
				c.check(c.step())
			}
		}
	}
}

func TestWhoGetsAPartitionHasItSinceThisGenerationAndWhoKeepsOneSinceBefore(t *testing.T) {
	c := newCrowd(t, 7, wire.AssignSticky)
	for range 400 {
		before := map[string][]owner{}
		for _, sh := range c.g.shares {
			before[sh.t.snap.Name] = slices.Clone(sh.owners)
		}
		what := c.step()
		for _, sh := range c.g.shares {
			was := before[sh.t.snap.Name]
			for i, o := range sh.owners {
				switch {
				case i < len(was) && was[i].s == o.s && was[i].since != o.since:
					t.Fatalf("%s: %s has kept partition %d, but since %d and not %d", what, o.s.x.name, i, o.since, was[i].since)
				case (i >= len(was) || was[i].s != o.s) && o.since != c.g.generation:
					t.Fatalf("%s: %s has got partition %d since %d, in generation %d", what, o.s.x.name, i, o.since, c.g.generation)
				}
			}
		}
	}
}

func TestAStickyAssignmentMovesNoMoreThanItMust(t *testing.T) {
	for seed := range uint64(40) {
		c := newCrowd(t, 100+seed, wire.AssignSticky)
		for range 100 {
			type had struct {
				owners []owner
				counts map[*subscriber]int
			}
			before := map[*share]had{}
			for _, sh := range c.g.shares {
				h := had{owners: slices.Clone(sh.owners), counts: map[*subscriber]int{}}
				for _, s := range sh.subs {
					h.counts[s] = len(s.parts)
				}
				before[sh] = h
			}
			what := c.step()
			for _, sh := range c.g.shares {
				if len(sh.subs) == 0 {
					continue
				}
				// The least that has to move away from those who stay is what they have over the most that anybody may have, as
				// far as there are that many of those.
				n, each := len(sh.t.parts), len(sh.t.parts)/len(sh.subs)
				room, must := n%len(sh.subs), 0
				for _, s := range sh.subs {
					k := before[sh].counts[s]
					if k > each && room > 0 {
						room--
						k--
					}
					must += max(k-each, 0)
				}
				moved := 0
				for i, o := range before[sh].owners {
					if slices.Contains(sh.subs, o.s) && sh.owners[i].s != o.s {
						moved++
					}
				}
				if moved != must {
					t.Fatalf("%s: %d partitions of %s were taken from members who stay, %d had to be: %v", what, moved, sh.t.snap.Name, must, c.owners()[sh.t.snap.Name])
				}
			}
		}
	}
}

func TestRangeGivesRunsInTheOrderOfNames(t *testing.T) {
	c := newCrowd(t, 9, wire.AssignRange)
	for range 300 {
		what := c.step()
		for _, sh := range c.g.shares {
			next := int32(0)
			for _, s := range sh.subs {
				for _, no := range s.parts {
					if no != next {
						t.Fatalf("%s: %s has %v, the next is %d", what, s.x.name, s.parts, next)
					}
					next++
				}
			}
		}
	}
}
