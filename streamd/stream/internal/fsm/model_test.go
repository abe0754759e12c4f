package fsm

import (
	"fmt"
	"slices"
	"testing"

	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// modelBatch is a batch as it was appended.
type modelBatch struct {
	base    int64
	size    int
	newest  int64
	records []record.Record // with their offsets
}

// modelPartition is a partition, simply.
type modelPartition struct {
	start, end int64
	batches    []modelBatch
	last       map[int64][]sequences // of each producer, newest first
	epochs     map[int64]int16
}

func (p *modelPartition) bytes() (n int64) {
	for i := range p.batches {
		n += int64(p.batches[i].size)
	}
	return n
}

// mayGo says whether the first batch may be removed.
func (p *modelPartition) mayGo(s *wire.TopicSettings, now int64) bool {
	if len(p.batches) == 0 {
		return false
	}
	first := &p.batches[0]
	return s.Retention >= 0 && first.newest+s.Retention <= now ||
		s.MaxBytes >= 0 && len(p.batches) > 1 && p.bytes()-int64(first.size) >= s.MaxBytes
}

// modelTopic is a topic, simply.
type modelTopic struct {
	set   wire.TopicSettings
	parts []*modelPartition
}

// model follows what the machine is told about topics, and says what must come of it.
type model struct {
	b      *bench
	topics map[string]*modelTopic
}

// append says what a batch is answered: its offset, or a code.
func (w *model) append(m *wire.StreamAppend) (base int64, code wire.Code) {
	t := w.topics[string(m.Topic)]
	if t == nil {
		return 0, wire.NotFound
	}
	if int(m.Partition) >= len(t.parts) {
		return 0, wire.OutOfRange
	}
	p, batch := t.parts[m.Partition], record.Batch(m.Batch)
	n, from := batch.Count(), batch.Producer()
	if from.ID >= 0 {
		known := p.last[from.ID]
		now := sequences{first: from.Sequence, last: from.Sequence + int32(n) - 1, base: p.end}
		switch {
		case len(known) == 0:
		case from.Epoch < p.epochs[from.ID]:
			return 0, wire.Fenced
		case from.Epoch > p.epochs[from.ID] && from.Sequence != 0:
			return 0, wire.Conflict
		case from.Epoch > p.epochs[from.ID]:
			known = nil
		default:
			for _, s := range known {
				if s.first == now.first && s.last == now.last {
					return s.base, wire.OK
				}
			}
			if now.first < known[0].last+1 {
				return 0, wire.Exists
			}
			if now.first > known[0].last+1 {
				return 0, wire.Conflict
			}
		}
		known = append([]sequences{now}, known...)
		p.last[from.ID], p.epochs[from.ID] = known[:min(len(known), remembered)], from.Epoch
	}
	x := modelBatch{base: p.end, size: len(m.Batch), newest: batch.MaxTimestamp(), records: w.b.records(m.Batch)}
	for i := range x.records {
		x.records[i].Offset = p.end + int64(i)
	}
	p.batches = append(p.batches, x)
	p.end += int64(n)
	return x.base, wire.OK
}

// create says whether a topic was made or altered.
func (w *model) create(op wire.Op, m *wire.TopicCreate) {
	t := w.topics[string(m.Topic)]
	n := int(m.Partitions)
	switch {
	case op == wire.OpStreamCreate && t == nil:
		t = &modelTopic{set: defaults()}
		w.topics[string(m.Topic)] = t
		n = max(n, 1)
	case op == wire.OpStreamCreate || t == nil || n != 0 && n < len(t.parts):
		return
	}
	apply(&t.set, m)
	for len(t.parts) < n {
		t.parts = append(t.parts, &modelPartition{last: map[int64][]sequences{}, epochs: map[int64]int16{}})
	}
}

// follow takes a command and judges its answer.
func (w *model) follow(c command, ans *wire.Response) {
	switch c.Op {
	case wire.OpStreamAppend:
		var m wire.StreamAppend
		_ = m.Decode(c.Body)
		if base, code := w.append(&m); code != ans.Code || code == wire.OK && base != ans.Num {
			w.b.T.Fatalf("a batch for %s/%d (%+v) was answered %v %d %s, not %v %d", m.Topic, m.Partition, record.Batch(m.Batch).Producer(), ans.Code, ans.Num, ans.Body, code, base)
		}
	case wire.OpStreamCreate, wire.OpStreamAlter:
		var m wire.TopicCreate
		_ = m.Decode(c.Body)
		w.create(c.Op, &m)
	case wire.OpStreamDelete:
		delete(w.topics, string(c.Body))
	case wire.OpStreamRetain:
		w.retain(int(ans.Num))
	}
}

// retain lets the machine choose which partitions come first, but not what goes.
func (w *model) retain(n int) {
	for name, t := range w.topics {
		for i, p := range t.parts {
			start, _, err := w.b.m.Span([]byte(name), i)
			if err != nil {
				w.b.T.Fatal(err)
			}
			for p.start < start {
				if !p.mayGo(&t.set, w.b.Now) {
					w.b.T.Fatalf("retention took the batch at %d of %s/%d, which may not go", p.start, name, i)
				}
				n--
				p.batches = p.batches[1:]
				p.start = p.end
				if len(p.batches) > 0 {
					p.start = p.batches[0].base
				}
			}
		}
	}
	if n != 0 {
		w.b.T.Fatalf("retention says that it has removed %d batches more than are gone", n)
	}
}

// check compares partitions as readers see them.
func (w *model) check() {
	due := false
	for name, t := range w.topics {
		snap, ok := w.b.m.Topic([]byte(name))
		if !ok || snap.Partitions != len(t.parts) || snap.Settings != t.set {
			w.b.T.Fatalf("topic %s is %+v (%v), not %+v with %d partitions", name, snap, ok, t.set, len(t.parts))
		}
		for i, p := range t.parts {
			due = due || p.mayGo(&t.set, w.b.Now)
			w.checkPartition(name, i, p)
		}
	}
	if n := w.b.m.Totals().Topics; int(n) != len(w.topics) {
		w.b.T.Fatalf("there are %d topics, not %d", n, len(w.topics))
	}
	if got := w.b.m.RetainDue() <= w.b.Now; got != due {
		w.b.T.Fatalf("retention is due: %v, not %v", got, due)
	}
}

func (w *model) checkPartition(name string, i int, p *modelPartition) {
	t, m := w.b.T, w.b.m
	start, end, err := m.Span([]byte(name), i)
	if err != nil || start != p.start || end != p.end {
		t.Fatalf("%s/%d goes from %d to %d (%v), not from %d to %d", name, i, start, end, err, p.start, p.end)
	}
	var all []record.Record
	for _, b := range p.batches {
		all = append(all, b.records...)
	}
	for _, from := range []int64{start, (start + end) / 2, end} {
		bytes, err := m.Available([]byte(name), i, from)
		if want := p.from(from); err != nil || bytes != want {
			t.Fatalf("%s/%d has %d bytes from %d on (%v), not %d", name, i, bytes, from, err, want)
		}
		at, to := from, min(end, from+7)
		var got []record.Record
		for at < to {
			list, next, err := w.b.fetch(name, i, at, to, 200)
			if err != nil || next <= at {
				t.Fatalf("a fetch of %s/%d from %d on came to %d: %v", name, i, at, next, err)
			}
			got, at = append(got, list...), next
		}
		if want := all[from-start : to-start]; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("%s/%d from %d to %d has\n%v\nnot\n%v", name, i, from, to, got, want)
		}
	}
	for _, ms := range []int64{0, w.b.Now - 1500, w.b.Now} {
		want := end
		if k := slices.IndexFunc(all, func(r record.Record) bool { return r.Timestamp >= ms }); k >= 0 {
			want = all[k].Offset
		}
		if at, _, err := m.OffsetAt([]byte(name), i, ms); err != nil || at != want {
			t.Fatalf("the first record of %s/%d not older than %d is at %d (%v), not at %d", name, i, ms, at, err, want)
		}
	}
}

// from is the bytes of the batches from the one that holds an offset.
func (p *modelPartition) from(offset int64) (n int64) {
	for i := range p.batches {
		if b := &p.batches[i]; b.base+int64(len(b.records)) > offset {
			n += int64(b.size)
		}
	}
	return n
}

func TestPartitionsHoldWhatASimpleModelHolds(t *testing.T) {
	for seed := range uint64(4) {
		b := newBench(t, store.Options{Dir: t.TempDir()})
		w := &model{b: b, topics: map[string]*modelTopic{}}
		p := newPlayer(500 + seed)
		b.Now = 1_000_000
		for i := range 600 {
			b.Now += int64(p.r.IntN(300))
			p.now = b.Now
			c := p.command()
			if c.Op == wire.OpStreamExpire {
				continue // the model forgets no producers
			}
			ans := b.Apply(c)[0]
			p.learn(c, b.Rev, &ans)
			w.follow(c, &ans)
			if i%15 == 0 {
				w.check()
			}
			if i%150 == 149 {
				<-b.Store.Rotate()
			}
		}
		w.check()
		b.Close()
	}
}
