package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
)

// machine is what the figures were measured on.
type machine struct {
	cpu, memory, kernel, disk, load, commit, peers string
}

// describe looks at this machine; dir is where the servers have their data, nats the binary of nats-server and postgres the
// directory of PostgreSQL's programs where they are needed. What cannot be told is said to be unknown.
func describe(ctx context.Context, dir, nats, postgres string) machine {
	m := machine{
		cpu:    fmt.Sprintf("%s, %d cores", field("/proc/cpuinfo", "model name"), runtime.NumCPU()),
		memory: field("/proc/meminfo", "MemTotal"),
		kernel: firstLine("/proc/sys/kernel/osrelease"),
		disk:   filesystem(dir),
		load:   firstLine("/proc/loadavg"),
		commit: output(ctx, "git", "rev-parse", "--short=12", "HEAD"),
		peers:  output(ctx, "redis-server", "--version"),
	}
	if nats != "" {
		m.peers += "; " + output(ctx, nats, "--version")
	}
	if postgres != "" {
		m.peers += "; " + output(ctx, filepath.Join(postgres, "postgres"), "--version")
	}
	if output(ctx, "git", "status", "--porcelain") != "" {
		m.commit += " with changes that are not committed"
	}
	return m
}

// String returns the machine as lines of Markdown.
func (m machine) String() string {
	return fmt.Sprintf("* machine: %s, memory %s, Linux %s, data on %s; load when it began: %s\n* commit %s, %s; peers: %s\n",
		m.cpu, m.memory, m.kernel, m.disk, m.load, m.commit, runtime.Version(), m.peers)
}

// field returns what stands behind the first name of a file in which lines are "name: value".
func field(file, name string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return unknown
	}
	for line := range strings.Lines(string(text)) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return unknown
}

const unknown = "unknown"

func firstLine(file string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return unknown
	}
	line, _, _ := strings.Cut(string(text), "\n")
	return line
}

// filesystem returns the kind of file system that dir is on and its device: "ext4 on /dev/sda1".
func filesystem(dir string) string {
	mounts, err := os.ReadFile("/proc/mounts")
	if err != nil {
		return unknown
	}
	best, answer := -1, unknown
	for line := range strings.Lines(string(mounts)) {
		part := strings.Fields(line)
		if len(part) < 3 || len(part[1]) <= best {
			continue
		}
		if part[1] == "/" || dir == part[1] || strings.HasPrefix(dir, part[1]+"/") {
			best, answer = len(part[1]), part[2]+" on "+part[0]
		}
	}
	return answer
}

func output(ctx context.Context, program string, args ...string) string {
	out, err := exec.CommandContext(ctx, program, args...).Output() //nolint:gosec // programs that describe named
	if err != nil {
		return unknown
	}
	return strings.TrimSpace(string(out))
}
