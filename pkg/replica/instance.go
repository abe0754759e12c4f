package replica

import (
	"errors"
	"fmt"
	"time"

	"github.com/hashicorp/raft"
)

// singleBeat is every timing of Raft on a single node.
const singleBeat = 100 * time.Millisecond

// headStart is what the heartbeat timeout begins above its value, so that it can be lowered once: lowering it makes Raft
// look at its timer at once, and a single voter elects itself without waiting.
const headStart = 10 * time.Millisecond

// stopLimit bounds how long a stopping Raft may take: a hung disk must not hang the process.
const stopLimit = 10 * time.Second

// instance is one running Raft. A group may go through several: timings that Raft cannot change while it runs, and its
// errors that only a restart heals, are met by reopening it over the same log and stores.
type instance struct {
	*raft.Raft
	trans  closingTransport
	single bool // has the timings of a single node
	notify chan bool
	seen   chan raft.Observation
	quit   chan struct{}
}

// start opens Raft. Whether the timings fit is known only afterwards, when Raft has read the log: then once more.
func (g *Group) start() error {
	single := true
	if conf := g.snaps.position().Conf; len(conf) > 0 {
		single = len(raft.DecodeConfiguration(conf).Servers) <= 1
	} else if !g.cfg.Bootstrap {
		single = false
	}
	for {
		in, err := g.open(single)
		if err != nil {
			return err
		}
		if n := len(in.members()); n == 0 || (n == 1) == single {
			g.run(in)
			return nil
		}
		single = !single
		if err := in.stop(); err != nil {
			return err
		}
	}
}

// open makes a Raft over the group's log and stores, and bootstraps a new group.
func (g *Group) open(single bool) (*instance, error) {
	in := &instance{single: single, notify: make(chan bool, 16), seen: make(chan raft.Observation, 16), quit: make(chan struct{})}
	conf := raft.DefaultConfig()
	conf.LocalID = raft.ServerID(g.server)
	beat := g.beat(single)
	conf.HeartbeatTimeout, conf.ElectionTimeout, conf.LeaderLeaseTimeout = beat+headStart, beat+headStart, g.cfg.Lease
	if single {
		conf.LeaderLeaseTimeout = singleBeat
	}
	conf.MaxAppendEntries = 16
	conf.BatchApplyCh = true
	conf.ShutdownOnRemove = false
	conf.NoSnapshotRestoreOnStart = true
	conf.NoLegacyTelemetry = true
	// Snapshots are taken by bytes, see cut.
	conf.SnapshotInterval, conf.SnapshotThreshold = 24*time.Hour, 1<<60
	conf.TrailingLogs = minTrailing
	conf.NotifyCh = in.notify
	conf.Logger = newHclog(g.log.Named("raft"), false)

	trans, err := g.transport()
	if err != nil {
		return nil, err
	}
	if g.cfg.Bootstrap {
		if err := g.bootstrap(conf, trans); err != nil {
			return nil, errors.Join(err, trans.Close())
		}
	}
	in.trans = trans
	if in.Raft, err = g.newRaft(conf, trans); err != nil {
		return nil, errors.Join(err, trans.Close())
	}
	return in, nil
}

// bootstrap makes this node the only voter of a new group, unless there is any state.
func (g *Group) bootstrap(conf *raft.Config, trans raft.Transport) error {
	has, err := raft.HasExistingState(g.logs, g.logs, g.snaps)
	if err != nil {
		return err
	}
	first := raft.Configuration{Servers: []raft.Server{{ID: conf.LocalID, Address: trans.LocalAddr()}}}
	if has {
		return g.resumeBootstrap(first)
	}
	if err := raft.BootstrapCluster(conf, g.logs, g.logs, g.snaps, trans, first); err != nil {
		return fmt.Errorf("begin group %s: %w", g.cfg.Name, err)
	}
	return nil
}

