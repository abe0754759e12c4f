//go:build peers

package systest

import (
	"math/rand/v2"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// grammar makes up commands: see testdata/resp/commands.txt.
type grammar struct {
	pools    map[string][]string
	commands []string // each as often as its weight says
}

func loadGrammar(t *testing.T) *grammar {
	t.Helper()
	g := &grammar{pools: map[string][]string{}}
	for _, line := range lines(t, "commands.txt") {
		if rest, ok := strings.CutPrefix(line, "pool "); ok {
			name, list, _ := strings.Cut(rest, ":")
			for alt := range strings.SplitSeq(list, ";") {
				g.pools[name] = append(g.pools[name], strings.TrimPrefix(alt, " "))
			}
			continue
		}
		weight, template, _ := strings.Cut(line, " ")
		n, err := strconv.Atoi(weight)
		if err != nil {
			t.Fatalf("%q has no weight", line)
		}
		for range n {
			g.commands = append(g.commands, template)
		}
	}
	return g
}

var placeholder = regexp.MustCompile(`^\{(\w+)(\*?)\}$`)

// command makes up a command.
func (g *grammar) command(rng *rand.Rand) []string {
	var words []string
	for w := range strings.SplitSeq(g.commands[rng.IntN(len(g.commands))], " ") {
		words = g.expand(rng, words, w)
	}
	return words
}

// expand appends what a word of a template stands for. The alternatives of a pool that is for values are one word,
// whatever they hold; those of the others are split.
func (g *grammar) expand(rng *rand.Rand, words []string, w string) []string {
	m := placeholder.FindStringSubmatch(w)
	if m == nil {
		return append(words, unescape(w))
	}
	n := 1
	if m[2] == "*" {
		n = rng.IntN(4)
	}
	for range n {
		pool := g.pools[m[1]]
		alt := pool[rng.IntN(len(pool))]
		if m[1] == "v" || m[1] == "word" {
			words = append(words, unescape(alt))
			continue
		}
		for part := range strings.SplitSeq(alt, " ") {
			words = g.expand(rng, words, part)
		}
	}
	return words
}

func unescape(w string) string {
	if !strings.Contains(w, `\`) {
		return w
	}
	s, err := strconv.Unquote(`"` + w + `"`)
	if err != nil {
		return w
	}
	return s
}
