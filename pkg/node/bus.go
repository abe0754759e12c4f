package node

import (
	"context"
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/bus"
	"github.com/skshohagmiah/flin/pkg/bus/people"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/run"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// onBus is what a process has on the bus; everything is nil or empty where it is off.
type onBus struct {
	server *bus.NATS // embedded
	conn   *bus.Conn
	served []*bus.Server // of the engines here, in their order
	people []*answering  // who answers people for them, likewise
	far    []*bus.Engine // engines elsewhere, in the order of process.absent
	stops  []func()      // end the following of groups
}

// openBus starts the embedded NATS server, where there is to be one, and connects.
func (p *process) openBus() error {
	how := p.Config.OnBus()
	if how.Off {
		return nil
	}
	secret, err := p.Config.Secret()
	if err != nil {
		return err
	}
	cfg := bus.Default()
	cfg.URL, cfg.Name, cfg.Role, cfg.Secret = how.URLs, p.Name+" "+p.id, p.role(), secret
	cfg.Guarded = p.Config.Guarded()
	cfg.Log = p.log.Named("bus")
	if how.Embed {
		if p.bus.server, err = p.embed(how.Addr, secret); err != nil {
			return err
		}
		cfg.URL = p.bus.server.URL()
		p.log.Info("the bus is embedded", zap.Stringer("at", p.bus.server.Addr()), zap.Bool("secret", secret != ""))
	}
	if p.bus.conn, err = bus.Dial(cfg); err != nil {
		return err
	}
	p.reg.MustRegister(p.bus.conn.Collectors()...)
	p.events.To(bus.PublishEvents(p.bus.conn))
	return nil
}

// embed runs a NATS server at exactly addr, or on this machine where there is room.
func (p *process) embed(addr, secret string) (*bus.NATS, error) {
	cfg := bus.DefaultEmbed()
	cfg.Name, cfg.Secret, cfg.Log = p.Name+"-"+p.id, secret, p.log.Named("nats")
	if addr != "" {
		host, port, err := net.SplitHostPort(addr)
		if err != nil {
			return nil, fmt.Errorf("-bus embed://%s: %w", addr, err)
		}
		if cfg.Port, err = strconv.Atoi(port); err != nil {
			return nil, fmt.Errorf("-bus embed://%s: %w", addr, err)
		}
		cfg.Host, cfg.Exact = host, true
		if cfg.Port == 0 {
			cfg.Port = -1 // any
		}
	}
	return bus.Embed(cfg)
}

// role returns what the process does on the bus.
func (p *process) role() bus.Role {
	switch {
	case len(p.absent) == 0:
		return bus.RoleEngine
	case len(p.Engines) == 0:
		return bus.RoleRouter
	default:
		return bus.RoleBoth
	}
}

// serveOnBus lets others use the engines here.
func (p *process) serveOnBus() error {
	if p.bus.conn == nil {
		return nil
	}
	for i, e := range p.engines {
		answers := &answering{log: p.log.Named("people"), make: func() (*people.Service, error) { return p.answerPeople(i) }}
		p.bus.people = append(p.bus.people, answers)
		cfg := bus.DefaultServe()
		cfg.Engine, cfg.Node, cfg.Cluster = p.Engines[i].ID, p.id, p.dir.Stamp.Cluster
		if p.bus.server != nil {
			cfg.Settle = 0 // the bus began with this process
		}
		cfg.Changed = answers.set
		cfg.MaxRequest = int(p.Config.MaxRequest)
		cfg.Leadership = p.follow(p.homes[i])
		cfg.Log = p.log.Named("bus").With(zap.Stringer("engine", cfg.Engine))
		s, err := bus.Serve(p.bus.conn, e, cfg)
		if err != nil {
			return err
		}
		p.bus.served = append(p.bus.served, s)
		p.reg.MustRegister(s.Collectors()...)
	}
	return nil
}

// answerPeople lets whoever has nothing but the nats CLI ask an engine here.
func (p *process) answerPeople(i int) (*people.Service, error) {
	return people.Serve(p.bus.conn, people.Config{
		Engine: p.Engines[i].ID, Ask: p.engines[i], Node: p.id, Group: p.homes[i].Name(), Version: Version,
		Standing: leadership{g: p.homes[i]}.Now,
		Took:     func(op wire.Op, took time.Duration, size int) { p.slow.Took(op, took, size, person{}) },
		Log:      p.log.Named("people").With(zap.Stringer("engine", p.Engines[i].ID)),
	})
}

// person is where people are who ask over the bus, which does not tell.
type person struct{}

func (person) Network() string { return "nats" }
func (person) String() string  { return "a person on the bus" }

// answering answers people while its engine is served on the bus.
type answering struct {
	make func() (*people.Service, error)
	log  *zap.Logger

	mu     sync.Mutex
	s      *people.Service // nil: nobody is answered
	closed bool
}

// set begins or ends it.
func (a *answering) set(serving bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !serving {
		a.end()
		return
	}
	if a.closed || a.s != nil {
		return
	}
	s, err := a.make()
	if err != nil {
		a.log.Error("people with the nats CLI are not answered", zap.Error(err))
		return
	}
	a.s = s
}

// end ends it. Under mu.
func (a *answering) end() {
	if a.s != nil {
		_ = a.s.Close() // it has no errors
		a.s = nil
	}
}

// Close ends it for good.
func (a *answering) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.closed = true
	a.end()
	return nil
}

