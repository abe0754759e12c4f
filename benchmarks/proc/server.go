package proc

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/skshohagmiah/flin/pkg/freeport"
)

// startLimit is how long a server may take to its first answer.
const startLimit = 2 * time.Minute

// Recipe says how to start a server of one kind.
type Recipe struct {
	Name    string
	Program string
	// Args returns the command line for a data directory and three free ports of the loopback interface, of which the
	// first is where clients connect.
	Args func(dir string, ports [3]int) []string
	// Files returns what is to be in files of the data directory before each start, by name; may be nil.
	Files func(dir string) map[string]string
	// Init returns the command that makes a new data directory ready, once; may be nil.
	Init func(dir string) (program string, args []string)
	// As returns who the server runs as, nil for who runs this program; may be nil. That one owns the data directory, and must be
	// able to come to where it is.
	As func() (*syscall.Credential, error)
	// StopBy is the signal that asks the server to end; 0: SIGTERM.
	StopBy syscall.Signal
	// Address returns where clients connect if that is not the first port; may be nil.
	Address func(dir string) string
	// Companions run beside the server; may be nil.
	Companions []Companion
	// Answers returns nil when the server at addr is ready; nil: when it answers a GET of RESP by a value or by none.
	Answers func(ctx context.Context, addr string) error
}

// Flin is flin-server, its binary at program, with further flags.
func Flin(name, program string, flags ...string) Recipe {
	return Recipe{Name: name, Program: program, Args: func(dir string, ports [3]int) []string {
		return append([]string{
			"-node-id=bench", "-log-level=warn", "-data=" + dir,
			"-port=" + freeport.Address(ports[0]), "-http=" + freeport.Address(ports[1]), "-raft=" + freeport.Address(ports[2]),
		}, flags...)
	}}
}

// Redis is redis-server with appendfsync as given, or without an append-only file where that is "none". It makes no
// snapshots and does not rewrite its file, so that neither falls into a measurement.
func Redis(name, program, appendfsync string) Recipe {
	return Recipe{Name: name, Program: program, Args: func(dir string, ports [3]int) []string {
		args := []string{
			"--port", strconv.Itoa(ports[0]), "--bind", "127.0.0.1", "--dir", dir, "--save", "", "--daemonize", "no",
			"--auto-aof-rewrite-percentage", "0", "--appendonly",
		}
		if appendfsync == "none" {
			return append(args, "no")
		}
		return append(args, "yes", "--appendfsync", appendfsync)
	}}
}

// Server is a running server on a data directory of its own. Its methods are for one goroutine.
type Server struct {
	*Process
	Recipe  Recipe
	Addr    string        // where clients connect
	FirstIn time.Duration // from the start of the process to its first answer
	// Companions are what runs beside it, in the recipe's order.
	Companions []Running
	dir        string // holds the data directory and the log
	dataDir    string
	as         *syscall.Credential // nil: who runs this program
}

