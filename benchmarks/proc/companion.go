package proc

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/skshohagmiah/flin/pkg/freeport"
)

// Companion says what else runs beside a server of a recipe, for as long as it does.
type Companion struct {
	Name    string
	Program string
	// Args returns the command line for a data directory, the ports of the server and three more of its own, of which the first
	// is where it can be reached itself.
	Args func(dir string, server, own [3]int) []string
}

// Running is a companion that was started.
type Running struct {
	*Process
	Addr string // its own
}

// startCompanions starts what runs beside the server and is not running yet.
func (s *Server) startCompanions(ports [3]int) error {
	for i := len(s.Companions); i < len(s.Recipe.Companions); i++ {
		c := &s.Recipe.Companions[i]
		own, err := freePorts()
		if err != nil {
			return err
		}
		dir := filepath.Join(s.dir, c.Name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
		p, err := Start(dir, nil, c.Program, c.Args(filepath.Join(dir, "data"), ports, own)...)
		if err != nil {
			return fmt.Errorf("%s of %s: %w", c.Name, s.Recipe.Name, err)
		}
		s.Companions = append(s.Companions, Running{p, freeport.Address(own[0])})
	}
	return nil
}

// stopCompanions ends what runs beside the server.
func (s *Server) stopCompanions() error {
	var errs []error
	for _, c := range s.Companions {
		errs = append(errs, c.Stop())
	}
	s.Companions = nil
	return errors.Join(errs...)
}

// Routed is flin-server as a router with the NATS server in it, and kvd beside it; the binaries are at router and kvd. The router's
// third port, which it needs for no Raft, is that of NATS.
func Routed(name, router, kvd string) Recipe {
	r := Flin(name, router)
	args := r.Args
	r.Args = func(dir string, ports [3]int) []string {
		return append(args(dir, ports), "-engines=remote", "-bus=embed://"+freeport.Address(ports[2]))
	}
	r.Companions = []Companion{{Name: "kvd", Program: kvd, Args: func(dir string, server, own [3]int) []string {
		return append(Flin("", "").Args(dir, own), "-bus=nats://"+freeport.Address(server[2]))
	}}}
	return r
}

// CoreNATS is nats-server without JetStream.
func CoreNATS(name, program string) Recipe {
	return Recipe{Name: name, Program: program, Args: func(_ string, ports [3]int) []string {
		return []string{"-a", "127.0.0.1", "-p", fmt.Sprint(ports[0])}
	}}
}

// Beside returns the recipe of a NATS server with a program beside it that is told its address by -nats; answers is nil once it does.
func Beside(r Recipe, program string, answers func(ctx context.Context, addr string) error) Recipe {
	r.Answers = answers
	r.Companions = []Companion{{Name: filepath.Base(program), Program: program, Args: func(_ string, server, _ [3]int) []string {
		return []string{"-nats", freeport.Address(server[0])}
	}}}
	return r
}
