package queue

import (
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/engine/enginetest"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// client asks an engine and keeps its answers, one for each request.
type client struct {
	*enginetest.Client
	w *world
}

func newClient(t testing.TB, w *world) *client {
	c := &client{Client: enginetest.NewClient(t), w: w}
	c.Once = true
	return c
}

// answer waits for the answer to tag.
func (c *client) answer(tag uint64) wire.Response { return c.Answer(tag) }

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
	w.T.Helper()
	for end := time.Now().Add(30 * time.Second); w.pops.parked.Load() != int64(n); {
		if time.Now().After(end) {
			w.T.Fatalf("%d pops wait, %d were to", w.pops.parked.Load(), n)
		}
		time.Sleep(time.Millisecond)
	}
}
