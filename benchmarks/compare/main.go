// Compare measures Flin beside its peers, interleaved in one run, and prints a table of medians.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/skshohagmiah/flin/benchmarks/proc"
)

// options are the flags.
type options struct {
	rounds    int
	seconds   time.Duration
	long      time.Duration
	short     bool
	sustained bool
	only      string
	out       string
	dir       string
	flin      string
	nats      string
	postgres  string
	scale     float64
	list      bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, parse()); err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1) //nolint:gocritic // nothing is left for the deferred stop to do
	}
}

func parse() options {
	var o options
	var seconds, long float64
	flag.IntVar(&o.rounds, "rounds", 5, "how often each row is measured")
	flag.Float64Var(&seconds, "seconds", 10, "seconds of each measurement of the short rows")
	flag.Float64Var(&long, "sustained-seconds", 60, "seconds of each measurement of the sustained rows")
	flag.BoolVar(&o.short, "short", false, "leave out the sustained rows")
	flag.BoolVar(&o.sustained, "sustained", false, "measure the sustained rows only")
	flag.StringVar(&o.only, "only", "", "measure the rows whose name matches this `regexp` only")
	flag.BoolVar(&o.list, "list", false, "print the names of the rows and end")
	flag.StringVar(&o.out, "out", "", "also write the report to this `file`; a name without a directory goes to benchmarks/results")
	flag.StringVar(&o.dir, "dir", os.TempDir(), "`directory` on a real disk for the servers' data, removed afterwards")
	flag.StringVar(&o.flin, "flin", "", "flin-server `binary` (default: built from this workspace)")
	flag.StringVar(&o.nats, "nats", "", "nats-server `binary` (default: v"+natsVersion+" from the Go module proxy, if a row needs it)")
	flag.StringVar(&o.postgres, "postgres", "", "`directory` of PostgreSQL's programs (default: that of postgres in the path, else the newest of Debian's, if a row needs it)")
	flag.Float64Var(&o.scale, "scale", 1, "`fraction` of the messages, records and documents that the queue, stream and document rows put in before or in place of a time, for a try: its figures answer no goal")
	flag.Parse()
	o.seconds = time.Duration(seconds * float64(time.Second))
	o.long = time.Duration(long * float64(time.Second))
	return o
}

func (o *options) validate() error {
	var errs []error
	if o.rounds < 1 || o.rounds > 1000 {
		errs = append(errs, fmt.Errorf("-rounds %d: choose from 1 to 1000", o.rounds))
	}
	if o.seconds < time.Second/10 || o.seconds > time.Hour || o.long < time.Second/10 || o.long > time.Hour {
		errs = append(errs, errors.New("-seconds, -sustained-seconds: choose from 0.1 to 3600"))
	}
	if o.scale <= 0 || o.scale > 1 {
		errs = append(errs, fmt.Errorf("-scale %v: choose from 0.0001 to 1", o.scale))
	}
	if o.short && o.sustained {
		errs = append(errs, errors.New("-short and -sustained exclude one another"))
	}
	if flag.NArg() > 0 {
		errs = append(errs, fmt.Errorf("%q: no arguments are taken", flag.Arg(0)))
	}
	return errors.Join(errs...)
}

func run(ctx context.Context, o options) error {
	if err := o.validate(); err != nil {
		return err
	}
	only, err := regexp.Compile(o.only)
	if err != nil {
		return fmt.Errorf("-only: %w", err)
	}
	names := choose(plan(&lab{}), o, only)
	if len(names) == 0 {
		return fmt.Errorf("no row matches -only %q (-list names them all)", o.only)
	}
	if o.list {
		for _, r := range names {
			fmt.Println(r.name)
		}
		return nil
	}
	return compare(ctx, o, only)
}

