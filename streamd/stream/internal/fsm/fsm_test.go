package fsm

import (
	"flag"
	"fmt"
	"testing"

	"go.uber.org/goleak"

	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/replica/machinetest"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestMain(m *testing.M) {
	flag.Parse()
	goleak.VerifyTestMain(m)
}

type (
	command = machinetest.Command
	entry   = machinetest.Entry
	limit   = machinetest.Limit
)

// bench is a machine over a store, with somebody who plays the log.
type bench struct {
	*machinetest.Bench
	m    *Machine
	told []string // by the hooks, of the last entry
}

func newBench(t testing.TB, o store.Options) *bench {
	t.Helper()
	b := &bench{}
	b.Bench = machinetest.NewBench(t, o, machinetest.Spec{
		Make: func(st *store.Store) (replica.Machine, error) {
			return NewMachine(st, Options{
				OnAppend: func(topic string, p int, end int64) { b.told = append(b.told, fmt.Sprintf("%s/%d=%d", topic, p, end)) },
				OnGroup:  func(group string) { b.told = append(b.told, "group "+group) },
				OnTopic:  func(topic string) { b.told = append(b.told, "topic "+topic) },
			})
		},
		Reads:   func(op wire.Op) bool { return KindOf(op) == Read },
		Summary: func(m replica.Machine) string { return summary(m.(*Machine)) },
		Forget:  func() { b.told = b.told[:0] },
		Shown:   100,
	})
	b.m = b.Machine.(*Machine)
	return b
}

// create makes a topic of n partitions.
func (b *bench) create(name string, n int, f wire.TopicFields, s wire.TopicSettings) {
	b.T.Helper()
	b.Must(wire.OpStreamCreate, &wire.TopicCreate{Topic: []byte(name), Partitions: uint64(n), Fields: f, Settings: s})
}

// put appends a batch of values.
func (b *bench) put(topic string, partition int32, values ...string) int64 {
	b.T.Helper()
	return b.Must(wire.OpStreamAppend, &wire.StreamAppend{Topic: []byte(topic), Partition: partition, Batch: batchOf(b.Now, record.NoProducer, values...)}).Num
}

// batchOf makes a batch whose records are a millisecond apart.
func batchOf(time int64, p record.Producer, values ...string) []byte {
	var rb record.Builder
	for i, v := range values {
		rb.Add(&record.Record{Timestamp: time + int64(i), Value: []byte(v)})
	}
	out, err := rb.AppendTo(nil, wire.CompressionNone, p)
	if err != nil {
		panic(err)
	}
	return out
}

// records reads a run of batches.
func (b *bench) records(run []byte) (list []record.Record) {
	b.T.Helper()
	r := record.Reader{Verify: true, Fresh: true}
	for len(run) > 0 {
		batch, rest, err := record.Next(run)
		if err == nil {
			err = r.Reset(batch)
		}
		for err == nil {
			var rec record.Record
			var ok bool
			if ok, err = r.Next(&rec); !ok {
				break
			}
			list = append(list, rec)
		}
		if err != nil {
			b.T.Fatal(err)
		}
		run = rest
	}
	return list
}

// fetch reads the records [from, to) that a fetch of whole batches hands out.
func (b *bench) fetch(topic string, partition int, from, to int64, maxBytes int) (list []record.Record, next int64, err error) {
	b.T.Helper()
	out, next, err := b.m.Fetch([]byte(topic), partition, from, to, maxBytes, []byte("before"))
	if string(out[:6]) != "before" {
		b.T.Fatal("a fetch has changed what the buffer held")
	}
	for _, rec := range b.records(out[6:]) {
		if rec.Offset >= from && rec.Offset < next {
			list = append(list, rec)
		}
	}
	return list, next, err
}
