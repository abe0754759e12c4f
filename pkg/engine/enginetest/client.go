package enginetest

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// client is a Replier that keeps copies of its answers.
type client struct {
	mu      sync.Mutex
	changed *sync.Cond
	answers map[uint64][]wire.Response
	timeout bool
}

func newClient() *client {
	c := &client{answers: make(map[uint64][]wire.Response)}
	c.changed = sync.NewCond(&c.mu)
	return c
}

// Reply takes an answer.
func (c *client) Reply(tag uint64, resp wire.Response) {
	resp.Body = slices.Clone(resp.Body)
	c.mu.Lock()
	c.answers[tag] = append(c.answers[tag], resp)
	c.mu.Unlock()
	c.changed.Broadcast()
}

// until waits until enough says so of the answers to tag, and returns them.
func (c *client) until(t *testing.T, tag uint64, enough func([]wire.Response) bool) []wire.Response {
	t.Helper()
	timer := time.AfterFunc(patience, func() {
		c.mu.Lock()
		c.timeout = true
		c.mu.Unlock()
		c.changed.Broadcast()
	})
	defer timer.Stop()
	c.mu.Lock()
	defer c.mu.Unlock()
	for !enough(c.answers[tag]) {
		if c.timeout {
			t.Fatalf("request %d has not been answered in %v; so far: %+v", tag, patience, c.answers[tag])
		}
		c.changed.Wait()
	}
	return slices.Clone(c.answers[tag])
}

// last waits for the last answer to tag and checks that there is only one such.
func (c *client) last(t *testing.T, tag uint64) wire.Response {
	t.Helper()
	all := c.until(t, tag, ended)
	for i := range all[:len(all)-1] {
		if !all[i].More {
			t.Fatalf("request %d was answered again after its last answer: %+v", tag, all)
		}
	}
	return all[len(all)-1]
}

func ended(all []wire.Response) bool {
	return slices.ContainsFunc(all, func(r wire.Response) bool { return !r.More })
}

// ask submits a request and waits for its last answer.
func ask(t *testing.T, e engine.Engine, req wire.Request) wire.Response {
	t.Helper()
	c := newClient()
	e.Submit(req, c)
	return c.last(t, req.Tag)
}
