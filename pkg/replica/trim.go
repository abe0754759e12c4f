package replica

import (
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft"
	"go.uber.org/zap"
)

// minTrailing is how many entries are kept below a cut in any case: with none, a follower that is one entry behind needs a
// whole snapshot, and Raft's own handling of an emptied log is not safe.
const minTrailing = 16

// supervise watches the disk, cuts the log and reopens Raft.
func (g *Group) supervise() {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	var retry <-chan time.Time // set after a cut that failed
	for {
		select {
		case <-g.stopping:
			return
		case <-ticker.C:
			if d := g.logs.stalled(); d > g.cfg.Stall {
				g.fault(fmt.Errorf("a write to the Raft log of group %s has not ended for %s: the disk hangs", g.cfg.Name, d.Round(time.Second)))
			}
		case <-g.relapsed:
			g.heal()
		case <-retry:
			retry = g.trim()
		case <-g.logs.full:
			if retry == nil {
				retry = g.trim()
			}
		}
	}
}

// heal reopens Raft after an installed snapshot has left it with a wrong idea of its last entry (hashicorp/raft#697).
func (g *Group) heal() {
	g.life.Lock()
	defer g.life.Unlock()
	select {
	case <-g.stopping:
		return
	default:
	}
	g.log.Info("Raft is reopened after a snapshot was installed over a longer log")
	in := g.raft.Load()
	if in == nil {
		return
	}
	_ = g.reopen(in.single) // a failure is a fault and reported as such
}

// trim cuts the log if it has grown enough; the channel tells when to try again after a failure.
func (g *Group) trim() <-chan time.Time {
	in := g.raft.Load()
	if in == nil || !g.logs.due() {
		return nil
	}
	if err := g.cut(in); err != nil {
		// After a change of membership Raft waits for a command; nothing is lost by waiting.
		g.log.Debug("the log is not cut yet", zap.Error(err))
		return time.After(time.Second)
	}
	return nil
}

// cut flushes the stores and cuts the log, keeping for followers what fits into the configured bytes.
func (g *Group) cut(in *instance) error {
	keep := uint64(minTrailing)
	if !in.single {
		limit := g.cfg.TrailingBytes
		if g.cfg.Memory {
			limit = min(limit, g.cfg.CacheBytes)
		}
		keep = max(keep, g.logs.trailing(limit))
	}
	reload := in.ReloadableConfig()
	reload.TrailingLogs = keep
	if err := in.ReloadConfig(reload); err != nil {
		return fmt.Errorf("set the trailing entries of group %s: %w", g.cfg.Name, err)
	}
	grown := g.logs.growth()
	if err := in.Snapshot().Error(); err != nil && !errors.Is(err, raft.ErrNothingNewToSnapshot) {
		return fmt.Errorf("cut the log of group %s: %w", g.cfg.Name, err)
	}
	g.logs.cutDone(grown)
	g.met.cuts.Add(1)
	return nil
}
