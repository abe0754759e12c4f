package replica

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"go.uber.org/zap"
)

// adopt lets an engine join a group that was made without it. Its store is empty and none of the log that the other stores
// hold can be about it: an entry with a command of an engine that is not there ends the process. So the store begins where
// they are. That the group has the engine is stamped into its folder: a store that is empty later has been emptied.
func (g *Group) adopt() error {
	var names []string
	for _, h := range g.fsm.hosts {
		names = append(names, h.machine.Engine().String())
	}
	for _, name := range g.ident.Engines {
		if !slices.Contains(names, name) {
			return fmt.Errorf("group %s in %s was made with the engines %s, this process runs %s: start the program with them all (-engines)",
				g.cfg.Name, g.cfg.Dir, strings.Join(g.ident.Engines, ", "), strings.Join(names, ", "))
		}
	}
	var old *host // the lowest of the stores that hold a part of the log
	for _, h := range g.fsm.hosts {
		if h.at > 0 && (old == nil || h.at < old.at) {
			old = h
		}
	}
	for i, h := range g.fsm.hosts {
		if old == nil || h.at > 0 || slices.Contains(g.ident.Engines, names[i]) {
			continue
		}
		at := old.store.Applied()
		h.store.Advance(at)
		if err := <-h.store.Rotate(); err != nil {
			return fmt.Errorf("add engine %s to group %s: %w", names[i], g.cfg.Name, err)
		}
		if err := h.machine.Reset(); err != nil {
			return fmt.Errorf("add engine %s to group %s: %w", names[i], g.cfg.Name, err)
		}
		g.log.Info("an engine joins the group", zap.String("engine", names[i]), zap.Uint64("entry", at.Index))
	}
	g.fsm.begin()
	if g.cfg.Memory || len(g.ident.Engines) == len(names) {
		return nil
	}
	g.ident.Engines = names
	return stamp(filepath.Join(g.cfg.Dir, identityName), g.ident)
}
