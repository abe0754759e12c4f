package systest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
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

// process is a program that a test starts, kills and starts again.
type process struct {
	t       testing.TB
	program string
	cmd     *exec.Cmd // nil while it does not run
	exited  chan error
	log     *lockedBuffer // of its last run
}

// run starts the program at path; env is added to the environment.
func (p *process) run(path string, env []string, args ...string) {
	p.t.Helper()
	p.log = &lockedBuffer{}
	p.cmd = exec.Command(path, args...)
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		p.t.Fatal(err)
	}
	exited, cmd := make(chan error, 1), p.cmd
	p.exited = exited
	go func() { exited <- cmd.Wait() }()
}

// kill ends the process at once, as a power switch would end it.
func (p *process) kill() {
	_ = p.cmd.Process.Kill() // it may have ended by itself
	<-p.exited
	p.cmd = nil
}

// stop ends the process as an operator would and returns how it ended.
func (p *process) stop() error {
	p.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.t.Fatal(err)
	}
	return p.wait()
}

// wait returns how the process ended.
func (p *process) wait() error {
	p.t.Helper()
	select {
	case err := <-p.exited:
		p.cmd = nil
		return err
	case <-time.After(30 * time.Second):
		p.t.Fatalf("%s goes on running\n%s", p.program, p.log.tail(8<<10))
		return nil
	}
}

// ended returns how the process ended by itself, nil while it has not.
func (p *process) ended() error {
	select {
	case err := <-p.exited:
		p.exited <- err // for the one who cleans up
		return fmt.Errorf("%s has ended: %w", p.program, errOr(err))
	default:
		return nil
	}
}

// errOr makes an error of an exit with code 0, too.
func errOr(err error) error {
	if err == nil {
		return errExited
	}
	return err
}

var errExited = fmt.Errorf("exit status 0")

// signal sends a signal: SIGSTOP makes a process as slow as can be, SIGCONT ends that.
func (p *process) signal(sig syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(sig); err != nil {
		p.t.Fatalf("send %v to %s: %v", sig, p.program, err)
	}
}

// rss returns the resident memory of the process in bytes.
func (p *process) rss() int64 {
	p.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		p.t.Skipf("the memory of a process is read from /proc: %v", err)
	}
	_, rest, _ := strings.Cut(string(text), "VmRSS:")
	kb, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
	if err != nil {
		p.t.Fatal(err)
	}
	return kb << 10
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
