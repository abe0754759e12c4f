// Package overbus holds an engine to its contract behind a real bus: alone, in messages that hold little, and with three voters;
// and while another voter comes to lead, or the bus goes away.
package overbus

import (
	"fmt"
	"net"
	"testing"

	"github.com/skshohagmiah/flin/pkg/bus"
	"github.com/skshohagmiah/flin/pkg/bus/bustest"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/enginetest"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// little is the payload of a NATS message that cuts most of what the contract sends into pieces.
const little = 8 << 10

// Run holds the engines of id that worlds makes to their contract behind a bus.
func Run[C any, E enginetest.Hosted, W enginetest.Booted](t *testing.T, id wire.EngineID, spec enginetest.Spec, worlds *enginetest.Worlds[C, E, W]) {
	enginetest.RunIn(t, "bus", spec, func(t *testing.T) engine.Engine {
		return bustest.Far(t, id, worlds.New(t, nil))
	})
	enginetest.RunIn(t, "bus/max_payload=8KiB", spec, func(t *testing.T) engine.Engine {
		b := &line{id, bustest.NATS(t, func(c *bus.EmbedConfig) { c.Secret, c.MaxPayload = bustest.Secret, little })}
		b.serve(t, worlds.New(t, nil), nil)
		return b.far(t)
	})
	enginetest.RunIn(t, "bus/voters=3", spec, func(t *testing.T) engine.Engine {
		if testing.Short() {
			t.Skip("a group of three takes its time")
		}
		far, _ := three(t, id, worlds)
		return far
	})
	t.Run("what was answered outlasts its leader", func(t *testing.T) {
		far, all := three(t, id, worlds)
		pass := func() {
			lead := enginetest.NextLeader(t, all[:]...)
			if err := lead.Base().Group.TransferLeadership(""); err != nil {
				t.Error(err)
			}
		}
		enginetest.Survives(t, spec, far, pass, pass, pass, pass, pass)
	})
	t.Run("what was answered outlasts the bus", func(t *testing.T) {
		b := &line{id, bustest.Guarded(t)}
		b.serve(t, worlds.New(t, nil), nil)
		restart := func() {
			at := b.ns.Addr().(*net.TCPAddr)
			if err := b.ns.Close(); err != nil {
				t.Error(err)
			}
			b.ns = bustest.NATS(t, func(c *bus.EmbedConfig) { c.Secret, c.Port, c.Exact = bustest.Secret, at.Port, true })
		}
		enginetest.Survives(t, spec, b.far(t), restart, restart)
	})
}

// line is a bus between daemons of an engine and those who ask it.
type line struct {
	id wire.EngineID
	ns *bus.NATS
}

// serve puts an engine at one end, as a process of its own would.
func (b *line) serve(t *testing.T, e engine.Engine, change func(*bus.ServeConfig)) {
	t.Helper()
	bustest.Serve(t, bustest.DialAs(t, b.ns.URL(), bus.RoleEngine, nil), b.id, e, change)
}

// far returns the engine at the other end, in a process of its own.
func (b *line) far(t *testing.T) engine.Engine {
	t.Helper()
	return bustest.Engine(t, bustest.DialAs(t, b.ns.URL(), bus.RoleRouter, nil), b.id, nil)
}

// three serves three voters and returns the engine at the other end.
func three[C any, E enginetest.Hosted, W enginetest.Booted](t *testing.T, id wire.EngineID, worlds *enginetest.Worlds[C, E, W]) (engine.Engine, [3]W) {
	t.Helper()
	all := worlds.Three(t)
	b := &line{id, bustest.Guarded(t)}
	for i, w := range all {
		l := leadership{Group: w.Base().Group}
		var stop func()
		l.changed, stop = l.Follow()
		t.Cleanup(stop)
		b.serve(t, w, func(c *bus.ServeConfig) { c.Node, c.Leadership = fmt.Sprintf("n%d", i), l })
	}
	return b.far(t), all
}

// leadership tells a bus what a voter is in its group.
type leadership struct {
	*replica.Group
	changed <-chan struct{}
}

// Now implements bus.Leadership.
func (l leadership) Now() bus.Standing { return bus.Standing(l.Standing()) }

// Changed implements bus.Leadership.
func (l leadership) Changed() <-chan struct{} { return l.changed }
