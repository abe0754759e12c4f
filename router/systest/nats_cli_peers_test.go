//go:build peers

package systest

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// natsCLI makes a shell's nats the one that .ci/run installs, or the machine's, and returns the environment of that shell.
func natsCLI(t testing.TB, url string) []string {
	t.Helper()
	bin, err := filepath.Abs("../../.bin")
	if err != nil {
		t.Fatal(err)
	}
	path := bin + string(os.PathListSeparator) + os.Getenv("PATH")
	t.Setenv("PATH", path)
	if _, err := exec.LookPath("nats"); err != nil {
		t.Fatalf("the nats CLI is missing (.ci/run tools): %v", err)
	}
	return append(os.Environ(), "NATS_URL="+url, "HOME="+t.TempDir(), "NO_COLOR=1")
}

// step is a command of a session, and what it prints.
type step struct {
	command string
	output  []string // lines; … stands for anything, alone on a line for any lines
}

// sessions returns what README.md says between ```console and ``` in a section.
func sessions(t testing.TB, section string) (all [][]step) {
	t.Helper()
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(text), "\n## "+section+"\n")
	if !found {
		t.Fatalf("README.md has no section %q", section)
	}
	rest, _, _ = strings.Cut(rest, "\n## ")
	for {
		var block string
		if _, rest, found = strings.Cut(rest, "\n```console\n"); !found {
			return all
		}
		block, rest, _ = strings.Cut(rest, "\n```\n")
		var steps []step
		for line := range strings.SplitSeq(block, "\n") {
			if command, ok := strings.CutPrefix(line, "$ "); ok {
				steps = append(steps, step{command: command})
				continue
			}
			if len(steps) == 0 {
				t.Fatalf("README.md shows output before a command: %s", line)
			}
			last := &steps[len(steps)-1]
			last.output = append(last.output, line)
		}
		all = append(all, steps)
	}
}

// prints reports whether a program has printed what a session shows. Empty lines do not count.
func prints(t testing.TB, want []string, got string) bool {
	t.Helper()
	var pattern strings.Builder
	pattern.WriteString(`\A`)
	for _, line := range want {
		if line == "…" {
			pattern.WriteString(`(?:.*\n)*?`)
			continue
		}
		pattern.WriteString(strings.ReplaceAll(regexp.QuoteMeta(line), "…", ".*") + `\n`)
	}
	pattern.WriteString(`\z`)
	var lines strings.Builder
	for line := range strings.SplitSeq(got, "\n") {
		if line = strings.TrimRight(line, " \r"); line != "" {
			lines.WriteString(line + "\n")
		}
	}
	return regexp.MustCompile(pattern.String()).MatchString(lines.String())
}

// play runs the commands of a session and compares what they print.
func play(t *testing.T, env []string, steps []step) {
	t.Helper()
	for _, s := range steps {
		cmd := exec.Command("bash", "-c", s.command)
		cmd.Env = env
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", s.command, err, out)
		}
		if !prints(t, s.output, string(out)) {
			t.Errorf("%s prints\n%s\nREADME.md shows\n%s", s.command, out, strings.Join(s.output, "\n"))
		}
	}
}

// What README.md shows of the nats CLI is what it does, with the real one.
func TestTheREADMEsSessionWithTheNATSCLI(t *testing.T) {
	inOneProcess(t)
	addr := freeAddr(t)
	s := start(t, "-bus=embed://"+addr, "-slow-request=1ms")
	env := natsCLI(t, "nats://"+addr)
	all := sessions(t, "With the nats CLI")
	if len(all) != 2 || len(all[0]) < 20 || len(all[1]) != 1 {
		t.Fatalf("the sessions are %v: the first should be about the engines, the second about events", all)
	}
	play(t, env, all[0])

	// The command ends with the first event: requests are made until it has heard of one.
	listener := all[1][0]
	cmd := exec.Command("bash", "-c", listener.command)
	cmd.Env = env
	heard := make(chan struct{})
	var out []byte
	var err error
	go func() {
		defer close(heard)
		out, err = cmd.CombinedOutput()
	}()
	client := newClient(t, s.port)
	large := make([]byte, 4<<20)
	for n := 0; ; n++ {
		select {
		case <-heard:
		default:
			if serr := client.KV.Set("large", large); serr != nil || n > 5000 {
				_ = cmd.Process.Kill() // it has heard of nothing
				<-heard
				t.Fatalf("after %d requests there was no event: %v\n%s", n, serr, out)
			}
			continue
		}
		break
	}
	if err != nil || !prints(t, listener.output, string(out)) {
		t.Errorf("%s prints\n%s\nREADME.md shows\n%s\n%v", listener.command, out, strings.Join(listener.output, "\n"), err)
	}
}

// What NATS's own schemas say of micro services holds of ours: the CLI validates what it shows, and leaves out what does not fit.
func TestTheNATSCLIShowsEveryEngine(t *testing.T) {
	_, url := startForPeople(t)
	env := natsCLI(t, url)
	run := func(command string) string {
		cmd := exec.Command("bash", "-c", command)
		cmd.Env = env
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", command, err, out)
		}
		return string(out)
	}
	listed, pinged := run("nats micro ls --json"), run("nats micro ping")
	for _, name := range []string{"flin-kv", "flin-queue", "flin-stream", "flin-doc"} {
		if !strings.Contains(listed, `"`+name+`"`) {
			t.Errorf("nats micro ls does not list %s:\n%s", name, listed)
		}
		if !strings.Contains(pinged, name) {
			t.Errorf("nats micro ping does not hear of %s:\n%s", name, pinged)
		}
		if info := run("nats micro info --json " + name); !strings.Contains(info, `"role": "leader"`) || !strings.Contains(info, `"num_requests"`) {
			t.Errorf("nats micro info %s shows\n%s", name, info)
		}
		if stats := run("nats micro stats " + name); !strings.Contains(stats, "Average Time") {
			t.Errorf("nats micro stats %s shows\n%s", name, stats)
		}
	}
}
