package proc

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/skshohagmiah/flin/pkg/freeport"
)

// The test binary is also the server that the tests start: it answers every GET, and refuses the first one.
func TestMain(m *testing.M) {
	if mode := os.Getenv("FLIN_PROC_TEST"); mode != "" {
		fmt.Fprintln(os.Stderr, serve(mode))
		os.Exit(3)
	}
	os.Exit(m.Run())
}

func serve(mode string) error {
	if mode == "broken" {
		return errors.New("this server is broken")
	}
	if mode == "stubborn" {
		signal.Ignore(syscall.SIGTERM)
	}
	l, err := net.Listen("tcp", os.Args[1])
	if err != nil {
		return err
	}
	for answer := "-LOADING not yet\r\n"; ; answer = "$-1\r\n" {
		c, err := l.Accept()
		if err != nil {
			return err
		}
		if _, err := bufio.NewReader(c).ReadString('\n'); err == nil {
			_, _ = c.Write([]byte(answer))
		}
		_ = c.Close()
	}
}

func helper(t *testing.T, mode string) Recipe {
	t.Helper()
	t.Setenv("FLIN_PROC_TEST", mode)
	return Recipe{Name: "a helper", Program: os.Args[0], Args: func(_ string, ports [3]int) []string {
		return []string{freeport.Address(ports[0])}
	}}
}

func TestAServerIsStartedRestartedAndRemoved(t *testing.T) {
	parent := t.TempDir()
	s, err := Launch(t.Context(), parent, helper(t, "serve"))
	if err != nil {
		t.Fatal(err)
	}
	if s.FirstIn <= 0 || s.Alive() != nil {
		t.Errorf("first answer after %v, alive: %v", s.FirstIn, s.Alive())
	}
	if m, err := s.Memory(); err == nil && (m.Resident <= 0 || m.Anonymous > m.Resident) {
		t.Errorf("it holds %+v", m)
	}
	if s.Restart(t.Context()) == nil {
		t.Error("it was started twice")
	}
	first := s.Pid()
	if err := errors.Join(s.Kill(), s.Restart(t.Context())); err != nil {
		t.Fatal(err)
	}
	if s.Pid() == first {
		t.Error("the process is the same after a restart")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s.Alive() == nil {
		t.Error("it is alive after Close")
	}
	if left, _ := filepath.Glob(filepath.Join(parent, "*")); len(left) > 0 {
		t.Errorf("Close left %v", left)
	}
}

func TestAServerThatCannotStartSaysWhy(t *testing.T) {
	parent := t.TempDir()
	_, err := Launch(t.Context(), parent, helper(t, "broken"))
	if err == nil || !strings.Contains(err.Error(), "this server is broken") {
		t.Errorf("got %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(parent, "*")); len(left) > 0 {
		t.Errorf("the failed start left %v", left)
	}
}

func TestAStartEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Launch(ctx, t.TempDir(), helper(t, "serve")); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestKillEndsWhatIgnoresSignals(t *testing.T) {
	s, err := Launch(t.Context(), t.TempDir(), helper(t, "stubborn"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Kill(), s.Stop()); err != nil {
		t.Errorf("to end it twice: %v", err)
	}
}

func TestAServerFindsItsFilesAndItsDiskIsCounted(t *testing.T) {
	r := helper(t, "serve")
	answered := 0
	r.Files = func(dir string) map[string]string {
		return map[string]string{"conf": "in " + dir, "large": strings.Repeat("x", 1<<20)}
	}
	r.Answers = func(ctx context.Context, addr string) error {
		answered++
		return ask(ctx, addr)
	}
	s, err := Launch(t.Context(), t.TempDir(), r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	if text, err := os.ReadFile(filepath.Join(s.dataDir, "conf")); string(text) != "in "+s.dataDir {
		t.Errorf("its file holds %q, %v", text, err)
	}
	if answered == 0 {
		t.Error("it was not asked as its recipe says")
	}
	if n, err := s.Disk(); err != nil || n < 1<<20 || n > 2<<20 {
		t.Errorf("its data takes %d bytes, %v", n, err)
	}
}

func TestOnlyAServerThatHasEndedIsDroppedFromTheCache(t *testing.T) {
	r := helper(t, "serve")
	r.Files = func(string) map[string]string { return map[string]string{"large": strings.Repeat("x", 1<<20)} }
	s, err := Launch(t.Context(), t.TempDir(), r)
	if err != nil {
		t.Fatal(err)
	}
	if s.DropCache() == nil {
		t.Error("the data of a running server was dropped")
	}
	if _, err := s.ReadBytes(); err != nil {
		t.Error(err)
	}
	if err := errors.Join(s.Stop(), s.DropCache(), s.Close()); err != nil {
		t.Error(err)
	}
}
