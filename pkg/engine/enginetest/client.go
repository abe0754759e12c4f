package enginetest

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Client is a Replier that keeps copies of its answers in the order in which they come.
type Client struct {
	Once bool // a request has one answer, and a second one is an error; set before the first request

	t       testing.TB
	mu      sync.Mutex
	changed *sync.Cond
	order   []uint64                   // the tags of all answers
	all     []wire.Response            // in the same order
	answers map[uint64][]wire.Response // by tag
	late    bool
}

// NewClient returns a client that has asked for nothing yet.
func NewClient(t testing.TB) *Client {
	c := &Client{t: t, answers: make(map[uint64][]wire.Response)}
	c.changed = sync.NewCond(&c.mu)
	return c
}

// Reply takes an answer.
func (c *Client) Reply(tag uint64, resp wire.Response) {
	resp.Body = slices.Clone(resp.Body)
	c.mu.Lock()
	if c.Once && len(c.answers[tag]) > 0 {
		c.t.Errorf("request %d was answered twice", tag)
	}
	c.answers[tag] = append(c.answers[tag], resp)
	c.order, c.all = append(c.order, tag), append(c.all, resp)
	c.mu.Unlock()
	c.changed.Broadcast()
}

// wait waits until ok, which is called with the lock held, says so, and gives the lock to the caller.
func (c *Client) wait(ok func() bool) {
	c.t.Helper()
	timer := time.AfterFunc(patience, func() {
		c.mu.Lock()
		c.late = true
		c.mu.Unlock()
		c.changed.Broadcast()
	})
	defer timer.Stop()
	c.mu.Lock()
	for !ok() {
		if c.late {
			defer c.mu.Unlock()
			c.t.Fatalf("what was to come has not come in %v; answered: %v", patience, c.order)
		}
		c.changed.Wait()
	}
}

// until waits until enough says so of the answers to tag, and returns them.
func (c *Client) until(tag uint64, enough func([]wire.Response) bool) []wire.Response {
	c.t.Helper()
	c.wait(func() bool { return enough(c.answers[tag]) })
	defer c.mu.Unlock()
	return slices.Clone(c.answers[tag])
}

// last waits for the last answer to tag and checks that there is only one such.
func (c *Client) last(tag uint64) wire.Response {
	c.t.Helper()
	all := c.until(tag, ended)
	for i := range all[:len(all)-1] {
		if !all[i].More {
			c.t.Fatalf("request %d was answered again after its last answer: %+v", tag, all)
		}
	}
	return all[len(all)-1]
}

func ended(all []wire.Response) bool {
	return slices.ContainsFunc(all, func(r wire.Response) bool { return !r.More })
}

// Answer waits for the answer to tag, the last if there are more by then.
func (c *Client) Answer(tag uint64) wire.Response {
	c.t.Helper()
	all := c.until(tag, func(all []wire.Response) bool { return len(all) > 0 })
	return all[len(all)-1]
}

// Answers returns all answers to all requests once there are n.
func (c *Client) Answers(n int) []wire.Response {
	c.t.Helper()
	c.wait(func() bool { return len(c.all) >= n })
	defer c.mu.Unlock()
	return slices.Clone(c.all)
}

// Answered returns the tags of all answers so far, in their order.
func (c *Client) Answered() []uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.order)
}

// ask submits a request and waits for its last answer.
func ask(t testing.TB, e engine.Engine, req wire.Request) wire.Response {
	t.Helper()
	c := NewClient(t)
	e.Submit(req, c)
	return c.last(req.Tag)
}
