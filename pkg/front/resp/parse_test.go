package resp

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

const testBulk = 1 << 16

// parseAll gives input to a parser in pieces that end where cut says, as a connection does: what is not consumed stays
// at the front of a buffer that moves. It returns the commands found and the error that ended it.
func parseAll(tb testing.TB, input []byte, unauth bool, cut func(from int) int) (commands [][]string, failure string) {
	tb.Helper()
	p := parser{maxBulk: testBulk, unauth: unauth}
	var buf []byte
	for sent := 0; ; {
		n, err := p.next(buf)
		if err != nil {
			return commands, err.Error()
		}
		if n < 0 || n > len(buf) {
			tb.Fatalf("consumed %d of %d bytes", n, len(buf))
		}
		if n > 0 {
			var words []string
			for _, a := range p.args {
				words = append(words, string(a))
			}
			if len(words) > 0 {
				commands = append(commands, words)
			}
			buf = buf[n:]
			continue
		}
		if sent == len(input) {
			return commands, ""
		}
		end := min(max(cut(sent), sent+1), len(input))
		buf = slices.Concat(buf, input[sent:end]) // new memory: nothing may point into the old
		sent = end
	}
}

func whole(int) int { return 1 << 30 }

func TestCommandsAreFoundHoweverTheyArrive(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var input []byte
	var want [][]string
	for range 200 {
		var words []string
		for range 1 + rng.IntN(5) {
			words = append(words, strings.Repeat(string(rune('a'+rng.IntN(26))), rng.IntN(40)))
		}
		if rng.IntN(4) == 0 {
			words = []string{"inline", "a\tb", ""}
			input = append(input, " inline 'a\tb' \"\" \r\n"...)
		} else {
			input = fmt.Appendf(input, "*%d\r\n", len(words))
			for _, w := range words {
				input = fmt.Appendf(input, "$%d\r\n%s\r\n", len(w), w)
			}
		}
		want = append(want, words)
	}
	cuts := map[string]func(int) int{
		"whole":    whole,
		"by bytes": func(from int) int { return from + 1 },
		"by chance": func(from int) int {
			return from + 1 + rng.IntN(30)
		},
	}
	for name, cut := range cuts {
		got, failure := parseAll(t, input, false, cut)
		if failure != "" || !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("%s: %d commands instead of %d, failure %q", name, len(got), len(want), failure)
		}
	}
}

func TestWhatBreaksTheProtocol(t *testing.T) {
	for _, c := range []struct {
		input  string
		unauth bool
		want   string // the failure; otherwise the last command's words
	}{
		{input: "*1\r\n$4\r\nPING\r\n", want: "PING"},
		{input: "*0\r\n*-1\r\n*-10\r\n\r\n  \r\nPING\r\n", want: "PING"},
		{input: "*1\r\n$0\r\n\r\n", want: ""},
		{input: "*1\r\n$3\r\nabcXY*1\r\n$1\r\nx\r\n", want: "x"}, // Redis does not look at the line end either
		{input: "*x\r\n", want: "Protocol error: invalid multibulk length"},
		{input: "*01\r\n", want: "Protocol error: invalid multibulk length"},
		{input: "*+1\r\n", want: "Protocol error: invalid multibulk length"},
		{input: "* 1\r\n", want: "Protocol error: invalid multibulk length"},
		{input: "*\r\n", want: "Protocol error: invalid multibulk length"},
		{input: "*1048577\r\n", want: "Protocol error: invalid multibulk length"},
		{input: "*99999999999999999999\r\n", want: "Protocol error: invalid multibulk length"},
		{input: "*11\r\n", unauth: true, want: "Protocol error: unauthenticated multibulk length"},
		{input: "*1\r\n$-1\r\n", want: "Protocol error: invalid bulk length"},
		{input: "*1\r\n$65537\r\n", want: "Protocol error: invalid bulk length"},
		{input: "*1\r\n$16385\r\n", unauth: true, want: "Protocol error: unauthenticated bulk length"},
		{input: "*1\r\n$00\r\n", want: "Protocol error: invalid bulk length"},
		{input: "*1\r\n:1\r\n", want: "Protocol error: expected '$', got ':'"},
		{input: "*1\r\n\x00\r\n", want: "Protocol error: expected '$', got '\x00'"},
		{input: "*" + strings.Repeat("1", maxLine+2), want: "Protocol error: too big mbulk count string"},
		{input: "*1\r\n$" + strings.Repeat("1", maxLine+2), want: "Protocol error: too big bulk count string"},
		{input: strings.Repeat("x", maxLine+1), want: "Protocol error: too big inline request"},
		{input: "SET k \"v\r\n", want: "Protocol error: unbalanced quotes in request"},
		{input: "SET k \"v\"x\r\n", want: "Protocol error: unbalanced quotes in request"},
		{input: "SET k 'v\r\n", want: "Protocol error: unbalanced quotes in request"},
		{input: `SET k "\x41\n\r\t\b\a\\\"\q" 'a\'b\n' x"y` + "z\"\n", want: "SET|k|A\n\r\t\b\a\\\"q|a'b\\n|xyz"},
		{input: "SET k \"\\xZZ\"\n", want: "SET|k|xZZ"},
		{input: "a\x00b c\n", want: "a"},
	} {
		for _, cut := range []func(int) int{whole, func(from int) int { return from + 7 }} {
			commands, got := parseAll(t, []byte(c.input), c.unauth, cut)
			if got == "" && len(commands) > 0 {
				got = strings.Join(commands[len(commands)-1], "|")
			}
			if got != c.want {
				t.Errorf("%.40q: %q, want %q", c.input, got, c.want)
			}
		}
	}
}

