package systest

import (
	"fmt"
	"slices"
	"sync"
)

// outcome is what a writer knows of a command that it sent.
type outcome int

const (
	unknown outcome = iota // no answer came
	done                   // acknowledged
	notDone                // surely not executed: refused, or a condition did not hold
)

// tally is a counter that many writers add one to. It may be asked at any time.
type tally struct {
	key string

	mu      sync.Mutex
	started int64
	refused int64
	answers []int64 // of the acknowledged increments
}

func (c *tally) begin() {
	c.mu.Lock()
	c.started++
	c.mu.Unlock()
}

func (c *tally) end(o outcome, answer int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch o {
	case done:
		c.answers = append(c.answers, answer)
	case notDone:
		c.refused++
	case unknown:
	}
}

// bounds returns how many increments must have happened by now, and how many can have.
func (c *tally) bounds() (least, most int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return int64(len(c.answers)), c.started - c.refused
}

// verify reads the counter, which may be in use meanwhile, and says what is wrong with it.
func (c *tally) verify(read func(key string) (int64, error)) error {
	least, _ := c.bounds()
	v, err := read(c.key)
	if err != nil {
		return fmt.Errorf("read counter %s: %w", c.key, err)
	}
	if _, most := c.bounds(); v < least || v > most {
		return fmt.Errorf("counter %s is %d; %d increments were acknowledged before it was read, and %d can have happened", c.key, v, least, most)
	}
	c.mu.Lock()
	seen := slices.Clone(c.answers)
	c.mu.Unlock()
	slices.Sort(seen)
	for i := 1; i < len(seen); i++ {
		if seen[i] == seen[i-1] {
			return fmt.Errorf("counter %s answered %d to two increments", c.key, seen[i])
		}
	}
	return nil
}

// link is one compare-and-set: it replaced the value prev.
type link struct {
	prev    string
	version uint64 // of what it wrote; 0 where the protocol does not tell
	outcome outcome
}

// chain is a key that many writers move on by compare-and-set, each value naming no other but the one it replaced. It
// may be asked at any time.
type chain struct {
	key string

	mu    sync.Mutex
	links map[string]link // by value
	last  int
}

func newChain(key string) *chain { return &chain{key: key, links: map[string]link{}} }

// begin notes an attempt to replace prev ("" where there was nothing) and returns the value to write.
func (c *chain) begin(by, prev string) string {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	value := fmt.Sprintf("%s#%d", by, c.last)
	c.links[value] = link{prev: prev}
	return value
}

func (c *chain) end(value string, o outcome, version uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := c.links[value]
	l.outcome, l.version = o, version
	c.links[value] = l
}

// verify reads the key, which may be in use meanwhile, and follows the chain from its value to the first one: every
// acknowledged step must be in it, no refused one may be, and versions must rise.
func (c *chain) verify(read func(key string) (string, error)) error {
	missing := map[string]bool{}
	c.mu.Lock()
	for v, l := range c.links {
		if l.outcome == done {
			missing[v] = true
		}
	}
	c.mu.Unlock()
	acked := len(missing)
	value, err := read(c.key)
	if err != nil {
		return fmt.Errorf("read chain %s: %w", c.key, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	var above uint64
	for steps := 0; value != ""; steps++ {
		l, ok := c.links[value]
		switch {
		case !ok:
			return fmt.Errorf("chain %s holds %q, which nobody wrote", c.key, value)
		case l.outcome == notDone:
			return fmt.Errorf("chain %s: %q was refused, and was written all the same", c.key, value)
		case l.version != 0 && above != 0 && l.version >= above:
			return fmt.Errorf("chain %s: %q has version %d, a later one %d", c.key, value, l.version, above)
		case steps > len(c.links):
			return fmt.Errorf("chain %s goes in a circle at %q", c.key, value)
		}
		if l.version != 0 {
			above = l.version
		}
		delete(missing, value)
		value = l.prev
	}
	for v := range missing {
		return fmt.Errorf("chain %s: %d of %d acknowledged steps are not in it, %q (which replaced %q) among them", c.key, len(missing), acked, v, c.links[v].prev)
	}
	return nil
}

func (c *chain) acknowledged() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, l := range c.links {
		if l.outcome == done {
			n++
		}
	}
	return n
}
