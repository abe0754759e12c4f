package machinetest

import (
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/skshohagmiah/flin/pkg/store"
)

// Scripts runs the files in dir, each on a machine of its own, whose clock says 1000 first. With time=ms a directive sets it.
//
//	restart   forgets what is in memory
//	dump      the store's keys
//
// All other directives are the engine's.
func Scripts[B Replica](t *testing.T, dir string, open func(t testing.TB, o store.Options) B, directive func(b B, d *datadriven.TestData) string) {
	t.Helper()
	datadriven.Walk(t, dir, func(t *testing.T, path string) {
		b := open(t, store.Options{Memory: true})
		under := b.Under()
		defer under.Close()
		under.Now = 1000
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			under.T = t
			d.MaybeScanArgs(t, "time", &under.Now)
			switch d.Cmd {
			case "dump":
				return under.Dump()
			case "restart":
				under.Reset()
				return ""
			}
			return directive(b, d)
		})
	})
}

// Line is one command as scripts have it: a name, positional arguments, and options as name=value. big*n stands for n bytes.
type Line struct {
	T    testing.TB
	Text string
	Name string
	Args []string
	Opts map[string]string
}

// ParseLine reads a line.
func ParseLine(t testing.TB, text string) *Line {
	l := &Line{T: t, Text: text, Opts: map[string]string{}}
	for i, word := range strings.Fields(text) {
		name, value, has := strings.Cut(word, "=")
		size, isBig := strings.CutPrefix(word, "big*")
		switch {
		case i == 0:
			l.Name = word
		case has:
			l.Opts[name] = value
		case isBig:
			l.Args = append(l.Args, strings.Repeat("x", int(l.Num(size))))
		default:
			l.Args = append(l.Args, word)
		}
	}
	return l
}

// Arg is the i-th argument, or nothing.
func (l *Line) Arg(i int) string {
	if i >= len(l.Args) {
		return ""
	}
	return l.Args[i]
}

// Rest is the i-th argument and those behind it.
func (l *Line) Rest(i int) []string {
	if i >= len(l.Args) {
		return nil
	}
	return l.Args[i:]
}

// Num reads a number; nothing is 0.
func (l *Line) Num(text string) int64 {
	if text == "" {
		return 0
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		l.T.Fatalf("%s: %v", l.Text, err)
	}
	return n
}

// Opt reads an option that is a number.
func (l *Line) Opt(name string) int64 { return l.Num(l.Opts[name]) }
