package main

import (
	"github.com/skshohagmiah/flin/benchmarks/driver"
	"github.com/skshohagmiah/flin/benchmarks/proc"
)

// queueRows are the rows of the queues.
func queueRows(l *lab) []*row {
	ours := queueSide{name: "our client on Flin", recipe: proc.Flin("Flin", l.flinServer), open: driver.FlinQueue}
	list := func(appendfsync string) queueSide {
		name := "Redis " + appendfsync
		return queueSide{name: "rueidis on " + name, recipe: proc.Redis(name, l.redisServer, appendfsync), open: driver.RueidisQueue}
	}
	always, everysec := list("always"), list("everysec")
	asItComes, synced := proc.NATS("JetStream as it comes", l.natsServer, false), proc.NATS("JetStream sync_interval always", l.natsServer, true)
	jet := func(r proc.Recipe, name string, open driver.OpenQueue) queueSide {
		side := queueSide{name: name + " on " + r.Name, recipe: r, open: open, nats: true}
		if r.Name == synced.Name {
			side.filler = &asItComes
		}
		return side
	}

	var rows []*row
	vs := func(name string, f, p *probe, fig string, g goal) {
		rows = append(rows, &row{name: "queue: " + name, flin: source{f, fig}, peer: source{p, fig}, goal: g})
	}

	pushOurs, popOurs, workOurs := l.queueCalls(ours, push), l.queueCalls(ours, pop), l.queueCalls(ours, work)
	vs("push, our client against rueidis LPUSH on Redis always", pushOurs, l.queueCalls(always, push), messageRate, goal{ratioAtLeast: 2})
	vs("push, our client against rueidis LPUSH on Redis everysec", pushOurs, l.queueCalls(everysec, push), messageRate, goal{ratioAtLeast: 1})
	vs("push, our client against nats.go on JetStream with sync_interval always", pushOurs, l.queueCalls(jet(synced, "nats.go", driver.JetStream(true)), push), messageRate, goal{ratioAtLeast: 20})
	vs("push, our client against nats.go on JetStream as it comes", pushOurs, l.queueCalls(jet(asItComes, "nats.go", driver.JetStream(true)), push), messageRate, goal{ratioAtLeast: 1.5})
	vs("push of 100, our client against rueidis LPUSH of 100 on Redis always", l.queueCalls(ours, pushBatch), l.queueCalls(always, pushBatch), messageRate, goal{})

	vs("pop, our client against rueidis RPOP on Redis always", popOurs, l.queueCalls(always, pop), messageRate, goal{ratioAtLeast: 1.5})
	vs("pop, our client against rueidis RPOP on Redis everysec", popOurs, l.queueCalls(everysec, pop), messageRate, goal{ratioAtLeast: 1})

	confirmed := func(r proc.Recipe) *probe {
		return l.queueCalls(jet(r, "nats.go, confirmed acks,", driver.JetStreamFeed(true)), work)
	}
	sent := func(r proc.Recipe) *probe {
		return l.queueCalls(jet(r, "nats.go, unconfirmed acks,", driver.JetStreamFeed(false)), work)
	}
	sentAsItComes, receive := sent(asItComes), ours
	receive.name, receive.open = "Receive of our client on Flin", driver.FlinFeed(callers)
	vs("lease + ack, our client against nats.go with confirmed acks on JetStream with sync_interval always", workOurs, confirmed(synced), messageRate, goal{ratioAtLeast: 20})
	vs("lease + ack, our client against nats.go with unconfirmed acks on JetStream with sync_interval always", workOurs, sent(synced), messageRate, goal{})
	vs("lease + ack, our client against nats.go with confirmed acks on JetStream as it comes", workOurs, confirmed(asItComes), messageRate, goal{ratioAtLeast: 1.5})
	vs("lease + ack, our client against nats.go with unconfirmed acks on JetStream as it comes", workOurs, sentAsItComes, messageRate, goal{})
	vs("lease + ack, our client's Receive against nats.go's Consume with unconfirmed acks on JetStream as it comes", l.queueCalls(receive, work), sentAsItComes, messageRate, goal{})
	vs("lease + ack of 100, our client against nats.go fetch of 100 and unconfirmed acks on JetStream as it comes",
		l.queueCalls(ours, workBatch), l.queueCalls(jet(asItComes, "nats.go fetch", driver.JetStream(false)), workBatch), messageRate, goal{ratioAtLeast: 1.5})

	vs("pop at 10 million messages of 128 B against pop at 1,000", l.queueLevel(ours, 10_000_000, "10 million"), l.queueLevel(ours, 1000, "1,000"), messageRate, goal{ratioAtLeast: 0.8})
	vs("pop after 1 million pops against pop from a fresh queue", l.queueWorn(ours), popOurs, messageRate, goal{ratioAtLeast: 0.9})
	vs("disk used after 10 GB have been pushed and popped, MB", l.queueDisk(ours), l.queueDisk(jet(asItComes, "nats.go", driver.JetStream(false))), onDisk, goal{below: 1000})
	rows[len(rows)-1].sustained = true // minutes
	return rows
}