// openFar makes the engines that are expected over the bus answer as if they were here.
func (p *process) openFar() error {
	for _, id := range p.absent {
		cfg := bus.DefaultEngine()
		cfg.Engine = id
		cfg.MaxRequest = int(p.Config.MaxRequest)
		cfg.Log = p.log.Named("bus")
		e, err := bus.NewEngine(p.bus.conn, cfg)
		if err != nil {
			return err
		}
		p.bus.far = append(p.bus.far, e)
		p.reg.MustRegister(e.Collectors()...)
		p.table.Put(id, e)
	}
	return nil
}

// leadership shows the bus who leads a group.
type leadership struct {
	g       *replica.Group
	changed <-chan struct{}
}

func (p *process) follow(g *replica.Group) bus.Leadership {
	changed, stop := g.Follow()
	p.bus.stops = append(p.bus.stops, stop)
	return leadership{g, changed}
}

// Now returns what this node is in the group.
func (l leadership) Now() bus.Standing { return bus.Standing(l.g.Standing()) }

// Changed tells that it may have changed.
func (l leadership) Changed() <-chan struct{} { return l.changed }

// below are the parts on which the rest stands: what is under way can be answered over them while the rest stops.
func (b *onBus) below() (parts []run.Part) {
	if b.server != nil {
		parts = append(parts, until("embedded bus", b.server.Close))
	}
	if b.conn != nil {
		parts = append(parts, until("connection to the bus", b.conn.Close))
	}
	return parts
}

// close gives back what there is, in reverse.
func (b *onBus) close() (errs []error) {
	for _, e := range b.far {
		errs = append(errs, e.Close())
	}
	for _, s := range b.people {
		errs = append(errs, s.Close())
	}
	for _, s := range b.served {
		errs = append(errs, s.Close())
	}
	for _, stop := range b.stops {
		stop()
	}
	return errs
}

// disconnect gives back what everything else on the bus stands on.
func (b *onBus) disconnect() (errs []error) {
	if b.conn != nil {
		errs = append(errs, b.conn.Close())
	}
	if b.server != nil {
		errs = append(errs, b.server.Close())
	}
	return errs
}

// until is a part that is there until the process stops.
func until(name string, end func() error) run.Part {
	return run.Part{Name: name, Run: func(ctx context.Context) error {
		<-ctx.Done()
		return end()
	}}
}
