// Package proc starts the servers that are measured, watches their memory, and ends them: by the id of the process
// that it started, never by name.
package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// stopGrace is how long a process may take to end after it was asked to before it is killed.
const stopGrace = 30 * time.Second

// Process is one running server. Its methods are for one goroutine.
type Process struct {
	cmd    *exec.Cmd
	log    string
	stopBy syscall.Signal // what asks it to end
	exited chan struct{}  // closed when it has ended
	err    error          // how, once exited is closed
}

// Start runs a program in dir, as somebody else unless as is nil; what it prints goes to a file there. It dies with this process,
// even if that is killed.
func Start(dir string, as *syscall.Credential, program string, args ...string) (*Process, error) {
	p := &Process{log: filepath.Join(dir, "output.log"), stopBy: syscall.SIGTERM, exited: make(chan struct{})}
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, fmt.Errorf("log of %s: %w", filepath.Base(program), err)
	}
	p.cmd = exec.CommandContext(context.Background(), program, args...) //nolint:gosec // the programs are what is measured
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, out, out
	p.cmd.SysProcAttr = runsAs(as)
	err = p.cmd.Start()
	_ = out.Close() // the child has its own descriptor
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", program, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.exited)
	}()
	return p, nil
}

// Pid returns the id of the process.
func (p *Process) Pid() int { return p.cmd.Process.Pid }

// Alive returns an error with the end of the log when the process has ended by itself.
func (p *Process) Alive() error {
	select {
	case <-p.exited:
		return fmt.Errorf("%s has ended (%w): %s", filepath.Base(p.cmd.Path), p.err, p.tail())
	default:
		return nil
	}
}

// Stop asks the process to end, waits for it, and kills it when it does not. Ending by the signal is no failure, having
// to be killed is one.
func (p *Process) Stop() error {
	_ = p.cmd.Process.Signal(p.stopBy) // fails only when it has ended already
	select {
	case <-p.exited:
		return nil
	case <-time.After(stopGrace):
		return errors.Join(fmt.Errorf("%s did not end within %v of a signal (%v) and was killed: %s",
			filepath.Base(p.cmd.Path), stopGrace, p.stopBy, p.tail()), p.Kill())
	}
}

// Kill ends the process at once, as kill -9 does, and waits until it has gone.
func (p *Process) Kill() error {
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill process %d: %w", p.Pid(), err)
	}
	<-p.exited
	return nil
}

// tail returns the end of what the process has printed.
func (p *Process) tail() string {
	const most = 2 << 10
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-most):])
}
