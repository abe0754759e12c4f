package obs

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// maxEvents is how many events may wait for the sink; one more is lost.
const maxEvents = 1024

// eventTime is RFC 3339 with milliseconds, always as many.
const eventTime = "2006-01-02T15:04:05.000Z07:00"

// The kinds of events.
const (
	EventLeader   = "leader"              // a group has a new leader, or none
	EventSlow     = "slow-request"        // a request took longer than -slow-request
	EventRejected = "connection-rejected" // a client was not served, or not any longer
)

// Events tells whoever listens what happens to a node, one JSON object for each event. A nil Events does nothing.
type Events struct {
	node  string
	queue chan event // from Emit to Run; what does not fit is lost
	sink  atomic.Pointer[func(kind string, text []byte)]
	told  atomic.Uint64 // handed to the sink
	lost  atomic.Uint64
}

// event is one that has not been written yet.
type event struct {
	kind string
	at   time.Time
	v    any
}

// NewEvents returns the events of a node. Nobody hears them before To, nor before Run runs.
func NewEvents(node string) *Events { return &Events{node: node, queue: make(chan event, maxEvents)} }

// Emit tells that something of a kind has happened. v is nil or a struct, which becomes the fields of the event behind time,
// node and kind, and therefore has none of these names; it must not be changed afterwards. Emit may be called from anywhere
// and never blocks: where nobody listens it does nothing, and where too many events wait this one is lost and counted.
func (e *Events) Emit(kind string, v any) {
	if e == nil || e.sink.Load() == nil {
		return
	}
	select {
	case e.queue <- event{kind, time.Now(), v}:
	default:
		e.lost.Add(1)
	}
}

// To makes sink hear every event from now on, in the order in which they were emitted. It is called by Run's goroutine alone and
// owns text. A nil sink is nobody.
func (e *Events) To(sink func(kind string, text []byte)) {
	switch {
	case e == nil:
	case sink == nil:
		e.sink.Store(nil)
	default:
		e.sink.Store(&sink)
	}
}

// Run hands events to the sink until ctx ends, and then what still waits.
func (e *Events) Run(ctx context.Context) error {
	if e == nil {
		<-ctx.Done()
		return nil
	}
	for {
		select {
		case ev := <-e.queue:
			e.hand(ev)
		case <-ctx.Done():
			for range len(e.queue) { // nobody else takes from it
				e.hand(<-e.queue)
			}
			return nil
		}
	}
}

// hand writes an event and gives it to the sink, if there still is one.
func (e *Events) hand(ev event) {
	sink := e.sink.Load()
	if sink == nil {
		return
	}
	text, err := e.text(ev)
	if err != nil { // v is not what Emit demands
		e.lost.Add(1)
		return
	}
	(*sink)(ev.kind, text)
	e.told.Add(1)
}

// text returns the event as JSON.
func (e *Events) text(ev event) ([]byte, error) {
	text, err := json.Marshal(struct {
		Time string `json:"time"`
		Node string `json:"node"`
		Kind string `json:"kind"`
	}{ev.at.UTC().Format(eventTime), e.node, ev.kind})
	if err != nil || ev.v == nil {
		return text, err
	}
	own, err := json.Marshal(ev.v)
	if err != nil {
		return nil, fmt.Errorf("event %s: %w", ev.kind, err)
	}
	switch {
	case !bytes.HasPrefix(own, []byte{'{'}):
		return nil, fmt.Errorf("event %s: %T is written as %.20s, must be an object", ev.kind, ev.v, own)
	case len(own) == len("{}"):
		return text, nil
	}
	return append(append(text[:len(text)-1], ','), own[1:]...), nil
}

// Collectors returns the metrics of the events.
func (e *Events) Collectors() []prometheus.Collector {
	if e == nil {
		return nil
	}
	return []prometheus.Collector{
		Of("events").Counter("total", "Events that were told to whoever listens.", e.told.Load),
		Of("events").Counter("lost_total", "Events that were not told: too many came at once.", e.lost.Load),
	}
}
