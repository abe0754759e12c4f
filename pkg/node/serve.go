package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/conf"
	"github.com/skshohagmiah/flin/pkg/disk"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/front"
	"github.com/skshohagmiah/flin/pkg/front/resp"
	"github.com/skshohagmiah/flin/pkg/front/slow"
	"github.com/skshohagmiah/flin/pkg/obs"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/run"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// process is what serve has opened so far; close gives it back in reverse.
type process struct {
	Program                 // its Engines are those that the process has itself
	absent  []wire.EngineID // those that it expects over the bus
	id      string          // of the node
	log     *zap.Logger
	level   zap.AtomicLevel
	dir     *conf.DataDir // nil: it has no engine and keeps nothing
	reg     *prometheus.Registry
	events  *obs.Events
	table   *engine.Table // of all engines, here and elsewhere

	engines []Engine
	homes   []*replica.Group // the group of each engine
	turns   disk.Turns       // of the logs' writes
	mux     *replica.Mux     // nil without an engine
	groups  []*replica.Group
	bus     onBus
	front   *front.Front
	slow    *slow.Watch
	resp    *resp.Server
}

// serve opens everything, runs it until ctx ends or a part of it does, and gives everything back.
func serve(ctx context.Context, p Program) error {
	log, level, err := obs.NewLogger(p.Config.LogLevel, p.Config.LogFormat)
	if err != nil {
		return err
	}
	proc := &process{Program: p, log: log, level: level, reg: obs.NewRegistry(p.Name, Version)}
	proc.choose()
	if err := proc.open(ctx); err != nil {
		return errors.Join(err, proc.close())
	}
	log.Info("serving", zap.String("program", p.Name), zap.String("version", Version),
		zap.String("node", proc.id), zap.Stringer("port", proc.front.Addr()), zap.String("data", proc.where()))
	err = run.All(ctx, proc.parts()...)
	log.Info("stopped")
	return errors.Join(err, proc.close())
}

func (p *process) where() string {
	switch {
	case p.dir == nil:
		return "elsewhere: this process has no engine (-engines)"
	case p.Config.Memory:
		return "in memory: nothing survives a restart (-memory)"
	}
	return p.Config.Data
}

// open takes the ports before it opens data: a port that is taken is the commonest mistake, and is said at once.
func (p *process) open(ctx context.Context) error {
	if err := p.openHome(); err != nil {
		return err
	}
	p.events = obs.NewEvents(p.id)
	p.reg.MustRegister(p.events.Collectors()...)
	p.table = engine.NewTable(p.title())
	if err := p.openFront(); err != nil {
		return err
	}
	if len(p.Engines) > 0 {
		if err := p.openRaftPort(ctx); err != nil {
			return err
		}
	}
	for _, open := range []func() error{p.openBus, p.openEngines, p.openGroups, p.serveOnBus, p.openFar} {
		if err := open(); err != nil {
			return err
		}
	}
	return nil
}

// openHome takes the data directory, which says who this node is. A process without engines needs none.
func (p *process) openHome() (err error) {
	if len(p.Engines) == 0 {
		p.id, err = p.Config.Node()
		return err
	}
	if p.dir, err = conf.OpenDataDir(p.Config, p.Name); err != nil {
		return err
	}
	p.id = p.dir.Stamp.Node
	return nil
}

func (p *process) openRaftPort(ctx context.Context) error {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", p.Config.Raft)
	if errors.Is(err, syscall.EADDRINUSE) {
		return fmt.Errorf("%s wants %s for the other nodes of its cluster, but another program has it: stop that, or choose another with -raft: %w",
			p.Name, p.Config.Raft, err)
	}
	if err != nil {
		return fmt.Errorf("%s cannot listen on %s for the other nodes of its cluster (-raft): %w", p.Name, p.Config.Raft, err)
	}
	p.mux = replica.NewMux(ln, replica.MuxConfig{Log: p.log.Named("raft")})
	return nil
}

// fault ends the process: after a failed write or fsync nobody knows what is on the disk, and only a start from the
// log can tell.
func (p *process) fault(err error) {
	p.log.Error("a disk fault ends the process; what was acknowledged is in the Raft log", zap.Error(err))
	p.Exit(2)
}

// parts are in the order in which they need one another: the front stops first, the bus last.
func (p *process) parts() []run.Part {
	parts := append(p.bus.below(), run.Part{Name: "events", Run: p.events.Run})
	if p.mux != nil {
		parts = append(parts, run.Part{Name: "raft port", Run: p.mux.Run})
	}
	for _, g := range p.groups {
		parts = append(parts, p.leaders(g), run.Part{Name: "raft group " + g.Name(), Run: g.Run})
	}
	for i, e := range p.engines {
		parts = append(parts, run.Part{Name: p.Engines[i].ID.String() + " engine", Run: e.Run})
	}
	for i, s := range p.bus.served {
		parts = append(parts, run.Part{Name: p.Engines[i].ID.String() + " engine on the bus", Run: s.Run})
	}
	for i, s := range p.bus.people {
		parts = append(parts, until(p.Engines[i].ID.String()+" engine for people", s.Close))
	}
	for i, e := range p.bus.far {
		parts = append(parts, run.Part{Name: p.absent[i].String() + " engine far away", Run: e.Run})
	}
	return append(parts, run.Part{Name: "resp", Run: p.resp.Run}, run.Part{Name: "front", Run: p.front.Run})
}

// close gives back what open took. What run.All has run is closed already, and closes again without harm.
func (p *process) close() error {
	errs := p.bus.close()
	for _, g := range p.groups {
		errs = append(errs, g.Close())
	}
	for _, e := range p.engines {
		errs = append(errs, e.Close())
	}
	errs = append(errs, p.bus.disconnect()...)
	if p.dir != nil {
		errs = append(errs, p.dir.Close())
	}
	return errors.Join(errs...)
}
