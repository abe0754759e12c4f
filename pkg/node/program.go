// Package node is one process: its data directory, its engines, the group that replicates them, its place on the bus and the
// front that serves them, started in order and stopped in reverse. The five programs differ only in what they put into a Program.
package node

import (
	"context"
	"fmt"
	"io"
	"os/signal"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/urfave/cli/v2"
	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/conf"
	"github.com/skshohagmiah/flin/pkg/disk"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Version is what every program calls itself.
const Version = "0.1.0"

// Engine is an engine that lives in this process.
type Engine interface {
	engine.Engine
	// Machine returns the engine's state machine, for its group.
	Machine() replica.Machine
	// Serve tells the engine its group, before the first Submit.
	Serve(g *replica.Group)
	// Run does the engine's own work until ctx ends.
	Run(ctx context.Context) error
	// Collectors returns the engine's metrics.
	Collectors() []prometheus.Collector
	// Close gives the engine's files back, after its group has stopped.
	Close() error
}

// EngineConfig is what an engine is opened with.
type EngineConfig struct {
	Store    store.Options
	Workers  int // requests that may be slow and run at once
	MaxValue int // bytes
	// AutoTopics makes topics when they are first published to (-auto-create-topics).
	AutoTopics bool
	// Turns knows when a log is being written: for Store.Turns of an engine whose large reads nobody waits for.
	Turns *disk.Turns
	Log   *zap.Logger
}

// Hosted is an engine that a program links.
type Hosted struct {
	ID   wire.EngineID
	Open func(EngineConfig) (Engine, error)
}

// Program says what a process is.
type Program struct {
	Name    string // flin-server, kvd …
	Usage   string // one line
	Group   string // the name of its Raft group: all-0, kv-0 …; with conf.GroupsPerEngine each is called after its engine
	Config  conf.Config
	Engines []Hosted
	Stderr  io.Writer
	// Exit ends the process at once. It is called when a disk fault makes going on, or stopping in order, unsafe.
	Exit func(code int)
}

// Main runs the program with its command line and returns the process's exit code.
func Main(p Program, args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	raiseHeapFloor()
	return command(ctx, p, args)
}

// command is Main until ctx ends.
func command(ctx context.Context, p Program, args []string) int {
	app := &cli.App{
		Name: p.Name, Usage: p.Usage, Version: Version,
		Flags:           p.Config.Flags(),
		HideHelpCommand: true,
		Action: func(c *cli.Context) error {
			if c.NArg() > 0 {
				return fmt.Errorf("%q is not a flag of %s: see %s -h", c.Args().First(), p.Name, p.Name)
			}
			if err := p.Config.Validate(); err != nil {
				return err
			}
			return serve(c.Context, p)
		},
		ErrWriter:      p.Stderr,
		ExitErrHandler: func(*cli.Context, error) {}, // Main reports
	}
	if err := app.RunContext(ctx, args); err != nil {
		fmt.Fprintf(p.Stderr, "%s: %v\n", p.Name, err)
		return 1
	}
	return 0
}
