package node

import (
	"fmt"
	"path/filepath"

	"github.com/skshohagmiah/flin/pkg/store"
)

// choose keeps the engines that the process is to have itself (-engines), and notes which it expects over the bus.
func (p *process) choose() {
	choice := p.Config.Engines
	if choice == nil {
		return
	}
	var near []Hosted
	for _, h := range p.Engines {
		switch {
		case choice.Has(h.ID):
			near = append(near, h)
		case choice.Remote:
			p.absent = append(p.absent, h.ID)
		}
	}
	p.Engines = near
}

// title says what the process is to who asks it for an engine that it neither has nor expects.
func (p *process) title() string {
	if p.Config.Engines == nil || p.Config.Engines.All {
		return p.Name
	}
	return p.Name + " with -engines " + p.Config.Engines.String()
}

func (p *process) openEngines() error {
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
		p.table.Put(h.ID, e)
	}
	return nil
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
