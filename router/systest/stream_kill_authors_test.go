package systest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"time"

	"github.com/skshohagmiah/flin/clients/go"
)

// The topic of the kill loop, and the group that reads it.
const (
	killTopic      = "kill"
	killGroup      = "readers"
	killPartitions = 6
	killKeys       = 40
)

// publisher publishes records of its own, one author's.
type publisher struct {
	*author
	rng    *rand.Rand
	annals *annals
	storm  *storm
}

func newPublisher(name string, n int, seed uint64, a *annals, st *storm) *publisher {
	return &publisher{author: a.newAuthor(name), rng: rand.New(rand.NewPCG(seed, 300+uint64(n))), annals: a, storm: st}
}

// next makes up what is published by one command, to a partition or with AnyPartition, and notes it.
func (p *publisher) next(most int) (partition int, drafts []draft) {
	n := 1
	if most > 1 && p.rng.IntN(4) == 0 {
		n = 2 + p.rng.IntN(most-1)
	}
	if partition = flin.AnyPartition; p.rng.IntN(2) == 0 {
		partition = p.rng.IntN(killPartitions)
	}
	drafts = p.annals.compose(p.author, n)
	for i := range drafts {
		// With a partition that is given, a key says nothing of where it lies: the audit knows a key by its place.
		if partition == flin.AnyPartition && p.rng.IntN(4) > 0 {
			drafts[i].key = "key" + strconv.Itoa(p.rng.IntN(killKeys))
		}
	}
	p.annals.send(p.author, partition, drafts)
	return partition, drafts
}

// rest waits while many records are under way.
func (p *publisher) rest(ctx context.Context) {
	for ctx.Err() == nil && p.annals.crowded() {
		time.Sleep(time.Millisecond) // a count gives no sign
	}
}

// natively publishes through the Go client, one call at a time.
func (p *publisher) natively(ctx context.Context, client *flin.Client) {
	for ctx.Err() == nil {
		p.rest(ctx)
		partition, drafts := p.next(8)
		var places []flin.Position
		var err error
		if len(drafts) == 1 {
			places = make([]flin.Position, 1)
			places[0], err = client.Stream.Publish(killTopic, partition, drafts[0].key, drafts[0].value)
		} else {
			list := make([]flin.Record, len(drafts))
			for i, d := range drafts {
				if list[i].Value = d.value; d.key != "" {
					list[i].Key = []byte(d.key)
				}
			}
			places, err = client.Stream.PublishBatch(killTopic, partition, list)
		}
		if err != nil && !expected(err) {
			p.storm.fail("%s: publish: %v", p.name, err)
		}
		o := fate(err)
		if err != nil && len(drafts) > 1 && partition == flin.AnyPartition {
			o = unknown // each partition stands for itself
		}
		for i, d := range drafts {
			var at *flin.Position
			if err == nil {
				at = &places[i]
			}
			p.annals.told(p.author, d.seq, o, at)
		}
	}
}

// onPipe publishes on RESP connections, dozens of commands in one write.
func (p *publisher) onPipe(ctx context.Context) {
	p.storm.onPipe(ctx, func(conn *pipe) error {
		p.rest(ctx)
		var sent []draft
		for range 1 + p.rng.IntN(32) {
			partition, drafts := p.next(1)
			args := []string{"S.PUBLISH", killTopic, string(drafts[0].value)}
			if partition != flin.AnyPartition {
				args = append(args, "PARTITION", strconv.Itoa(partition))
			}
			if drafts[0].key != "" {
				args = append(args, "KEY", drafts[0].key)
			}
			conn.send(args...)
			sent = append(sent, drafts[0])
		}
		if err := conn.flush(); err != nil {
			return err
		}
		for _, d := range sent {
			v, err := conn.read()
			if err != nil {
				return err
			}
			if e, refused := v.(replyError); refused {
				p.annals.told(p.author, d.seq, p.storm.refused(string(e)), nil)
				continue
			}
			at, ok := placeReply(v)
			if !ok {
				p.storm.fail("%s: S.PUBLISH answered %v", p.name, v)
				return nil
			}
			p.annals.told(p.author, d.seq, done, &at)
		}
		return nil
	})
}

// placeReply reads what S.PUBLISH answers: partition and offset.
func placeReply(v any) (flin.Position, bool) {
	list, _ := v.([]any)
	if len(list) != 2 {
		return flin.Position{}, false
	}
	partition, ok1 := list[0].(int64)
	offset, ok2 := list[1].(int64)
	return flin.Position{Partition: int(partition), Offset: offset}, ok1 && ok2
}

// produce publishes through a Producer, which must bring every record in, once, whatever happens to the server.
func (p *publisher) produce(ctx context.Context, client *flin.Client, opts ...flin.ProducerOption) {
	var producer *flin.Producer
	opened := again(ctx, func() (err error) {
		producer, err = client.Stream.Producer(killTopic, opts...)
		if err != nil && !expected(err) {
			p.storm.fail("%s: open: %v", p.name, err)
		}
		return err
	})
	if !opened {
		return
	}
	for ctx.Err() == nil {
		p.rest(ctx)
		for range 1 + p.rng.IntN(64) {
			partition, drafts := p.next(1)
			d := drafts[0]
			r := flin.Record{Value: d.value}
			if d.key != "" {
				r.Key = []byte(d.key)
			}
			err := producer.Send(partition, r, func(at flin.Position, err error) {
				if err != nil {
					p.storm.fail("%s: record %d was given up: %v", p.name, d.seq, err)
				}
				p.annals.told(p.author, d.seq, fate(err), &at)
			})
			if err != nil {
				p.storm.fail("%s: send: %v", p.name, err)
				p.annals.told(p.author, d.seq, notDone, nil)
				return
			}
		}
		if p.rng.IntN(8) == 0 {
			if err := producer.Flush(context.Background()); err != nil {
				p.storm.fail("%s: flush: %v", p.name, err)
			}
		}
	}
	if err := producer.Close(); err != nil {
		p.storm.fail("%s: close: %v", p.name, err)
	}
}

// createKillTopic makes the topic of the kill loop, which keeps everything.
func createKillTopic(client *flin.Client) error {
	if err := client.Stream.CreateTopic(killTopic, killPartitions, -1); err != nil {
		return fmt.Errorf("create %s: %w", killTopic, err)
	}
	return nil
}
