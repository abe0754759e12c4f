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

// command is one command of a log.
type command struct {
	op   wire.Op
	body []byte
}

// payload is what a command's body is made of.
type payload interface{ Append(b []byte) []byte }

// limit is the payload of the engine's own commands.
type limit int

func (n limit) Append(b []byte) []byte { return wire.AppendLimit(b, int(n)) }

// bench is a machine over a store, with somebody who plays the log.
type bench struct {
	t     testing.TB
	st    *store.Store
	m     *Machine
	index uint64
	rev   uint64
	now   int64
	told  []string // by the hooks, of the last entry
}

func newBench(t testing.TB, o store.Options) *bench {
	t.Helper()
	st := machinetest.Open(t, o)
	b := &bench{t: t, st: st}
	var err error
	b.m, err = NewMachine(st, Options{
		OnAppend: func(topic string, p int, end int64) { b.told = append(b.told, fmt.Sprintf("%s/%d=%d", topic, p, end)) },
		OnGroup:  func(group string) { b.told = append(b.told, "group "+group) },
		OnTopic:  func(topic string) { b.told = append(b.told, "topic "+topic) },
	})
	if err != nil {
		t.Fatal(err)
	}
	b.begin()
	return b
}

func (b *bench) begin() {
	pos := b.st.Applied()
	b.index, b.rev, b.now = pos.Index, pos.Revision, pos.Time
}

func (b *bench) close() { machinetest.Close(b.t, b.st) }

// apply executes the commands as one entry, at time b.now.
func (b *bench) apply(cmds ...command) (list []wire.Response) {
	b.t.Helper()
	b.index++
	for _, cmd := range cmds {
		read := KindOf(cmd.op) == Read
		if !read {
			b.rev++
		}
		c := replica.Command{Op: cmd.op, Body: cmd.body, Index: b.index, Revision: b.rev, Time: b.now, Read: read, Wanted: true}
		list = append(list, machinetest.Execute(b.t, b.m, &c))
	}
	b.finish()
	return list
}

// finish ends an entry.
func (b *bench) finish() {
	b.told = b.told[:0]
	machinetest.Finish(b.st, b.m, store.Position{Index: b.index, Revision: b.rev, Time: b.now})
}

// one executes a command as an entry of its own.
func (b *bench) one(op wire.Op, m payload) wire.Response {
	b.t.Helper()
	return b.apply(command{op, m.Append(nil)})[0]
}

// must is one for a command that has to succeed.
func (b *bench) must(op wire.Op, m payload) wire.Response {
	b.t.Helper()
	ans := b.one(op, m)
	if err := ans.Err(); err != nil {
		b.t.Fatalf("%v: %v", op, err)
	}
	return ans
}

// create makes a topic of n partitions.
func (b *bench) create(name string, n int, f wire.TopicFields, s wire.TopicSettings) {
	b.t.Helper()
	b.must(wire.OpStreamCreate, &wire.TopicCreate{Topic: []byte(name), Partitions: uint64(n), Fields: f, Settings: s})
}

// put appends a batch of values.
func (b *bench) put(topic string, partition int32, values ...string) int64 {
	b.t.Helper()
	return b.must(wire.OpStreamAppend, &wire.StreamAppend{Topic: []byte(topic), Partition: partition, Batch: batchOf(b.now, record.NoProducer, values...)}).Num
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
	b.t.Helper()
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
			b.t.Fatal(err)
		}
		run = rest
	}
	return list
}

// fetch reads the records [from, to) that a fetch of whole batches hands out.
func (b *bench) fetch(topic string, partition int, from, to int64, maxBytes int) (list []record.Record, next int64, err error) {
	b.t.Helper()
	out, next, err := b.m.Fetch([]byte(topic), partition, from, to, maxBytes, []byte("before"))
	if string(out[:6]) != "before" {
		b.t.Fatal("a fetch has changed what the buffer held")
	}
	for _, rec := range b.records(out[6:]) {
		if rec.Offset >= from && rec.Offset < next {
			list = append(list, rec)
		}
	}
	return list, next, err
}

// dump lists all that is in the store.
func (b *bench) dump() string { return machinetest.Dump(b.t, b.st, 100) }

// hash is a number for all that is in the store.
func (b *bench) hash() uint64 { return machinetest.Hash(b.t, b.st) }

// check compares what memory has with what a restart would have.
func (b *bench) check() {
	b.t.Helper()
	again, err := NewMachine(b.st, Options{})
	if err != nil {
		b.t.Fatal(err)
	}
	if got, want := summary(b.m), summary(again); got != want {
		b.t.Fatalf("entry %d at %d: memory has\n%s\na restart would have\n%s", b.index, b.now, machinetest.Without(got, want), machinetest.Without(want, got))
	}
}