// compare measures the rows and writes the report.
func compare(ctx context.Context, o options, only *regexp.Regexp) (err error) {
	if kind := filesystem(o.dir); strings.HasPrefix(kind, "tmpfs ") {
		return fmt.Errorf("-dir %s: this is a %s, where an fsync costs nothing; choose a directory on a disk", o.dir, kind)
	}
	dir, err := os.MkdirTemp(o.dir, "flin-compare-")
	if err != nil {
		return fmt.Errorf("-dir: %w", err)
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	l := &lab{dir: dir, seconds: o.seconds, long: o.long, scale: o.scale}
	if err := l.findPrograms(ctx, o.flin); err != nil {
		return err
	}
	if slices.ContainsFunc(choose(plan(l), o, only), (*row).needsNATS) {
		if err := l.findNATS(ctx, o.nats); err != nil {
			return err
		}
	}
	if slices.ContainsFunc(choose(plan(l), o, only), (*row).needsKVD) {
		for pkg, to := range map[string]*string{"kvd": &l.kvd, "benchmarks/natsmap": &l.natsMap} {
			if *to, err = l.build(ctx, pkg); err != nil {
				return err
			}
		}
	}
	if slices.ContainsFunc(choose(plan(l), o, only), (*row).needsPostgres) {
		if l.postgresBin, err = proc.FindPostgres(o.postgres); err != nil {
			return err
		}
		if err := os.Chmod(dir, 0o711); err != nil { //nolint:gosec // PostgreSQL runs as somebody else, and its data lies in here
			return fmt.Errorf("-dir: %w", err)
		}
	}
	rows := choose(plan(l), o, only)
	rep := &report{options: o, machine: describe(ctx, dir, l.natsServer, l.postgresBin), began: time.Now(), rows: rows}
	measured := l.measure(ctx, rows, o.rounds)
	rep.took = time.Since(rep.began)
	text := rep.markdown()
	fmt.Print(text)
	if o.out != "" {
		measured = errors.Join(measured, write(ctx, o.out, text))
	}
	return measured
}

// choose returns the rows that the flags ask for.
func choose(all []*row, o options, only *regexp.Regexp) (rows []*row) {
	for _, r := range all {
		if (r.sustained && o.short) || (!r.sustained && o.sustained) || !only.MatchString(r.name) {
			continue
		}
		rows = append(rows, r)
	}
	return rows
}

// findPrograms looks for the peers and builds flin-server where no binary is named.
func (l *lab) findPrograms(ctx context.Context, flin string) (err error) {
	for name, to := range map[string]*string{"redis-server": &l.redisServer, "redis-benchmark": &l.redisBenchmark} {
		if *to, err = exec.LookPath(name); err != nil {
			return fmt.Errorf("%w (Debian: apt-get install redis-server redis-tools)", err)
		}
	}
	if flin != "" {
		l.flinServer, err = filepath.Abs(flin)
		return err
	}
	l.flinServer, err = l.build(ctx, "router")
	return err
}

// build builds a program of this workspace.
func (l *lab) build(ctx context.Context, pkg string) (binary string, err error) {
	binary = filepath.Join(l.dir, filepath.Base(pkg))
	build := exec.CommandContext(ctx, "go", "build", "-o", binary, "github.com/skshohagmiah/flin/"+pkg) //nolint:gosec // a path of ours
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build %s: %w\n%s", pkg, err, out)
	}
	return binary, nil
}

// natsVersion is the version of nats-server that rows with JetStream are measured with.
const natsVersion = "2.15.2"

// findNATS takes the binary that is named, or builds nats-server.
func (l *lab) findNATS(ctx context.Context, named string) (err error) {
	if named != "" {
		l.natsServer, err = filepath.Abs(named)
		return err
	}
	l.natsServer = filepath.Join(l.dir, "nats-server")
	build := exec.CommandContext(ctx, "go", "install", "github.com/nats-io/nats-server/v2@v"+natsVersion)
	build.Env = append(os.Environ(), "GOBIN="+l.dir, "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("build nats-server: %w\n%s", err, out)
	}
	return nil
}

// write puts the report where -out says.
func write(ctx context.Context, name, text string) error {
	if filepath.Base(name) == name {
		root, err := exec.CommandContext(ctx, "go", "env", "GOWORK").Output()
		if err != nil {
			return fmt.Errorf("-out %s: find the workspace: %w", name, err)
		}
		name = filepath.Join(filepath.Dir(strings.TrimSpace(string(root))), "benchmarks", "results", name)
	}
	if filepath.Ext(name) == "" {
		name += ".md"
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil { //nolint:gosec // reports are for everybody
		return fmt.Errorf("-out: %w", err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil { //nolint:gosec // reports are for everybody
		return fmt.Errorf("-out: %w", err)
	}
	return nil
}