// Launch starts a server in a new directory under parent and waits for its first answer.
func Launch(ctx context.Context, parent string, r Recipe) (*Server, error) {
	dir, err := os.MkdirTemp(parent, strings.ReplaceAll(r.Name, " ", "-")+"-")
	if err != nil {
		return nil, fmt.Errorf("directory for %s: %w", r.Name, err)
	}
	s := &Server{Recipe: r, dir: dir, dataDir: filepath.Join(dir, "data")}
	if err = s.prepare(ctx); err == nil {
		err = s.Restart(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

// prepare makes the data directory.
func (s *Server) prepare(ctx context.Context) (err error) {
	if err := os.Mkdir(s.dataDir, 0o700); err != nil {
		return err
	}
	if s.Recipe.As != nil {
		if s.as, err = s.Recipe.As(); err != nil {
			return fmt.Errorf("%s: %w", s.Recipe.Name, err)
		}
	}
	if s.as != nil {
		for _, dir := range []string{s.dir, s.dataDir} {
			if err := os.Chown(dir, int(s.as.Uid), int(s.as.Gid)); err != nil {
				return fmt.Errorf("%s: %w", s.Recipe.Name, err)
			}
		}
	}
	if s.Recipe.Init == nil {
		return nil
	}
	program, args := s.Recipe.Init(s.dataDir)
	cmd := exec.CommandContext(ctx, program, args...) //nolint:gosec // the programs are what is measured
	cmd.Dir, cmd.SysProcAttr = s.dir, runsAs(s.as)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %s: %w\n%s", s.Recipe.Name, filepath.Base(program), err, out)
	}
	return nil
}

// Restart starts the server, which must have ended, on the data that it has, and waits for its first answer.
func (s *Server) Restart(ctx context.Context) error {
	if s.Process != nil && s.Alive() == nil {
		return fmt.Errorf("%s is still running, as process %d", s.Recipe.Name, s.Pid())
	}
	ports, err := freePorts()
	if err != nil {
		return err
	}
	s.Addr = freeport.Address(ports[0])
	if s.Recipe.Address != nil {
		s.Addr = s.Recipe.Address(s.dataDir)
	}
	if err := s.Recipe.writeFiles(s.dataDir); err != nil {
		return err
	}
	begin := time.Now()
	p, err := Start(s.dir, s.as, s.Recipe.Program, s.Recipe.Args(s.dataDir, ports)...)
	if err != nil {
		return err
	}
	if s.Recipe.StopBy != 0 {
		p.stopBy = s.Recipe.StopBy
	}
	s.Process = p
	err = s.startCompanions(ports)
	if err == nil {
		err = s.awaitAnswer(ctx)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("%s: %w", s.Recipe.Name, err), s.Kill(), s.stopCompanions())
	}
	s.FirstIn = time.Since(begin)
	return nil
}

// Disk returns the bytes that the server's data takes on the disk.
func (s *Server) Disk() (n int64, err error) {
	err = s.eachFile(func(_ string, info fs.FileInfo) error {
		n += allocated(info)
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("size of the data of %s: %w", s.Recipe.Name, err)
	}
	return n, nil
}

// DropCache takes the server's data out of the page cache. The server must have ended: what it has mapped would stay.
func (s *Server) DropCache() error {
	if s.Alive() == nil {
		return fmt.Errorf("%s is running, as process %d: what it has mapped stays in the page cache", s.Recipe.Name, s.Pid())
	}
	return s.eachFile(func(path string, _ fs.FileInfo) error { return DropCache(path) })
}

// eachFile calls fn for each file of the data directory.
func (s *Server) eachFile(fn func(path string, info fs.FileInfo) error) error {
	return filepath.WalkDir(s.dataDir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return gone(err)
		}
		info, err := d.Info()
		if err == nil {
			err = fn(path, info)
		}
		return gone(err)
	})
}

// gone passes over a file that the server has removed meanwhile.
func gone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// Close ends the server, and what runs beside it, and removes its directory.
func (s *Server) Close() error {
	return errors.Join(s.Stop(), s.stopCompanions(), os.RemoveAll(s.dir))
}

// awaitAnswer asks until the server is ready: one that is not refuses the connection, or says LOADING or CLUSTERDOWN, or
// lets one wait.
func (s *Server) awaitAnswer(ctx context.Context) error {
	answers := s.Recipe.Answers
	if answers == nil {
		answers = ask
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for {
		err := answers(ctx, s.Addr)
		if err == nil {
			return nil
		}
		if dead := s.Alive(); dead != nil {
			return dead
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("no answer on %s within %v: %w", s.Addr, startLimit, err)
		case <-time.After(time.Millisecond):
		}
	}
}

func ask(ctx context.Context, addr string) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "*2\r\n$3\r\nGET\r\n$5\r\nfirst\r\n"); err != nil {
		return err
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && !strings.HasPrefix(line, "$") {
		err = errors.New(strings.TrimSpace(line))
	}
	return err
}

// freePorts returns ports that nobody listens on. Another server may take one before ours does; its start then fails and
// says so.
func freePorts() (ports [3]int, err error) {
	for i := range ports {
		if ports[i], err = freeport.Take(); err != nil {
			return ports, err
		}
	}
	return ports, nil
}
