package fsm

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// measured is a bench that keeps the time that the machine takes, without that of the store's flushes.
type measured struct {
	*bench
	cmd   replica.Command
	ans   wire.Response
	spent time.Duration
}

// run executes commands as one entry. The last answer is in ans.
func (b *measured) run(op wire.Op, bodies ...[]byte) {
	b.index++
	start := time.Now()
	for _, body := range bodies {
		b.rev++
		b.cmd = replica.Command{Op: op, Body: body, Index: b.index, Revision: b.rev, Time: b.now, Wanted: true}
		b.ans = wire.Response{}
		if err := b.m.Apply(&b.cmd, &b.ans); err != nil {
			b.t.Fatal(err)
		}
		if b.ans.Code != wire.OK {
			b.t.Fatalf("%v: %v %s", op, b.ans.Code, b.ans.Body)
		}
	}
	b.spent += time.Since(start)
	b.finish()
}

func newMeasured(b *testing.B, partitions int) *measured {
	w := &measured{bench: newBench(b, store.Options{Dir: b.TempDir()})}
	w.now = 1_000_000
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
			defer w.close()
			list := appends(c.partitions, c.size, -1)
			w.spent = 0
			b.ReportAllocs()
			for n := 0; b.Loop(); n++ {
				if n%perEntry != 0 {
					continue
				}
				at := n % c.partitions
				w.now++
				w.run(wire.OpStreamAppend, list[at:at+perEntry]...)
				if n%(perEntry*1024) == 0 {
					b.StopTimer()
					spent := w.spent
					for w.m.Overdue(w.now) {
						w.run(wire.OpStreamRetain, wire.AppendLimit(nil, RetainLimit))
					}
					w.spent = spent
					b.StartTimer()
				}
			}
			b.ReportMetric(float64(w.spent)/float64(b.N), "apply-ns/op")
		})
	}
}

// BenchmarkFetch measures fetches of 1 MiB from the start of a partition on, from memory or from disk. The rate is of batches.
func BenchmarkFetch(b *testing.B) {
	for _, size := range []int{1 << 10, 64 << 10} {
		for _, where := range []string{"memory", "disk"} {
			b.Run(fmt.Sprintf("batch=%dk/from=%s", size>>10, where), func(b *testing.B) {
				w := newMeasured(b, 1)
				defer w.close()
				list := appends(1, size, -1)
				const total = 4 << 20
				for range total / size {
					w.run(wire.OpStreamAppend, list[0])
				}
				if where == "disk" {
					if err := <-w.st.Rotate(); err != nil {
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
	defer w.close()
	w.run(wire.OpStreamSubscribe, (&wire.StreamSubscribe{Topic: []byte("t"), Group: []byte("g"), Consumer: []byte("c")}).Append(nil))
	body := (&wire.StreamCommit{Topic: []byte("t"), Group: []byte("g"), Consumer: []byte("c"), Offsets: make([]wire.StreamCommitted, 1)}).Append(nil)
	b.ReportAllocs()
	for b.Loop() {
		w.run(wire.OpStreamCommit, body)
	}
}

func TestAppendingAndFetchingAllocateNothingOfTheirOwn(t *testing.T) {
	b := newBench(t, store.Options{Dir: t.TempDir()})
	defer b.close()
	b.create("t", 1, 0, wire.TopicSettings{})
	cmd := replica.Command{Op: wire.OpStreamAppend, Body: appends(1, 100, -1)[0], Wanted: true}
	before := bytes.Clone(cmd.Body)
	var ans wire.Response
	const runs = 2000
	n := testing.AllocsPerRun(runs, func() {
		b.index++
		b.rev++
		cmd.Index, cmd.Revision, cmd.Time = b.index, b.rev, 1000
		if err := b.m.Apply(&cmd, &ans); err != nil || ans.Code != wire.OK {
			t.Fatal(err, ans)
		}
		b.finish()
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
