package queue

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// client is a Replier that keeps copies of its answers in the order in which they come.
type client struct {
	t     testing.TB
	w     *world
	mu    sync.Mutex
	more  *sync.Cond
	byTag map[uint64]wire.Response
	order []uint64
	late  bool
}

func newClient(t testing.TB, w *world) *client {
	c := &client{t: t, w: w, byTag: make(map[uint64]wire.Response)}
	c.more = sync.NewCond(&c.mu)
	return c
}

// Reply keeps a copy of the answer.
func (c *client) Reply(tag uint64, resp wire.Response) {
	resp.Body = slices.Clone(resp.Body)
	c.mu.Lock()
	if _, twice := c.byTag[tag]; twice {
		c.t.Errorf("request %d was answered twice", tag)
	}
	c.byTag[tag] = resp
	c.order = append(c.order, tag)
	c.mu.Unlock()
	c.more.Broadcast()
}

// until waits until ok says so; it is called with the lock held.
func (c *client) until(what string, ok func() bool) {
	c.t.Helper()
	timer := time.AfterFunc(30*time.Second, func() {
		c.mu.Lock()
		c.late = true
		c.mu.Unlock()
		c.more.Broadcast()
	})
	defer timer.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for !ok() {
		if c.late {
			c.t.Fatalf("%s: not after 30 s; answered: %v", what, c.order)
		}
		c.more.Wait()
	}
}

// answer waits for the answer to tag.
func (c *client) answer(tag uint64) (resp wire.Response) {
	c.t.Helper()
	c.until("an answer", func() bool { resp, _ = c.byTag[tag]; _, ok := c.byTag[tag]; return ok })
	return resp
}

// answered returns the tags of all answers so far, in their order.
func (c *client) answered() []uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.order)
}

// pop asks for count messages and does not wait for the answer.
func (c *client) pop(tag uint64, queue string, count int, wait time.Duration) {
	c.ask(tag, wire.OpQueuePop, &wire.QueuePop{Queue: []byte(queue), Count: uint64(count), Wait: uint64(wait.Milliseconds())})
}

func (c *client) ask(tag uint64, op wire.Op, m payload) {
	body := m.Append(nil)
	c.w.Submit(wire.Request{Op: op, Tag: tag, Body: body}, c)
	clear(body) // it was on loan
}

// parked waits until so many pops stand in lines: a pop that waits gives no sign.
func (w *world) parked(n int) {
	w.t.Helper()
	for end := time.Now().Add(30 * time.Second); w.pops.parked.Load() != int64(n); {
		if time.Now().After(end) {
			w.t.Fatalf("%d pops wait, %d were to", w.pops.parked.Load(), n)
		}
		time.Sleep(time.Millisecond)
	}
}
