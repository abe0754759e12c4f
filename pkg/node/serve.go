package node

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/conf"
	"github.com/skshohagmiah/flin/pkg/disk"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/front"
	"github.com/skshohagmiah/flin/pkg/front/resp"
	"github.com/skshohagmiah/flin/pkg/obs"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/run"
	"github.com/skshohagmiah/flin/pkg/store"
)

// process is what serve has opened so far; close gives it back in reverse.
type process struct {
	Program
	log   *zap.Logger
	level zap.AtomicLevel
	dir   *conf.DataDir
	reg   *prometheus.Registry

	engines []Engine
	turns   disk.Turns // of the logs' writes
	mux     *replica.Mux
	groups  []*replica.Group
	front   *front.Front
	resp    *resp.Server
}

// serve opens everything, runs it until ctx ends or a part of it does, and gives everything back.
func serve(ctx context.Context, p Program) error {
	log, level, err := obs.NewLogger(p.Config.LogLevel, p.Config.LogFormat)
	if err != nil {
		return err
	}
	proc := &process{Program: p, log: log, level: level, reg: obs.NewRegistry(p.Name, Version)}
	if err := proc.open(ctx); err != nil {
		return errors.Join(err, proc.close())
	}
	log.Info("serving", zap.String("program", p.Name), zap.String("version", Version),
		zap.String("node", proc.dir.Stamp.Node), zap.Stringer("port", proc.front.Addr()), zap.String("data", proc.where()))
	err = run.All(ctx, proc.parts()...)
	log.Info("stopped")
	return errors.Join(err, proc.close())
}

func (p *process) where() string {
	if p.Config.Memory {
		return "in memory: nothing survives a restart (-memory)"
	}
	return p.Config.Data
}

// open takes the ports before it opens data: a port that is taken is the commonest mistake, and is said at once.
func (p *process) open(ctx context.Context) (err error) {
	if p.dir, err = conf.OpenDataDir(p.Config, p.Name); err != nil {
		return err
	}
	table := engine.NewTable(p.Name)
	if err := p.openFront(table); err != nil {
		return err
	}
	if err := p.openRaftPort(ctx); err != nil {
		return err
	}
	for i, h := range p.Engines {
		e, err := h.Open(EngineConfig{
			Store:      p.storeOptions(i),
			Workers:    p.Config.Workers,
			MaxValue:   int(p.Config.MaxValue),
			AutoTopics: p.Config.AutoTopics != nil && *p.Config.AutoTopics,
			Turns:      &p.turns,
			Log:        p.log.Named(h.ID.String()),
		})
		if err != nil {
			return fmt.Errorf("open the %v engine: %w", h.ID, err)
		}
		p.engines = append(p.engines, e)
		p.reg.MustRegister(e.Collectors()...)
		table.Put(h.ID, e)
	}
	return p.openGroups()
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

func (p *process) openFront(e engine.Engine) error {
	cfg := front.Default()
	cfg.Program = p.Name
	cfg.Listen, cfg.HTTP = p.Config.Port, p.Config.HTTP
	cfg.Protected = p.Config.Protected
	cfg.MaxConnections = p.Config.MaxConnections
	cfg.Limits.MaxInput = int(p.Config.MaxRequest)
	if p.Config.PasswordFile != "" {
		var err error
		if cfg.Password, err = front.PasswordFile(p.Config.PasswordFile); err != nil {
			return err
		}
	} else if !cfg.Protected {
		p.log.Warn("every client that reaches this machine is served without a password (-protected=false)")
	}
	cfg.Native.Node, cfg.Native.Version = p.dir.Stamp.Node, p.Name+" "+Version
	cfg.Web.Gatherer, cfg.Web.Level, cfg.Web.Ready = p.reg, p.level, p.ready
	p.resp = resp.New(resp.Config{
		Engine: e, Version: Version, Node: p.dir.Stamp.Node, Password: cfg.Password,
		MaxValue: int(p.Config.MaxValue), Params: p.params(), Log: p.log.Named("resp"),
	})
	cfg.RESP = p.resp
	if err := cfg.Validate(); err != nil {
		return err
	}
	f := front.New(cfg, e, p.log.Named("front"))
	if err := f.Open(); err != nil {
		return err
	}
	p.front = f
	p.reg.MustRegister(f.Collectors()...)
	p.reg.MustRegister(p.resp.Collectors()...)
	return nil
}

// params are what CONFIG GET says of this process's settings.
func (p *process) params() map[string]string {
	set := map[string]string{
		"maxclients": strconv.Itoa(p.Config.MaxConnections),
		"dir":        p.Config.Data,
	}
	if p.Config.Memory {
		set["appendonly"] = "no"
		set["maxmemory"] = strconv.FormatInt(int64(p.Config.MaxMemory), 10)
	}
	return set
}

func (p *process) storeOptions(at int) store.Options {
	return store.Options{
		Dir:       filepath.Join(p.Config.Data, "store", p.Engines[at].ID.String()),
		Memory:    p.Config.Memory,
		MaxMemory: int64(p.Config.MaxMemory),
		Beside:    func() int64 { return p.memoryBeside(at) },
		CacheSize: int64(p.Config.CacheSize),
		Log:       p.log.Named("store"),
		OnFault:   p.fault,
	}
}

// memoryBeside returns what the other engines take of -max-memory.
func (p *process) memoryBeside(at int) (used int64) {
	for i, e := range p.engines {
		if i != at {
			used += e.Machine().Store().MemoryUsed()
		}
	}
	return used
}

// fault ends the process: after a failed write or fsync nobody knows what is on the disk, and only a start from the
// log can tell.
func (p *process) fault(err error) {
	p.log.Error("a disk fault ends the process; what was acknowledged is in the Raft log", zap.Error(err))
	p.Exit(2)
}

// parts are in the order in which they need one another: the front stops first, the Raft port last.
func (p *process) parts() []run.Part {
	parts := []run.Part{{Name: "raft port", Run: p.mux.Run}}
	for _, g := range p.groups {
		parts = append(parts, run.Part{Name: "raft group " + g.Name(), Run: g.Run})
	}
	for i, e := range p.engines {
		parts = append(parts, run.Part{Name: p.Engines[i].ID.String() + " engine", Run: e.Run})
	}
	return append(parts, run.Part{Name: "resp", Run: p.resp.Run}, run.Part{Name: "front", Run: p.front.Run})
}

// close gives back what open took. What run.All has run is closed already, and closes again without harm.
func (p *process) close() error {
	var errs []error
	for _, g := range p.groups {
		errs = append(errs, g.Close())
	}
	for _, e := range p.engines {
		errs = append(errs, e.Close())
	}
	if p.dir != nil {
		errs = append(errs, p.dir.Close())
	}
	return errors.Join(errs...)
}
