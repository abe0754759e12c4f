package stream

import (
	"slices"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/held"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
	"github.com/skshohagmiah/flin/streamd/stream/internal/fsm"
)

// heartbeat notes that a member is alive, and answers with what it owns.
func (e *Engine) heartbeat(g *replica.Group, req *wire.Request, r engine.Replier) {
	e.asLeader(g, req, r, func(req *wire.Request) wire.Response {
		var m wire.StreamMember
		err := m.Decode(req.Body)
		if err == nil {
			err = fsm.CheckHeartbeat(&m)
		}
		if err != nil {
			return wire.Fail(err)
		}
		ms, owned, err := e.machine.Member(m.Topic, m.Group, m.Consumer, nil)
		if err != nil {
			return wire.Fail(err)
		}
		e.coord.beat(e.term(), &m, &ms)
		a := wire.StreamAssignment{Generation: ms.Generation}
		for i := range owned {
			a.Partitions = append(a.Partitions, owned[i].Partition)
		}
		return wire.Response{Body: a.Append(nil)}
	})
}

// seek moves a member's position.
func (e *Engine) seek(g *replica.Group, req *wire.Request, r engine.Replier) {
	e.asLeader(g, req, r, func(req *wire.Request) wire.Response {
		var m wire.StreamSeek
		err := m.Decode(req.Body)
		if err == nil {
			err = fsm.CheckSeek(&m)
		}
		if err != nil {
			return wire.Fail(err)
		}
		offset, err := e.moveTo(&m)
		if err != nil {
			return wire.Fail(err)
		}
		e.calls.regrouped(string(m.Group)) // a consume that waits may have something to hand out now
		return wire.Response{Num: offset}
	})
}

// moveTo puts a member's position where a seek asks for.
func (e *Engine) moveTo(m *wire.StreamSeek) (offset int64, err error) {
	ms, owned, err := e.machine.Member(m.Topic, m.Group, m.Consumer, nil)
	if err != nil {
		return 0, err
	}
	start, end, err := e.machine.Span(m.Topic, int(m.Partition))
	if err != nil {
		return 0, err
	}
	i := slices.IndexFunc(owned, func(o fsm.Owned) bool { return o.Partition == m.Partition })
	if i < 0 {
		return 0, wire.Errorf(wire.Fenced, "consumer %q of group %q does not own partition %d of topic %q: look what it owns with a heartbeat", m.Consumer, m.Group, m.Partition, m.Topic)
	}
	switch offset = m.Offset; offset {
	case wire.OffsetEarliest:
		offset = start
	case wire.OffsetLatest:
		offset = end
	default:
		if _, err := e.machine.Available(m.Topic, int(m.Partition), offset); err != nil {
			return 0, err
		}
	}
	e.coord.place(e.term(), m.Topic, m.Group, m.Consumer, &ms, m.Partition, position{since: owned[i].Since, offset: offset})
	return offset, nil
}

// asLeader answers with what fn says as soon as this node is known to lead and has applied what the request must see.
func (e *Engine) asLeader(g *replica.Group, req *wire.Request, r engine.Replier, fn func(*wire.Request) wire.Response) {
	l := held.Keep(req, r)
	l.Flags &^= wire.FlagStale
	g.WhenCurrent(&l.Request, &barrier, r, func(err error) {
		if err != nil {
			r.Reply(l.Tag, wire.Fail(err))
			return
		}
		r.Reply(l.Tag, fn(&l.Request))
	})
}
