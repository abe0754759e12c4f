package flin

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// do sends k and waits for its answer. It reports a failure of the answer, too.
func (c *Client) do(k *call) error {
	now := wire.Clock()
	k.deadline = c.deadline(now, k.wait)
	for try := 0; ; try++ {
		err := c.try(k, now)
		if err == nil || !c.again(k, err, try) {
			return err
		}
		now = wire.Clock()
	}
}

// deadline returns when a call that begins now, and that the server may hold back for wait, must be over, by wire.Clock; 0
// is never.
func (c *Client) deadline(now int64, wait time.Duration) int64 {
	if c.ctx.Done() != nil {
		if at, ok := c.ctx.Deadline(); ok {
			return now + int64(time.Until(at))
		}
	}
	if c.pool.opts.Timeout > 0 {
		return now + int64(c.pool.opts.Timeout+wait)
	}
	return 0
}

// try sends k once.
func (c *Client) try(k *call, now int64) error {
	cn, err := c.enter(k, now)
	if err != nil {
		return err
	}
	if done := c.ctx.Done(); done == nil {
		<-k.done
	} else {
		select {
		case <-k.done:
		case <-done:
			if err := c.leave(cn, k); err != nil {
				return err
			}
		}
	}
	if k.lost != nil {
		lost, sent := k.lost, k.sent
		k.lost = nil
		if errors.Is(lost, errLate) {
			return c.over(k, sent, lost)
		}
		return &brokenError{cause: lost, op: k.op, unknown: sent && !k.read, read: k.read}
	}
	return k.resp.Err()
}

// withdrawTime is how long a call whose context is over waits for the server to say whether it has taken something.
const withdrawTime = time.Second

// leave ends the wait for the answer to k because the context is over. nil: the answer came all the same.
func (c *Client) leave(cn *conn, k *call) error {
	cause := context.Cause(c.ctx)
	if k.takes && cn.withdraw(k) {
		t := time.NewTimer(withdrawTime)
		defer t.Stop()
		select {
		case <-k.done:
			if k.lost == nil && k.resp.Code != wire.OK {
				return c.over(k, k.resp.Code == wire.OutcomeUnknown, cause)
			}
			return nil
		case <-t.C:
		}
	}
	if cn.abandon(k) {
		return c.over(k, true, cause)
	}
	<-k.done
	return nil
}

// enter hands k to a connection, waiting for one, and for room in it, as long as the call may.
func (c *Client) enter(k *call, now int64) (*conn, error) {
	for {
		if c.closed.Load() {
			return nil, ErrClosed
		}
		if err := c.ctx.Err(); err != nil {
			return nil, c.over(k, false, context.Cause(c.ctx))
		}
		cn, wait := c.pool.pick()
		if cn != nil {
			room, err := cn.send(k, now)
			if err == nil {
				return cn, nil
			}
			if room == nil && errors.Is(err, ErrTooLarge) {
				return nil, err
			}
			wait = room
		}
		if err := c.wait(k, wait); err != nil {
			return nil, err
		}
		now = wire.Clock()
	}
}

// wait returns when ch is closed, a moment later if it is nil, or with an error when the call's time is over.
func (c *Client) wait(k *call, ch <-chan struct{}) error {
	left := time.Duration(1<<63 - 1)
	if k.deadline != 0 {
		left = time.Duration(k.deadline - wire.Clock())
	}
	if ch == nil { // the connection has just ended: its keeper is about to take it away
		left = min(left, time.Millisecond)
	}
	t := time.NewTimer(left)
	defer t.Stop()
	select {
	case <-ch:
		return nil
	case <-t.C:
		if ch == nil && (k.deadline == 0 || wire.Clock() < k.deadline) {
			return nil
		}
		return &brokenError{cause: c.pool.lastFailure(), op: k.op, late: true}
	case <-c.ctx.Done():
		return c.over(k, false, context.Cause(c.ctx))
	case <-c.pool.ctx.Done():
		return ErrClosed
	}
}

// over returns the error of a call whose time is over or that was cancelled because of cause.
func (c *Client) over(k *call, sent bool, cause error) error {
	code := ErrCanceled
	switch {
	case sent && !k.read:
		code = ErrOutcomeUnknown
	case errors.Is(cause, context.DeadlineExceeded) || errors.Is(cause, errLate):
		code = ErrTimeout
	}
	return fmt.Errorf("flin: %v: %w: %w", k.op, code, cause)
}

// again reports whether a call that failed with err may be sent once more, after a pause that grows with try.
func (c *Client) again(k *call, err error, try int) bool {
	if try >= c.pool.opts.Retries {
		return false
	}
	var broken *brokenError
	var said *Error
	switch {
	case errors.As(err, &broken):
		if broken.unknown && !k.repeat || broken.late || c.closed.Load() {
			return false
		}
	case errors.As(err, &said):
		if said != err { //nolint:errorlint // over's error wraps one: the caller wants it back
			return false
		}
		switch said.Code {
		case wire.Unavailable, wire.NotLeader, wire.Busy:
		default:
			return false
		}
	default:
		return false
	}
	pause := minBackoff << min(try, 6)
	if k.deadline != 0 && wire.Clock()+int64(pause) >= k.deadline {
		return false
	}
	if broken != nil && try == 0 {
		return true // another connection may be up
	}
	t := time.NewTimer(pause)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-c.ctx.Done():
		return false
	case <-c.pool.ctx.Done():
		return false
	}
}

// brokenError says that a call got no answer because its connection broke, or that there was no connection.
type brokenError struct {
	cause   error
	op      wire.Op
	unknown bool // the server may have executed it
	read    bool
	late    bool // there was no connection until the call's deadline
}

func (e *brokenError) Error() string {
	if e.unknown {
		return fmt.Sprintf("flin: %v: the connection was lost before the answer came, it may or may not have been executed: %v", e.op, e.cause)
	}
	return fmt.Sprintf("flin: %v: not executed: %v", e.op, e.cause)
}

func (e *brokenError) Unwrap() []error {
	code := ErrUnavailable
	if e.unknown {
		code = ErrOutcomeUnknown
	}
	return []error{code, e.cause}
}
