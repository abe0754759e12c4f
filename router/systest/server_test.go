// Package systest tests whole processes: the server's binary, started on free ports with a data directory of its own,
// spoken to by real clients, killed and started again.
package systest

import (
	"bufio"
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/freeport"
)

// built is where TestMain's directory keeps the binaries; each is built once, when a test first asks for it.
var built struct {
	dir string
	mu  sync.Mutex
	ok  map[string]bool
}

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "flin-systest-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	built.dir, built.ok = dir, map[string]bool{}
	code := m.Run()
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// binary returns the path of a program of the workspace: "flin-server", "kvd", "queued", "streamd" or "docd".
func binary(t testing.TB, name string) string {
	t.Helper()
	pkg := map[string]string{
		"flin-server": "github.com/skshohagmiah/flin/router",
		"kvd":         "github.com/skshohagmiah/flin/kvd",
		"queued":      "github.com/skshohagmiah/flin/queued",
		"streamd":     "github.com/skshohagmiah/flin/streamd",
		"docd":        "github.com/skshohagmiah/flin/docd",
	}[name]
	path := filepath.Join(built.dir, name)
	built.mu.Lock()
	defer built.mu.Unlock()
	if !built.ok[name] {
		if out, err := exec.Command("go", "build", "-o", path, pkg).CombinedOutput(); err != nil {
			t.Fatalf("build %s: %v\n%s", name, err, out)
		}
		built.ok[name] = true
	}
	return path
}

// server is a running process of the platform.
type server struct {
	t       testing.TB
	program string
	dir     string // data directory
	port    string // address of the unified port
	http    string // address of the HTTP listener
	args    []string
	cmd     *exec.Cmd
	exited  chan error
	log     *lockedBuffer
}

// start runs flin-server with a fresh data directory and waits until it serves. It is stopped with the test.
func start(t testing.TB, args ...string) *server {
	t.Helper()
	return startProgram(t, "flin-server", args...)
}

func startProgram(t testing.TB, program string, args ...string) *server {
	t.Helper()
	s := &server{t: t, program: program, dir: filepath.Join(t.TempDir(), "data"), args: args}
	s.port, s.http = freeAddr(t), freeAddr(t)
	s.launch()
	t.Cleanup(func() {
		if s.cmd != nil {
			s.kill()
		}
		if t.Failed() {
			t.Logf("log of %s:\n%s", program, s.log.tail(8<<10))
		}
	})
	return s
}

// launch starts the process on the server's addresses and data directory and waits until it is ready.
func (s *server) launch() {
	s.t.Helper()
	s.spawn()
	deadline := time.Now().Add(30 * time.Second)
	for {
		select {
		case err := <-s.exited:
			s.cmd = nil // there is nothing left to kill
			s.t.Fatalf("%s ended at its start: %v\n%s", s.program, err, s.log.tail(8<<10))
		default:
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

// spawn starts the process and does not wait for it to serve.
func (s *server) spawn() {
	s.t.Helper()
	args := append([]string{
		"-node-id=node1", "-port=" + s.port, "-http=" + s.http, "-raft=" + freeAddr(s.t), "-data=" + s.dir,
	}, s.args...)
	s.log = &lockedBuffer{}
	s.cmd = exec.Command(binary(s.t, s.program), args...)
	s.cmd.Stdout, s.cmd.Stderr = s.log, s.log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	exited, cmd := make(chan error, 1), s.cmd
	s.exited = exited
	go func() { exited <- cmd.Wait() }()
}

// kill ends the process at once, as a power switch would end it.
func (s *server) kill() {
	_ = s.cmd.Process.Kill() // it may have ended by itself
	<-s.exited
	s.cmd = nil
}

// stop ends the process as an operator would and returns how it ended.
func (s *server) stop() error {
	s.t.Helper()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Fatal(err)
	}
	select {
	case err := <-s.exited:
		s.cmd = nil
		return err
	case <-time.After(30 * time.Second):
		s.t.Fatalf("%s does not stop\n%s", s.program, s.log.tail(8<<10))
		return nil
	}
}

// wait returns how the process ended by itself.
func (s *server) wait() error {
	s.t.Helper()
	select {
	case err := <-s.exited:
		s.cmd = nil
		return err
	case <-time.After(30 * time.Second):
		s.t.Fatalf("%s goes on running\n%s", s.program, s.log.tail(8<<10))
		return nil
	}
}

// answers reports whether the server serves what its program is for.
func (s *server) answers() bool {
	switch s.program {
	case "queued":
		line, err := asksInline(s.port, "Q.LEN flin:ready")
		return err == nil && line[0] == ':'
	case "streamd":
		line, err := asksInline(s.port, "S.TOPICS")
		return err == nil && line[0] == '*'
	}
	return answersPing(s.port)
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
	if err := conn.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
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

// lockedBuffer collects what a process writes.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) tail(n int) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.b.Bytes()
	return string(b[max(0, len(b)-n):])
}
