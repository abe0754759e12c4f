package main

import (
	"slices"

	"github.com/skshohagmiah/flin/benchmarks/driver"
	"github.com/skshohagmiah/flin/benchmarks/proc"
)

// source is where a side of a row has its figure from.
type source struct {
	probe  *probe
	figure string
}

// goal is what a row must reach; the zero value asks for nothing, its row is there for comparison.
type goal struct {
	ratioAtLeast float64 // Flin's figure over its peer's
	ratioAtMost  float64
	below        float64 // Flin's figure itself
}

// row is a line of the table: a figure of Flin's beside one to compare it with.
type row struct {
	name      string
	flin      source
	peer      source
	goal      goal
	sustained bool
}

// needsNATS reports whether a side of the row is nats-server.
func (r *row) needsNATS() bool { return r.flin.probe.nats || r.peer.probe.nats }

// needsPostgres reports whether a side of the row is PostgreSQL.
func (r *row) needsPostgres() bool { return r.flin.probe.postgres || r.peer.probe.postgres }

// needsKVD reports whether a side of the row is a daemon, or what it is compared with.
func (r *row) needsKVD() bool { return r.flin.probe.kvd || r.peer.probe.kvd }

// plan returns all rows of the table. A probe that several rows name is measured once a round. Where only the names of
// the rows are wanted, the lab need not know its programs.
func plan(l *lab) []*row {
	return slices.Concat(kvRows(l), queueRows(l), streamRows(l), docRows(l), busRows(l))
}

