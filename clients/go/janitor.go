package flin

import (
	"errors"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

var (
	errLate  = errors.New("flin: no answer within Options.Timeout")
	errQuiet = errors.New("flin: the server has not been heard of for too long")
)

// watchTime ends calls whose deadline has passed and connections that have died without a word.
func (p *pool) watchTime() {
	t := time.NewTicker(tick)
	defer t.Stop()
	for {
		select {
		case <-p.ctx.Done():
			return
		case <-t.C:
		}
		now := wire.Clock()
		for i := range p.conns {
			if c := p.conns[i].Load(); c != nil {
				c.expire(now)
				c.listen(now)
			}
		}
	}
}

// expire tells the calls whose deadline has passed that there will be no answer. The server's own answer, Timeout, is
// given the time of one tick.
func (c *conn) expire(now int64) {
	c.mu.Lock()
	var late []*call
	for i := range c.places {
		k := c.places[i].call
		if k == nil || k.deadline == 0 || k.deadline+int64(tick) > now {
			continue
		}
		k.lost, k.sent = errLate, true // what waits in out will still be sent
		tag := c.places[i].tag(uint32(i))
		c.leave(uint32(i))
		c.control(wire.OpCancel, &wire.Credit{Tag: tag})
		late = append(late, k)
	}
	if len(late) == 0 {
		c.mu.Unlock()
		return
	}
	c.unlockAndWrite()
	for _, k := range late {
		k.finish()
	}
}

// listen asks a server that owes answers and is silent whether it is still there, and gives it up if it stays silent.
func (c *conn) listen(now int64) {
	silent := time.Duration(now - c.heard.Load())
	if silent < quiet {
		return
	}
	c.mu.Lock()
	switch {
	case c.closed != nil || c.busy == 0:
		c.mu.Unlock()
	case c.pinged == 0:
		c.pinged = now
		start := len(c.out)
		c.out = wire.AppendRequestHead(c.out, &wire.Request{Op: wire.OpPing, Tag: pingTag}, 0)
		wire.EndFrame(c.out, start)
		c.unlockAndWrite()
	default:
		lost := time.Duration(now-c.pinged) > quiet
		c.mu.Unlock()
		if lost {
			c.close(errQuiet)
		}
	}
}

// pingTag is the tag of pings that nobody waits for: no place has it.
const pingTag = 1<<32 - 1
