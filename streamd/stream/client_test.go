package stream

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

// ask asks for an operation and does not wait for the answer.
func (c *client) ask(tag uint64, op wire.Op, m payload) {
	body := m.Append(nil)
	c.w.Submit(wire.Request{Op: op, Tag: tag, Body: body}, c)
	clear(body) // it was on loan
}

// parked waits until so many calls are parked: a call that waits gives no sign.
func (w *world) parked(n int) {
	w.t.Helper()
	for end := time.Now().Add(30 * time.Second); w.calls.waiting.Load() != int64(n); {
		if time.Now().After(end) {
			w.t.Fatalf("%d calls wait, %d were to", w.calls.waiting.Load(), n)
		}
		time.Sleep(time.Millisecond)
	}
}

// long is how long calls wait that are not to end by themselves.
const long = wire.MaxFetchWait * time.Millisecond

// fetch asks for what is in partition 0 from an offset on and does not wait for the answer.
func (c *client) fetch(tag uint64, topic string, offset int64, wait time.Duration) {
	c.ask(tag, wire.OpStreamFetch, &wire.StreamFetch{Topic: []byte(topic), Offset: offset, Wait: uint64(wait.Milliseconds())})
}

// consume asks for a member's next records and does not wait for the answer.
func (c *client) consume(tag uint64, topic, group, consumer string, count int, wait time.Duration) {
	m := consumption(topic, group, consumer, count)
	m.Wait = uint64(wait.Milliseconds())
	c.ask(tag, wire.OpStreamConsume, m)
}

// quiet checks that nothing listens or waits any more.
func (w *world) quiet() {
	w.t.Helper()
	d := w.calls
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.all) != 0 || len(d.spots) != 0 || len(d.ends) != 0 || d.listeners.Load() != 0 || d.waiting.Load() != 0 {
		w.t.Errorf("%d calls, %d spots and %d ends are left; %d listen, %d are parked", len(d.all), len(d.spots), len(d.ends), d.listeners.Load(), d.waiting.Load())
	}
}
