package node

import (
	"strconv"

	"github.com/skshohagmiah/flin/pkg/front"
	"github.com/skshohagmiah/flin/pkg/front/resp"
	"github.com/skshohagmiah/flin/pkg/front/slow"
)

// openFront takes the ports for clients. They are served when everything is there.
func (p *process) openFront() error {
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
	cfg.Events = p.events
	p.slow = slow.New(slow.Config{Over: p.Config.SlowRequest, Events: p.events, Log: p.log})
	cfg.Slow = p.slow
	cfg.Native.Node, cfg.Native.Version = p.id, p.Name+" "+Version
	cfg.Web.Gatherer, cfg.Web.Level, cfg.Web.Ready = p.reg, p.level, p.ready
	p.resp = resp.New(resp.Config{
		Engine: p.table, Version: Version, Node: p.id, Password: cfg.Password,
		MaxValue: int(p.Config.MaxValue), Params: p.params(), Slow: cfg.Slow, Log: p.log.Named("resp"),
	})
	cfg.RESP = p.resp
	if err := cfg.Validate(); err != nil {
		return err
	}
	f := front.New(cfg, p.table, p.log.Named("front"))
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