// resumeBootstrap ends a bootstrap that a kill cut off. Raft makes the first term durable and then the entry with the first
// configuration; with the one and without the other it takes the node for an old one that knows nobody, and waits for ever.
func (g *Group) resumeBootstrap(first raft.Configuration) error {
	last, err1 := g.logs.LastIndex()
	term, err2 := g.logs.GetUint64([]byte("CurrentTerm"))
	vote, err3 := g.logs.GetUint64([]byte("LastVoteTerm"))
	if err := errors.Join(err1, err2, err3); err != nil {
		return fmt.Errorf("begin group %s: %w", g.cfg.Name, err)
	}
	if last != 0 || term != 1 || vote != 0 || g.fsm.pos.Index != 0 {
		return nil
	}
	entry := &raft.Log{Index: 1, Term: 1, Type: raft.LogConfiguration, Data: raft.EncodeConfiguration(first)}
	if err := g.logs.StoreLog(entry); err != nil {
		return fmt.Errorf("begin group %s: %w", g.cfg.Name, err)
	}
	return nil
}

// run makes in the group's Raft and follows its leadership.
func (g *Group) run(in *instance) {
	in.RegisterObserver(raft.NewObserver(in.seen, false, func(o *raft.Observation) bool {
		_, ok := o.Data.(raft.LeaderObservation)
		return ok
	}))
	g.raft.Store(in)
	g.logs.recent.setLimit(g.cacheLimit(in))
	g.wg.Go(func() { g.follow(in) })
	if in.alone(g.server) {
		now := in.ReloadableConfig()
		now.HeartbeatTimeout, now.ElectionTimeout = g.beat(in.single), g.beat(in.single)
		_ = in.ReloadConfig(now) // cannot fail: the values are legal
	}
}

// beat returns the heartbeat and election timeout.
func (g *Group) beat(single bool) time.Duration {
	if single {
		return singleBeat
	}
	return g.cfg.Heartbeat
}

// cacheLimit returns how many bytes of recent entries to keep: a single node reads none back.
func (g *Group) cacheLimit(in *instance) int64 {
	if in.single || g.cfg.Memory {
		return 0
	}
	return g.cfg.CacheBytes
}

// stop ends Raft and its transport.
func (in *instance) stop() error {
	close(in.quit)
	done := make(chan error, 1)
	go func() {
		f := in.Shutdown()
		// Raft waits for its exchanges with other nodes: they are cut short.
		err := in.trans.Close()
		done <- errors.Join(f.Error(), err)
	}()
	timer := time.NewTimer(stopLimit)
	defer timer.Stop()
	select {
	case err := <-done:
		return err
	case <-timer.C:
		return fmt.Errorf("a write has not ended within %s: %w", stopLimit, errHung)
	}
}

// follow keeps the group's standing and the proposer in step with Raft.
func (g *Group) follow(in *instance) {
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for {
		g.reconcile(in)
		select {
		case <-in.quit:
			return
		case <-in.notify:
		case <-in.seen:
		case <-ticker.C: // Raft drops observations when their channel is full
		}
	}
}

// reconcile looks at Raft's state and passes on what has changed.
func (g *Group) reconcile(in *instance) {
	g.turn.Lock()
	defer g.turn.Unlock()
	if g.raft.Load() != in {
		return
	}
	_, id := in.LeaderWithID()
	leader := string(id)
	var term uint64
	if in.State() == raft.Leader {
		term, leader = in.CurrentTerm(), g.server
	}
	var before uint64
	var known string
	var yielding bool
	g.stand.mu.Lock()
	before, known, yielding = g.stand.term, g.stand.leader, g.stand.yielding
	g.stand.mu.Unlock()
	if yielding || term == before && leader == known {
		return
	}
	alone := in.alone(g.server)
	g.stand.update(func() { g.stand.term, g.stand.leader, g.stand.alone = term, leader, alone })
	if before != 0 && term != before {
		g.prop.lead(false, "")
	}
	other := leader
	if other == g.server {
		other = ""
	}
	g.prop.lead(term != 0, other)
}

// role names a state of Raft.
func role(s raft.RaftState) string {
	switch s {
	case raft.Leader:
		return "leader"
	case raft.Follower:
		return "follower"
	case raft.Candidate:
		return "candidate"
	default:
		return "stopped"
	}
}
