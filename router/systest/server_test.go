// Package systest tests whole processes: the server's binary, started on free ports with a data directory of its own,
// spoken to by real clients, killed and started again. The same scenarios run on each set-up (setup_test.go).
package systest

import (
	"bufio"
	"errors"
	"maps"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/freeport"
)

// server is the platform as its clients see it: a process that serves them, and those behind it, if the set-up has some.
type server struct {
	process          // the one that serves clients
	dir     string   // data directory; with others behind it, of all of them
	port    string   // address of the unified port
	http    string   // address of the HTTP listener
	args    []string // beyond those for addresses and the data directory
	behind  *backing // nil: everything is in one process
}

// start runs the platform, as the set-up has it, on a fresh data directory and waits until it serves. It is stopped with the test.
func start(t testing.TB, args ...string) *server {
	t.Helper()
	s := newServer(t, "flin-server", filepath.Join(t.TempDir(), "data"), args...)
	if setup := chosen(t); setup != allInOne {
		s.behind = newBacking(s, setup)
	}
	return s.begin()
}

// startProgram runs one program alone.
func startProgram(t testing.TB, program string, args ...string) *server {
	t.Helper()
	inOneProcess(t)
	return newServer(t, program, filepath.Join(t.TempDir(), "data"), args...).begin()
}

// newServer returns a program that is not started yet.
func newServer(t testing.TB, program, dir string, args ...string) *server {
	t.Helper()
	return &server{process: process{t: t, program: program}, dir: dir, port: freeAddr(t), http: freeAddr(t), args: args}
}

// begin launches the server and stops it with the test.
func (s *server) begin() *server {
	s.t.Helper()
	s.t.Cleanup(func() {
		for _, p := range s.all() {
			if p.cmd != nil {
				p.kill()
			}
			if s.t.Failed() && p.log != nil {
				s.t.Logf("log of %s:\n%s", p.program, p.log.tail(8<<10))
			}
		}
	})
	s.launch()
	return s
}

// all returns every process of the platform.
func (s *server) all() []*process {
	all := []*process{&s.process}
	if s.behind != nil {
		all = append(all, s.behind.processes()...)
	}
	return all
}

// launch starts what does not run, on its addresses and data directory, and waits until the platform serves.
func (s *server) launch() {
	s.t.Helper()
	s.spawn()
	deadline := time.Now().Add(30 * time.Second)
	for {
		if p, err := s.fallen(); err != nil {
			s.t.Fatalf("at the start %v\n%s", err, p.log.tail(8<<10))
		}
		if s.answers() {
			return
		}
		if time.Now().After(deadline) {
			s.t.Fatalf("%s does not answer after 30 s\n%s", s.program, s.log.tail(8<<10))
		}
		time.Sleep(2 * time.Millisecond) // a listener gives no sign before it is there
	}
}

// fallen returns a process that has ended by itself and how, if there is one.
func (s *server) fallen() (*process, error) {
	for _, p := range s.all() {
		if p.cmd == nil {
			continue
		}
		if err := p.ended(); err != nil {
			p.cmd = nil // there is nothing left to kill
			return p, err
		}
	}
	return nil, nil
}

// spawn starts what does not run and does not wait for it to serve.
func (s *server) spawn() {
	s.t.Helper()
	if s.behind != nil {
		s.behind.spawn()
	}
	if s.cmd != nil {
		return
	}
	args, env := []string{"-node-id=node1", "-port=" + s.port, "-http=" + s.http}, []string(nil)
	if s.behind == nil {
		args = append(args, "-raft="+freeAddr(s.t), "-data="+s.dir)
	} else {
		more, secret := s.behind.routerArgs()
		args, env = append(args, more...), append(env, secret)
	}
	s.run(binary(s.t, s.program), env, append(args, s.args...)...)
}

// kill ends every process at once, as a power switch would end them.
func (s *server) kill() {
	for _, p := range s.all() {
		if p.cmd != nil {
			p.kill()
		}
	}
}

// stop ends the platform as an operator would, those in front first, and returns how its processes ended.
func (s *server) stop() error {
	s.t.Helper()
	var errs []error
	for _, p := range s.all() {
		if p.cmd != nil {
			errs = append(errs, p.stop())
		}
	}
	return errors.Join(errs...)
}

// ports are the addresses at which the platform serves clients.
func (s *server) ports() []string {
	if s.behind != nil && s.behind.second != nil {
		return []string{s.port, s.behind.port}
	}
	return []string{s.port}
}

// addrs are the ports as the Go client takes them.
func (s *server) addrs() string { return strings.Join(s.ports(), ",") }

// portOf returns the port that client number i uses, and no other.
func (s *server) portOf(i int) string { return s.ports()[i%len(s.ports())] }

// answers reports whether the server serves what its program is for, at each of its ports.
func (s *server) answers() bool {
	of := map[string]string{"kvd": "GET flin:ready", "queued": "Q.LEN flin:ready", "streamd": "S.TOPICS", "docd": "DOC.COLLECTIONS"}
	asks := slices.Collect(maps.Values(of))
	if command, one := of[s.program]; one {
		asks = []string{command}
	}
	for _, port := range s.ports() {
		for _, command := range asks {
			if line, err := asksInline(port, command); err != nil || line[0] == '-' {
				return false
			}
		}
	}
	return true
}

func answersPing(addr string) bool {
	line, err := asksInline(addr, "GET flin:ready")
	return err == nil && line[0] == '$'
}

// asksInline sends a line of RESP and returns the first line of the reply.
func asksInline(addr, command string) (string, error) {
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return "", err
	}
	if _, err := conn.Write([]byte(command + "\r\n")); err != nil {
		return "", err
	}
	return bufio.NewReader(conn).ReadString('\n')
}

// freeAddr returns a loopback address that nobody listened on a moment ago.
func freeAddr(t testing.TB) string {
	t.Helper()
	port, err := freeport.Take()
	if err != nil {
		t.Fatal(err)
	}
	return freeport.Address(port)
}
