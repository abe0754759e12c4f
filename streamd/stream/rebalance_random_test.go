package stream

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Members come, go, crash, are slow, lose answers and come back in any order, partitions are added, offsets reset. After each step
// the crowd checks that no partition has two owners in one generation, that nobody gets what is committed, and that nobody is
// spared what is not.
func TestWhateverHappensToAGroupEveryRecordIsConsumed(t *testing.T) {
	seeds, steps := 30, 300
	if testing.Short() {
		seeds = 6
	}
	for seed := range seeds {
		assignor := wire.Assignor(seed % 2)
		t.Run(fmt.Sprintf("seed=%d/assignor=%d", seed, assignor), func(t *testing.T) {
			c := newCrowd(t, 1+seed%5, assignor)
			dice := rand.New(rand.NewPCG(uint64(seed), 99))
			c.join("a")
			for range steps {
				c.step(dice)
			}
			c.join("last")
			for len(c.names()) > 1 {
				c.beat("last")
				c.consume("last", 1)
				c.pass(crowdSession - 1)
			}
			c.finish("last")
		})
	}
}

// step does one thing of all that can be.
func (c *crowd) step(dice *rand.Rand) {
	c.T.Helper()
	everybody := []string{"a", "b", "c", "d", "e"}
	name := everybody[dice.IntN(len(everybody))]
	a := c.actors[name]
	partition := int32(dice.IntN(len(c.delivered)))
	switch n := dice.IntN(100); {
	case n < 20:
		c.feed(partition, 1+dice.IntN(9))
	case n < 30 && (a == nil || !a.member || n < 23):
		c.join(name)
	case a == nil:
		c.pass(dice.Int64N(2_000))
	case n < 34:
		c.leave(name)
	case n < 42:
		c.pass(dice.Int64N(crowdSession))
	case n < 50:
		c.beat(c.names()...)
	case n < 52 && len(c.delivered) < 12:
		c.grow(len(c.delivered) + 1 + dice.IntN(3))
		c.look()
	case n < 54:
		c.reset(partition, dice.Int64N(int64(len(c.delivered[partition]))+1))
	case n < 60 && a.member:
		c.lose(name, 1+dice.IntN(20))
	case n < 80:
		c.consume(name, 1+dice.IntN(20)) // Fenced if it is no member
	case n < 90:
		c.commit(name, partition)
	default:
		c.commit(name)
	}
}
