package bus

import (
	"strconv"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/skshohagmiah/flin/pkg/obs"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// counts are what a Server or an Engine has done since it began.
type counts struct {
	links, broken     atomic.Uint64 // that were made, and that ended
	requests, answers atomic.Uint64 // requests that came, and those of them that were answered; at a Server with More as well
	retries           atomic.Uint64 // at an Engine: requests that were sent again
	sent, received    flow          // data messages
	refused           [len(refusals)]atomic.Uint64
}

// flow is one direction of all links.
type flow struct{ messages, bytes, pieces atomic.Uint64 }

func (f *flow) message(n int) {
	f.messages.Add(1)
	f.bytes.Add(uint64(n))
}

// refusals are the reasons for which a request is answered without having been given to anyone; the last is any other.
var refusals = [...]struct {
	code   wire.Code
	reason string
}{
	{wire.Busy, "busy"},
	{wire.Timeout, "late"},
	{wire.TooLarge, "too-large"},
	{wire.NotLeader, "not-leader"},
	{wire.Unsupported, "unsupported"},
	{wire.Unavailable, "unavailable"},
	{0, "other"},
}

func (c *counts) refuse(code wire.Code) {
	for i := range refusals {
		if refusals[i].code == code || refusals[i].code == 0 {
			c.refused[i].Add(1)
			return
		}
	}
}

// figures are a moment's.
type figures struct {
	*counts
	links    int   // that there are
	open     int   // requests that are unanswered
	waiting  int   // of them, those that stream or wait
	bytes    int64 // of them
	unsent   int64 // bytes that wait to be sent
	atLeader bool
}

// collectors returns the metrics of a Server or an Engine.
func collectors(prefix string, id wire.EngineID, group int, c *counts, take func() figures) []prometheus.Collector {
	labels := func(more ...string) prometheus.Labels {
		l := prometheus.Labels{"engine": id.String(), "group": strconv.Itoa(group)}
		for i := 0; i < len(more); i += 2 {
			l[more[i]] = more[i+1]
		}
		return l
	}
	count := func(v *atomic.Uint64) float64 { return float64(v.Load()) }
	m := obs.NewMoment(prefix, labels(), take)
	m.Gauge("links", "Links that there are.", func(f *figures) float64 { return float64(f.links) })
	m.Gauge("requests_open", "Requests that are unanswered.", func(f *figures) float64 { return float64(f.open) })
	m.Gauge("requests_waiting", "Unanswered requests that stream or wait.", func(f *figures) float64 { return float64(f.waiting) })
	m.Gauge("request_bytes", "Bytes of unanswered requests.", func(f *figures) float64 { return float64(f.bytes) })
	m.Gauge("unsent_bytes", "Bytes that wait to be sent.", func(f *figures) float64 { return float64(f.unsent) })
	m.Gauge("leader", "1 where the group is led here, or its leader is at hand.", func(f *figures) float64 {
		if f.atLeader {
			return 1
		}
		return 0
	})
	m.Counter("links_total", "Links that were made.", func(f *figures) float64 { return count(&f.counts.links) })
	m.Counter("links_ended_total", "Links that were given up or ended.", func(f *figures) float64 { return count(&f.broken) })
	m.Counter("requests_total", "Requests that came.", func(f *figures) float64 { return count(&f.requests) })
	m.Counter("answers_total", "Answers that were given.", func(f *figures) float64 { return count(&f.answers) })
	m.Counter("retries_total", "Requests that were sent again.", func(f *figures) float64 { return count(&f.retries) })
	all := []prometheus.Collector{m}
	for _, way := range []struct {
		name string
		of   *flow
	}{{"sent", &c.sent}, {"received", &c.received}} {
		m := obs.NewMoment(prefix, labels("direction", way.name), func() *flow { return way.of })
		m.Counter("messages_total", "Messages of links.", func(f **flow) float64 { return count(&(*f).messages) })
		m.Counter("bytes_total", "Bytes of messages of links.", func(f **flow) float64 { return count(&(*f).bytes) })
		m.Counter("pieces_total", "Parts of what is too long for a message.", func(f **flow) float64 { return count(&(*f).pieces) })
		all = append(all, m)
	}
	for i := range refusals {
		m := obs.NewMoment(prefix, labels("reason", refusals[i].reason), func() *atomic.Uint64 { return &c.refused[i] })
		m.Counter("refused_total", "Requests that were answered without having been given to anyone.", func(v **atomic.Uint64) float64 { return count(*v) })
		all = append(all, m)
	}
	return all
}

// Collectors returns what the server has to show to Prometheus. Names begin with flin_bus_server_, labels are engine and group.
func (s *Server) Collectors() []prometheus.Collector {
	return collectors("flin_bus_server_", s.cfg.Engine, s.cfg.Group, &s.counts, func() figures {
		f := figures{counts: &s.counts, bytes: s.bytes.Load(), atLeader: s.leads.Load()}
		for _, l := range s.all() {
			f.links++
			f.unsent += l.out.waiting()
			l.mu.Lock()
			f.open, f.waiting = f.open+len(l.open), f.waiting+l.waiting
			l.mu.Unlock()
		}
		return f
	})
}

// Collectors returns what the engine has to show to Prometheus. Names begin with flin_bus_engine_, labels are engine and group.
func (e *Engine) Collectors() []prometheus.Collector {
	return collectors("flin_bus_engine_", e.cfg.Engine, e.cfg.Group, &e.counts, func() figures {
		e.mu.Lock()
		defer e.mu.Unlock()
		f := figures{
			counts: &e.counts, links: len(e.links), open: len(e.calls), waiting: e.waiting, bytes: e.bytes, atLeader: e.lead.link != nil,
		}
		for _, l := range e.links {
			f.unsent += l.out.waiting()
		}
		return f
	})
}

// Collectors returns what the connection has to show to Prometheus. Names begin with flin_bus_.
func (c *Conn) Collectors() []prometheus.Collector {
	const of = obs.Of("bus")
	return []prometheus.Collector{
		of.Gauge("connected", "1 while there is a connection to NATS.", func() float64 {
			if c.Connected() {
				return 1
			}
			return 0
		}),
		of.Counter("reconnects_total", "Times that the connection to NATS was made again.", func() uint64 { return c.nc.Stats().Reconnects }),
	}
}
