package stream

import (
	"sync"
	"sync/atomic"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/engine/held"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// creations are the topics that are being made because somebody publishes to them.
type creations struct {
	n   atomic.Int32 // of all; read without mu before a topic is looked for
	mu  sync.Mutex   // guards all, and who waits in it
	all map[string]*creation
}

// creation is a topic that is being made, and the Replier of the command.
type creation struct {
	e       *Engine
	topic   string
	waiting []held.Late
}

// join lets a request wait for its topic if that is being made: those who came before it wait as well.
func (c *creations) join(req *wire.Request, r engine.Replier, topic []byte) bool {
	if c.n.Load() == 0 {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	x := c.all[string(topic)]
	if x == nil {
		return false
	}
	x.e.held.Enter(req.Op, r)
	x.waiting = append(x.waiting, held.Keep(req, r))
	return true
}

// trust says how well a publish may trust what this node has of its topic.
type trust uint8

const (
	unsure trust = iota // the topic may be missing because this node has not applied yet what makes it
	made                // the topic has just been made for it; more partitions may still be on their way
	sure                // what is here is what it must see
)

// doubt takes a publish or an append for which there is no topic here, or no such partition. It may be that this node does not
// know yet; and a topic that is not there is made, if publishes may do that.
func (e *Engine) doubt(g *replica.Group, req *wire.Request, r engine.Replier, topic []byte, makes bool) {
	if !makes || !e.autoTopics {
		l := held.Keep(req, r)
		e.held.Enter(req.Op, r)
		g.Pass(&barrier, req.Deadline, r, func(err error) { e.resume(&l, sure, err) })
		return
	}
	c := &e.creations
	c.mu.Lock()
	x := c.all[string(topic)]
	first := x == nil
	if first {
		x = &creation{e: e, topic: string(topic)}
		c.all[x.topic] = x
		c.n.Add(1)
	}
	e.held.Enter(req.Op, r)
	x.waiting = append(x.waiting, held.Keep(req, r))
	c.mu.Unlock()
	if first {
		m := wire.TopicCreate{Topic: []byte(x.topic)}
		g.Propose(&wire.Request{Op: wire.OpStreamCreate, Body: m.Append(nil)}, false, x)
	}
}

// Reply takes what became of the command, and sends those who wait on their way. Whoever comes meanwhile waits behind them.
func (x *creation) Reply(_ uint64, resp wire.Response) {
	err := resp.Err()
	if resp.Code == wire.Exists {
		err = nil // somebody else has made it
	}
	c := &x.e.creations
	for {
		c.mu.Lock()
		list := x.waiting
		x.waiting = nil
		if len(list) == 0 {
			delete(c.all, x.topic)
			c.n.Add(-1)
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		for i := range list {
			x.e.resume(&list[i], made, err)
		}
	}
}

// resume sends a request on that was held back, or says why not.
func (e *Engine) resume(l *held.Late, is trust, err error) {
	switch g := e.group.Load(); {
	case err != nil:
		l.Replier.Reply(l.Tag, wire.Fail(err))
	case l.Op == wire.OpStreamAppend:
		e.append(g, &l.Request, l.Replier, is)
	default:
		e.publish(g, &l.Request, l.Replier, is)
	}
	e.held.Leave(l.Op, l.Replier)
}

// append begins an OpStreamAppend whose payload has been checked. Whether the partition is there is for the log to say, but a topic
// may have to be made: what its settings allow is not known before.
func (e *Engine) append(g *replica.Group, req *wire.Request, r engine.Replier, is trust) {
	if is == made {
		if err := e.machine.Check(req.Op, req.Body); err != nil {
			r.Reply(req.Tag, wire.Fail(err))
			return
		}
	}
	if is == unsure && e.autoTopics {
		var m wire.StreamAppend
		if err := m.Decode(req.Body); err != nil {
			r.Reply(req.Tag, wire.Fail(err))
			return
		}
		if e.creations.join(req, r, m.Topic) {
			return
		}
		if _, ok := e.machine.Topic(m.Topic); !ok {
			e.doubt(g, req, r, m.Topic, true)
			return
		}
	}
	g.Propose(req, false, r)
}
