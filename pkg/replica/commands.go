package replica

import "github.com/skshohagmiah/flin/pkg/wire"

// Commands is a group as an engine.Engine: every request is a command of the log. It is for engines that propose commands
// of their own and wait for the answers.
type Commands struct{ Group *Group }

// Submit proposes the request.
func (c Commands) Submit(req wire.Request, r wire.Replier) { c.Group.Propose(&req, false, r) }

// Cancel withdraws it.
func (c Commands) Cancel(r wire.Replier, tag uint64) { c.Group.Cancel(r, tag) }

// Credit does nothing: commands do not stream.
func (c Commands) Credit(wire.Replier, uint64, int) {}

// Laned is an optional part of a Replier that an engine puts in place of its client's, to see an answer first. Commands with
// the same lane take effect in the order in which they were proposed, as those of one Replier do, and share its turns.
type Laned interface {
	// Lane returns the client's own Replier. It does not change while a command is waiting.
	Lane() wire.Replier
}

// laneOf returns whose order a Replier's commands keep.
func laneOf(r wire.Replier) wire.Replier {
	if l, ok := r.(Laned); ok {
		return l.Lane()
	}
	return r
}
