package main

import (
	"fmt"

	"github.com/skshohagmiah/flin/benchmarks/driver"
	"github.com/skshohagmiah/flin/benchmarks/proc"
)

// streamRows are the rows of the streams.
func streamRows(l *lab) []*row {
	flin := proc.Flin("Flin", l.flinServer)
	ours := func(partitions int, commit bool) streamSide {
		name := fmt.Sprintf("our client on Flin, %d partitions", partitions)
		if !commit {
			name += ", no commits"
		}
		return streamSide{name: name, recipe: flin, open: driver.FlinStream(partitions, commit)}
	}
	redis := func(appendfsync string, noack bool) streamSide {
		r := proc.Redis("Redis "+appendfsync, l.redisServer, appendfsync)
		name := "rueidis on " + r.Name
		if noack {
			name += ", NOACK"
		}
		return streamSide{name: name, recipe: r, open: driver.RueidisStream(noack)}
	}
	asItComes, synced := proc.NATS("JetStream as it comes", l.natsServer, false), proc.NATS("JetStream sync_interval always", l.natsServer, true)
	jet := func(r proc.Recipe, streams int, acks driver.Acks) streamSide {
		name := fmt.Sprintf("nats.go on %s, %v", r.Name, acks)
		if streams > 1 {
			name += fmt.Sprintf(", %d streams", streams)
		}
		return streamSide{name: name, recipe: r, open: driver.JetStreamStream(streams, acks), nats: true}
	}

	var rows []*row
	vs := func(name string, f, p *probe, g goal) {
		rows = append(rows, &row{name: "stream: " + name, flin: source{f, recordRate}, peer: source{p, recordRate}, goal: g})
	}

	publish := l.streamCalls(ours(fewPartitions, true), false)
	jetPublish := func(r proc.Recipe, streams int) *probe { return l.streamCalls(jet(r, streams, driver.AckEach), false) }
	vs("publish, our client against nats.go on JetStream with sync_interval always", publish, jetPublish(synced, 1), goal{ratioAtLeast: 20})
	vs("publish, our client against nats.go on JetStream with sync_interval always, 4 streams", publish, jetPublish(synced, 4), goal{})
	vs("publish, our client against nats.go on JetStream as it comes", publish, jetPublish(asItComes, 1), goal{ratioAtLeast: 1.5})
	vs("publish, our client against rueidis XADD on Redis always", publish, l.streamCalls(redis("always", false), false), goal{ratioAtLeast: 2})
	vs("publish, our client against rueidis XADD on Redis everysec", publish, l.streamCalls(redis("everysec", false), false), goal{})
	vs("asynchronous publish, our client's Producer against nats.go's PublishAsync on JetStream as it comes, 4 streams",
		l.streamSend(ours(fewPartitions, true)), l.streamSend(jet(asItComes, 4, driver.AckEach)), goal{ratioAtLeast: 1.5})

	consume, free := l.streamConsume(ours(members, true)), l.streamConsume(ours(members, false))
	fetch := func(streams int, acks driver.Acks) *probe { return l.streamConsume(jet(asItComes, streams, acks)) }
	const by = "consume in batches of 256 by 8, "
	vs(by+"our client with a commit a batch against nats.go fetch with an ack a batch on JetStream as it comes, 8 streams",
		consume, fetch(members, driver.AckLast), goal{})
	vs(by+"our client with a commit a batch against nats.go fetch with an ack each on JetStream as it comes", consume, fetch(1, driver.AckEach), goal{ratioAtLeast: 4})
	vs(by+"our client with a commit a batch against rueidis XREADGROUP and XACK on Redis everysec", consume, l.streamConsume(redis("everysec", false)), goal{ratioAtLeast: 2})
	vs(by+"our client without commits against nats.go fetch without acks on JetStream as it comes, 8 streams", free, fetch(members, driver.AckNone), goal{})
	vs(by+"our client without commits against rueidis XREADGROUP NOACK on Redis everysec", free, l.streamConsume(redis("everysec", true)), goal{})

	vs("publish with keys to 1,000 partitions against 4", l.streamCalls(ours(manyPartitions, true), true), l.streamCalls(ours(fewPartitions, true), true), goal{ratioAtLeast: .5})

	cold := l.streamCold(ours(fewPartitions, true))
	for _, r := range []*row{
		{name: "read of 10 GB from the start, not in memory, beside publishing, against a plain sequential read, MB/s", flin: source{cold, readRate}, peer: source{l.plainRead(), readRate}, goal: goal{ratioAtLeast: .5}},
		{name: "publish p99 beside a read of 10 GB that is not in memory against without it, ms", flin: source{cold, busyPublish}, peer: source{cold, calmPublish}, goal: goal{ratioAtMost: 2}},
	} {
		r.name, r.sustained = "stream: "+r.name, true // minutes
		rows = append(rows, r)
	}
	return rows
}
