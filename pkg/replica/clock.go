package replica

import (
	"time"

	"go.uber.org/zap"
)

// maxJump is how far the wall clock may run ahead of the monotonic clock between two entries.
const maxJump = time.Hour

// entryClock gives the entries of a leader their times: the wall clock, but never back, and never more than maxJump ahead
// at once. Only the proposer's goroutine uses it.
type entryClock struct {
	wall func() time.Time
	mono func() int64 // wire.Clock
	log  *zap.Logger

	// The wall clock as last accepted, in ms, and the monotonic clock at that moment.
	seen, seenAt int64
	// The last time given, and the monotonic clock at that moment.
	last, lastAt int64
	half         int64 // ns of the monotonic clock that have passed since last without filling a millisecond
	refused      bool  // the jump under way has been logged
	behind       bool  // the lag under way has been logged
}

// now returns the time for the next entry. floor is the time of the last applied entry, which may be another leader's.
func (c *entryClock) now(floor int64) int64 {
	mono := c.mono()
	wall := c.accepted(mono)
	if floor > c.last {
		c.last, c.lastAt, c.half = floor, mono, 0
	}
	if wall >= c.last {
		c.last, c.lastAt, c.half = wall, mono, 0
		c.behind = false
		return c.last
	}
	// The clock was set back, or another leader's was ahead: half speed until this one has caught up, so that expiries
	// neither stop nor are lost.
	if lag := c.last - wall; !c.behind && lag > 1000 {
		c.behind = true
		c.log.Warn("the wall clock is behind the log's time, which goes on at half speed until they meet",
			zap.Duration("behind", time.Duration(lag)*time.Millisecond))
	}
	passed := c.half + (mono-c.lastAt)/2
	c.last += passed / int64(time.Millisecond)
	c.half = passed % int64(time.Millisecond)
	c.lastAt = mono
	return c.last
}

// accepted returns the wall clock in ms, or where the monotonic clock says that it should be after a forward jump.
func (c *entryClock) accepted(mono int64) int64 {
	wall := c.wall().UnixMilli()
	if c.seenAt != 0 {
		expected := c.seen + (mono-c.seenAt)/int64(time.Millisecond)
		if jump := wall - expected; jump > maxJump.Milliseconds() {
			if !c.refused {
				c.refused = true
				c.log.Error("the wall clock jumped forward by more than an hour: the jump is refused, the log's time goes on as before; if the new time is right, restart this process",
					zap.Duration("jump", time.Duration(jump)*time.Millisecond))
			}
			return expected
		}
	}
	c.refused = false
	c.seen, c.seenAt = wall, mono
	return wall
}