// kvRows are the rows of the key-value store, and those about the server as a whole.
func kvRows(l *lab) []*row {
	flin := func(name string, flags ...string) proc.Recipe { return proc.Flin(name, l.flinServer, flags...) }
	redis := func(name, appendfsync string) proc.Recipe { return proc.Redis(name, l.redisServer, appendfsync) }
	durable, memory := flin("Flin"), flin("Flin -memory", "-memory")
	none, everysec, always := redis("Redis without persistence", "none"), redis("Redis everysec", "everysec"), redis("Redis always", "always")
	ours := client{name: "our client", open: driver.Flin}
	rueidis := client{name: "rueidis", open: driver.Rueidis}
	goRedis := client{name: "go-redis", open: driver.GoRedis}
	wide := client{name: "go-redis with 256 connections", open: driver.GoRedis, conns: callers}

	var rows []*row
	vs := func(name string, f, p *probe, fig string, g goal) {
		rows = append(rows, &row{name: name, flin: source{f, fig}, peer: source{p, fig}, goal: g})
	}
	own := func(k kind, on proc.Recipe) *probe { return l.calls(on, ours, k, l.seconds) }
	rue := func(k kind, on proc.Recipe) *probe { return l.calls(on, rueidis, k, l.seconds) }

	getOurs, getAlways := own(get, durable), rue(get, always)
	vs("GET, our client against rueidis on Redis without persistence", getOurs, rue(get, none), rate, goal{ratioAtLeast: 2})
	vs("GET, our client against rueidis on Redis always", getOurs, getAlways, rate, goal{ratioAtLeast: 2})
	vs("GET, rueidis on both, Redis always", rue(get, durable), getAlways, rate, goal{})

	setOurs, setAlways, setNone := own(set, durable), rue(set, always), rue(set, none)
	vs("SET, our client against rueidis on Redis always", setOurs, setAlways, rate, goal{ratioAtLeast: 2})
	vs("SET, our client against rueidis on Redis everysec", setOurs, rue(set, everysec), rate, goal{ratioAtLeast: 1})
	vs("SET, rueidis on both, Redis always", rue(set, durable), setAlways, rate, goal{})
	vs("SET, our client against rueidis on Redis without persistence", setOurs, setNone, rate, goal{})
	vs("SET with -memory, our client against rueidis on Redis without persistence", own(set, memory), setNone, rate, goal{ratioAtLeast: 1.5})
	vs("MSET of 16, our client against rueidis on Redis always", own(mset, durable), rue(mset, always), rate, goal{ratioAtLeast: 2.5})
	vs("MGET of 16, our client against rueidis on Redis always", own(mget, durable), rue(mget, always), rate, goal{})

	deepFlin, deepRedis := l.redisBench(durable, rueidis, 16), l.redisBench(always, rueidis, 16)
	vs("redis-benchmark -P 16 -c 50 GET, Redis always", deepFlin, deepRedis, "GET", goal{ratioAtLeast: 1})
	vs("redis-benchmark -P 16 -c 50 SET, Redis always", deepFlin, deepRedis, "SET", goal{ratioAtLeast: 0.8})
	flatFlin, flatRedis := l.redisBench(durable, rueidis, 1), l.redisBench(always, rueidis, 1)
	vs("redis-benchmark -c 50 GET, Redis always", flatFlin, flatRedis, "GET", goal{ratioAtLeast: 0.9})
	vs("redis-benchmark -c 50 SET, Redis always", flatFlin, flatRedis, "SET", goal{ratioAtLeast: 1})
	for _, c := range []struct {
		client
		get, set goal
	}{{goRedis, goal{ratioAtLeast: 1}, goal{ratioAtLeast: 2}}, {wide, goal{}, goal{}}} {
		vs("GET, "+c.name+" on both, Redis always", l.calls(durable, c.client, get, l.seconds), l.calls(always, c.client, get, l.seconds), rate, c.get)
		vs("SET, "+c.name+" on both, Redis always", l.calls(durable, c.client, set, l.seconds), l.calls(always, c.client, set, l.seconds), rate, c.set)
	}

	vs("SET sustained, our client against rueidis on Redis always",
		l.calls(durable, ours, set, l.long), l.calls(always, rueidis, set, l.long), rate, goal{ratioAtLeast: 1.7})
	rows[len(rows)-1].sustained = true

	emptyFlin, emptyRedis := l.idle(durable), l.idle(always)
	vs("Empty: resident memory, MB", emptyFlin, emptyRedis, resident, goal{below: 60})
	vs("Empty: start to first answer, s", emptyFlin, emptyRedis, startTime, goal{below: 0.5})
	fullFlin, fullRedis := l.million(durable, ours), l.million(always, rueidis)
	vs("1 million keys of 128 B: restart to first answer, s", fullFlin, fullRedis, restartTime, goal{below: 2})
	vs("1 million keys of 128 B: restart after kill -9 to first answer, s", fullFlin, fullRedis, killedTime, goal{below: 2})
	vs("1 million keys of 128 B: most resident memory while serving reads, MB", fullFlin, fullRedis, resident, goal{below: 400})
	vs("1 million keys of 128 B: GET, our client against rueidis on Redis always", fullFlin, fullRedis, rate, goal{})

	oneWorker := flin("Flin -workers=1", "-workers=1")
	for _, n := range []struct {
		callers int
		text    string
	}{{callers, "256 callers"}, {1, "one caller"}} {
		p := l.scanning(oneWorker, ours, n.callers)
		rows = append(rows, &row{
			name: "GET p99 of " + n.text + " with a scan of 1 million keys on the same connection, -workers=1, against idle, ms",
			flin: source{p, scanWait}, peer: source{p, idleWait}, goal: goal{ratioAtMost: 5},
		})
	}
	return rows
}

// reached says whether the goal is met by Flin's figure and its ratio to the other: yes, no, or nothing where nothing
// is asked.
func (g goal) reached(value, ratio float64) (text string) {
	ok := (g.ratioAtLeast == 0 || ratio >= g.ratioAtLeast) && (g.ratioAtMost == 0 || ratio <= g.ratioAtMost) && (g.below == 0 || value < g.below)
	switch {
	case g == goal{}:
		return ""
	case ok:
		return "yes"
	}
	return "**no**"
}

// String returns the goal as the table has it.
func (g goal) String() string {
	switch {
	case g.ratioAtLeast > 0:
		return "≥ " + short(g.ratioAtLeast) + "×"
	case g.ratioAtMost > 0:
		return "≤ " + short(g.ratioAtMost) + "×"
	case g.below > 0:
		return "< " + short(g.below)
	}
	return ""
}