func FuzzParser(f *testing.F) {
	for _, s := range []string{
		"*2\r\n$3\r\nGET\r\n$1\r\nk\r\n", "PING\r\n", "SET k \"\\x00\"\n", "*1\r\n$5\r\nab", "*-1\r\n", "*3\r\n$1\r\na\r\n$-1\r\n",
		"*1\r\r$1\r\rx\r\r", "$1\r\n", "'\r\n", "*1000000\r\n$1\r\n",
	} {
		f.Add([]byte(s), uint8(3), false)
	}
	f.Fuzz(func(t *testing.T, input []byte, step uint8, unauth bool) {
		if len(input) > 1<<18 {
			return
		}
		all, failure := parseAll(t, input, unauth, whole)
		pieces, failureInPieces := parseAll(t, input, unauth, func(from int) int { return from + int(step) })
		if !slices.EqualFunc(all, pieces, slices.Equal) {
			t.Fatalf("%q differs from %q", all, pieces)
		}
		if failure != failureInPieces && len(input) < maxLine { // a line can be too long before its end has come
			t.Fatalf("%q differs from %q", failure, failureInPieces)
		}
		for _, words := range all {
			for _, w := range words {
				if !bytes.Contains(input, []byte(w)) && !bytes.ContainsAny(input, `"'`) {
					t.Fatalf("%q is not in the input", w)
				}
			}
		}
	})
}

func FuzzGlob(f *testing.F) {
	f.Add("a*[b-d]?\\*", "aXXcY*")
	f.Add("[^a", "b")
	f.Fuzz(func(t *testing.T, pattern, s string) {
		if len(pattern) > 1000 || len(s) > 1000 {
			return
		}
		matchGlob(pattern, s)
		if !matchGlob("*"+strings.Repeat("?", len(s)), s) {
			t.Fatalf("%q does not match as many ? as it is long", s)
		}
	})
}

func TestGlobs(t *testing.T) {
	for _, c := range []struct {
		pattern, s string
		want       bool
	}{
		{"*", "", true},
		{"", "", true},
		{"", "a", false},
		{"a*c", "abbc", true},
		{"a*c", "abbd", false},
		{"a?c", "abc", true},
		{"a?c", "ac", false},
		{"[a-c]x", "bx", true},
		{"[c-a]x", "bx", true},
		{"[^a]x", "ax", false},
		{"[^a]x", "bx", true},
		{`\*`, "*", true},
		{`\*`, "a", false},
		{"*a*b", "xaxxb", true},
		{"**a", "ba", true},
		{"[ab", "a", true},
		{"a[", "a[", false},
		{`[\]]`, "]", true},
		{"max*", "maxmemory", true},
		{strings.Repeat("a*", 30) + "b", strings.Repeat("a", 60), false},
	} {
		if got := matchGlob(c.pattern, c.s); got != c.want {
			t.Errorf("%q matches %q: %v", c.pattern, c.s, got)
		}
	}
}

func TestIntegersAreReadAsStrictlyAsRedisDoes(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "-1": -1, "42": 42, "9223372036854775807": 1<<63 - 1, "-9223372036854775808": -1 << 63,
	} {
		if got, ok := parseInt([]byte(text)); !ok || got != want {
			t.Errorf("%q is %d, %v", text, got, ok)
		}
	}
	for _, text := range []string{
		"", "-", "+1", "01", "-0", "00", " 1", "1 ", "1.0", "9223372036854775808", "-9223372036854775809",
		"99999999999999999999", "18446744073709551616", "1e3", "0x1",
	} {
		if got, ok := parseInt([]byte(text)); ok {
			t.Errorf("%q is %d", text, got)
		}
	}
}
