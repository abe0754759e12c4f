package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/skshohagmiah/flin/benchmarks/driver"
	"github.com/skshohagmiah/flin/benchmarks/proc"
)

// busRows are the rows of engines behind a router: a router with the NATS server in it and kvd, a process each.
func busRows(l *lab) []*row {
	near, far := proc.Flin("Flin", l.flinServer), proc.Routed("Flin behind a router", l.flinServer, l.kvd)
	plain := proc.Beside(proc.CoreNATS("NATS", l.natsServer), l.natsMap, driver.NATSMapAnswers)
	ours := client{name: "our client", open: driver.Flin}
	requests := client{name: "nats.go's requests", open: driver.NATSMap}

	var rows []*row
	vs := func(name string, f, p *probe, fig string, g goal) {
		rows = append(rows, &row{name: "bus: " + name, flin: source{f, fig}, peer: source{p, fig}, goal: g})
	}
	asked := func(p *probe, nats bool) *probe {
		p.kvd, p.nats = true, nats
		return p
	}
	routed := map[string]*probe{}
	for _, k := range []kind{get, set} {
		routed[k.name] = asked(l.calls(far, ours, k, l.seconds), false)
		vs(k.name+" through router, bus and daemon against the all-in-one", routed[k.name], l.calls(near, ours, k, l.seconds), rate, goal{ratioAtLeast: .5})
	}
	for _, k := range []kind{get, set} {
		vs(k.name+" through router, bus and daemon against plain NATS request and reply", routed[k.name],
			asked(l.calls(plain, requests, k, l.seconds), true), rate, goal{ratioAtLeast: 1.5})
	}
	vs("what the hop adds to the median GET of one client against a bare NATS round trip, µs",
		asked(l.hop(far, ours), false), asked(l.roundTrip(plain, requests), true), hopTime, goal{ratioAtMost: 2})
	empty := l.idle(near)
	vs("all-in-one with its NATS server, empty: resident memory, MB, against nats-server", empty, asked(l.idle(plain), true), resident, goal{below: 150})
	vs("all-in-one with its NATS server, empty: start to first answer, s, against nats-server", empty, asked(l.idle(plain), true), startTime, goal{below: 1})
	return rows
}

// hopTime is a time of one call in microseconds.
const hopTime = "µs"

// hop measures how much longer a GET of one caller takes through the router than at the daemon itself.
func (l *lab) hop(r proc.Recipe, c client) *probe {
	return &probe{name: "one hop, " + c.name + " on " + r.Name, measure: func(ctx context.Context) (out map[string]figure, err error) {
		err = l.with(ctx, r, c.open, c.conns, valueSize, func(b *bench) error {
			if err := b.fill(ctx, existing); err != nil {
				return err
			}
			routed, err := b.run(ctx, 1, l.seconds, b.Get())
			if err != nil {
				return err
			}
			direct, err := c.open(b.Companions[0].Addr, c.conns)
			if err != nil {
				return fmt.Errorf("the daemon itself: %w", err)
			}
			router := b.KV
			b.KV = direct
			straight, err := b.run(ctx, 1, l.seconds, b.Get())
			b.KV = router
			err = errors.Join(err, direct.Close())
			out = map[string]figure{hopTime: {value: 1e3 * milliseconds(routed.p50-straight.p50), p50: routed.p50, p99: routed.p99, max: routed.max}}
			return err
		})
		return out, err
	}}
}

// roundTrip measures how long a GET of one caller takes.
func (l *lab) roundTrip(r proc.Recipe, c client) *probe {
	return &probe{name: "one caller, " + c.name + " on " + r.Name, measure: func(ctx context.Context) (out map[string]figure, err error) {
		err = l.with(ctx, r, c.open, c.conns, valueSize, func(b *bench) error {
			if err := b.fill(ctx, existing); err != nil {
				return err
			}
			f, err := b.run(ctx, 1, l.seconds, b.Get())
			out = map[string]figure{hopTime: {value: 1e3 * milliseconds(f.p50), p50: f.p50, p99: f.p99, max: f.max}}
			return err
		})
		return out, err
	}}
}
