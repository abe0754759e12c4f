package stream

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

// ask asks for an operation and does not wait for the answer.
func (c *client) ask(tag uint64, op wire.Op, m payload) {
	body := m.Append(nil)
	c.w.Submit(wire.Request{Op: op, Tag: tag, Body: body}, c)
	clear(body) // it was on loan
}

// parked waits until so many calls are parked: a call that waits gives no sign.
func (w *world) parked(n int) {
	w.T.Helper()
	for end := time.Now().Add(30 * time.Second); w.calls.waiting.Load() != int64(n); {
		if time.Now().After(end) {
			w.T.Fatalf("%d calls wait, %d were to", w.calls.waiting.Load(), n)
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
	w.T.Helper()
	d := w.calls
	d.mu.Lock()
	defer d.mu.Unlock()
	if len(d.all) != 0 || len(d.spots) != 0 || d.ends.Len() != 0 || d.listeners.Load() != 0 || d.waiting.Load() != 0 {
		w.T.Errorf("%d calls, %d spots and %d ends are left; %d listen, %d are parked", len(d.all), len(d.spots), d.ends.Len(), d.listeners.Load(), d.waiting.Load())
	}
}
