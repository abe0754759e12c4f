package fsm

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/replica/machinetest"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// measured is a bench that keeps the time that the machine takes.
type measured struct {
	*bench
	*machinetest.Meter
}

func newMeasured(b *testing.B, partitions int) *measured {
	in := newBench(b, store.Options{Dir: b.TempDir()})
	w := &measured{in, machinetest.NewMeter(in.Bench)}
	w.Now = 1_000_000
	w.create("t", partitions, wire.TopicHasRetention|wire.TopicHasMaxBytes, wire.TopicSettings{Retention: -1, MaxBytes: 8 << 20})
	return w
}

// appends makes commands that append batches of one record, one for each partition.
func appends(partitions, size int, pid int64) [][]byte {
	list := make([][]byte, partitions)
	for i := range list {
		p := record.NoProducer
		if pid >= 0 {
			p = record.Producer{ID: pid}
		}
		m := wire.StreamAppend{Topic: []byte("t"), Partition: int32(i), Batch: batchOf(1_000_000, p, string(make([]byte, size)))}
		list[i] = m.Append(nil)
	}
	return list
}

// BenchmarkAppend measures commands of one batch each, 16 an entry; retention keeps the store small.
func BenchmarkAppend(b *testing.B) {
	const perEntry = 16
	for _, c := range []struct{ size, partitions int }{{1 << 10, 16}, {64 << 10, 16}, {1 << 10, 1024}} {
		b.Run(fmt.Sprintf("size=%dk/partitions=%d", c.size>>10, c.partitions), func(b *testing.B) {
			w := newMeasured(b, c.partitions)
			defer w.Close()
			list := appends(c.partitions, c.size, -1)
			w.Spent = 0
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				if n%perEntry != 0 {
					continue
				}
				at := n % c.partitions
				w.Now++
				w.Run(wire.OpStreamAppend, list[at:at+perEntry]...)
				if n%(perEntry*1024) == 0 {
					b.StopTimer()
					spent := w.Spent
					for w.m.Overdue(w.Now) {
						w.Run(wire.OpStreamRetain, wire.AppendLimit(nil, RetainLimit))
					}
					w.Spent = spent
					b.StartTimer()
				}
			}
			b.ReportMetric(float64(w.Spent)/float64(b.N), "apply-ns/op")
		})
	}
}

// BenchmarkFetch measures fetches of 1 MiB from the start of a partition on, from memory or from disk. The rate is of batches.
func BenchmarkFetch(b *testing.B) {
	for _, size := range []int{1 << 10, 64 << 10} {
		for _, where := range []string{"memory", "disk"} {
			b.Run(fmt.Sprintf("batch=%dk/from=%s", size>>10, where), func(b *testing.B) {
				w := newMeasured(b, 1)
				defer w.Close()
				list := appends(1, size, -1)
				const total = 4 << 20
				for range total / size {
					w.Run(wire.OpStreamAppend, list[0])
				}
				if where == "disk" {
					if err := <-w.Store.Rotate(); err != nil {
						b.Fatal(err)
					}
				}
				_, end, err := w.m.Span([]byte("t"), 0)
				if err != nil {
					b.Fatal(err)
				}
				buf := make([]byte, 0, 2<<20)
				b.SetBytes(total)
				b.ReportAllocs()
				for b.Loop() {
					for at := int64(0); at < end; {
						out, next, err := w.m.Fetch([]byte("t"), 0, at, end, 1<<20, buf)
						if err != nil || len(out) == 0 {
							b.Fatal(err, len(out))
						}
						at = next
					}
				}
			})
		}
	}
}

// BenchmarkCommit measures commits of one partition by the member that owns it.
func BenchmarkCommit(b *testing.B) {
	w := newMeasured(b, 16)
	defer w.Close()
	w.Run(wire.OpStreamSubscribe, (&wire.StreamSubscribe{Topic: []byte("t"), Group: []byte("g"), Consumer: []byte("c")}).Append(nil))
	body := (&wire.StreamCommit{Topic: []byte("t"), Group: []byte("g"), Consumer: []byte("c"), Offsets: make([]wire.StreamCommitted, 1)}).Append(nil)
	b.ReportAllocs()
	for b.Loop() {
		w.Run(wire.OpStreamCommit, body)
	}
}

func TestAppendingAndFetchingAllocateNothingOfTheirOwn(t *testing.T) {
	b := newBench(t, store.Options{Dir: t.TempDir()})
	defer b.Close()
	b.create("t", 1, 0, wire.TopicSettings{})
	cmd := replica.Command{Op: wire.OpStreamAppend, Body: appends(1, 100, -1)[0], Wanted: true}
	before := bytes.Clone(cmd.Body)
	var ans wire.Response
	const runs = 2000
	n := testing.AllocsPerRun(runs, func() {
		b.Index++
		b.Rev++
		cmd.Index, cmd.Revision, cmd.Time = b.Index, b.Rev, 1000
		if err := b.m.Apply(&cmd, &ans); err != nil || ans.Code != wire.OK {
			t.Fatal(err, ans)
		}
		b.Finish()
	})
	// The hook of the tests makes two; what the store and the descriptors take comes in pieces, of many batches each.
	if n > 3 {
		t.Errorf("appending a batch allocates %v times", n)
	}
	topic, buf := []byte("t"), make([]byte, 0, 64<<10)
	if n := testing.AllocsPerRun(100, func() {
		if out, _, err := b.m.Fetch(topic, 0, 0, 100, 1<<20, buf); err != nil || len(out) == 0 {
			t.Fatal(err)
		}
		b.m.Topic(topic)
		_, _, _ = b.m.Span(topic, 0)
	}); n > 0 {
		t.Errorf("a fetch allocates %v times", n)
	}
	if !bytes.Equal(cmd.Body, before) {
		t.Error("a fetch has written to the command that brought the batch")
	}
}
