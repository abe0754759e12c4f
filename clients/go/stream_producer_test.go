package flin

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// outcomes collects what the callbacks of a producer say.
type outcomes struct {
	t    testing.TB
	mu   sync.Mutex
	at   map[string]Position
	errs map[string]error
}

func newOutcomes(t testing.TB) *outcomes {
	return &outcomes{t: t, at: map[string]Position{}, errs: map[string]error{}}
}

// of returns the callback of the record with a value.
func (o *outcomes) of(value string) func(Position, error) {
	return func(at Position, err error) {
		o.mu.Lock()
		defer o.mu.Unlock()
		if _, twice := o.at[value]; twice {
			o.t.Errorf("%s is told of twice", value)
		}
		o.at[value], o.errs[value] = at, err
	}
}

func producer(t *testing.T, s *fakeTopic, opts ...ProducerOption) *Producer {
	t.Helper()
	p, err := connect(t, s.f.addr()).Stream.Producer("events", opts...)
	must(t, err)
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// Connections end at random, before and behind what a batch does, and the server refuses at random: each record is stored once,
// in order, and its callback says where.
func TestAProducerStoresEachRecordOnceAndInOrder(t *testing.T) {
	for _, codec := range []Codec{NoCompression, Snappy} {
		s := newFakeTopic(t, 3)
		o := newOutcomes(t)
		dice := rand.New(rand.NewPCG(1, uint64(codec)))
		refusals := []wire.Code{wire.Unavailable, wire.NotLeader, wire.Busy, wire.Full, wire.OutcomeUnknown}
		s.hook = func(c *fakeConn, req *wire.Request) bool {
			if req.Op != wire.OpStreamAppend {
				return false
			}
			switch dice.IntN(12) {
			case 0:
				_ = c.nc.Close()
				return true
			case 1:
				c.answer(req.Tag, wire.Failf(refusals[dice.IntN(len(refusals))], "not now"))
				return true
			}
			return false
		}
		s.after = func(c *fakeConn, req *wire.Request, _ int64) bool {
			switch dice.IntN(12) {
			case 0:
				_ = c.nc.Close()
				return true
			case 1:
				c.answer(req.Tag, wire.Failf(wire.OutcomeUnknown, "who knows"))
				return true
			}
			return false
		}
		p := producer(t, s, Compression(codec), MaxBatch(1<<10))
		const each = 400
		for i := range 3 * each {
			v := fmt.Sprintf("%d/%04d", i%3, i/3)
			must(t, p.Send(i%3, Record{Value: []byte(v)}, o.of(v)))
			if i%100 == 0 {
				time.Sleep(time.Millisecond) // so that there are many batches
			}
		}
		must(t, p.Flush(t.Context()))
		for partition := range 3 {
			values := s.values(partition)
			if len(values) != each || !slices.IsSorted(values) {
				t.Fatalf("codec %d, partition %d has %d values: %v", codec, partition, len(values), values)
			}
			for i, v := range values {
				if o.at[v] != (Position{partition, int64(i)}) || o.errs[v] != nil {
					t.Errorf("%s: %v %v, want offset %d", v, o.at[v], o.errs[v], i)
				}
			}
		}
	}
}

func TestWhatIsSentWhileABatchIsOnItsWayTravelsTogether(t *testing.T) {
	s := newFakeTopic(t, 1)
	var held []func()
	arrived := make(chan int, 100)
	s.after = func(c *fakeConn, req *wire.Request, num int64) bool {
		held = append(held, func() { c.answer(req.Tag, wire.Response{Num: num}) })
		arrived <- s.parts[0].batches[len(s.parts[0].batches)-1].Count()
		return true
	}
	p := producer(t, s)
	must(t, p.Send(0, Record{Value: []byte("first")}, nil))
	if n := <-arrived; n != 1 {
		t.Errorf("%d records at first", n)
	}
	for range 50 {
		must(t, p.Send(0, Record{}, nil))
	}
	s.mu.Lock()
	held[0]()
	s.mu.Unlock()
	if n := <-arrived; n != 50 {
		t.Errorf("then %d", n)
	}
	s.mu.Lock()
	held[1]()
	s.mu.Unlock()
	must(t, p.Close())
}

// Before a batch of a partition was stored one is on its way at a time, then four.
func TestNoMoreBatchesAreOnTheirWayThanTheServerRemembers(t *testing.T) {
	s := newFakeTopic(t, 1)
	var held []func()
	arrived := make(chan struct{}, 100)
	s.after = func(c *fakeConn, req *wire.Request, num int64) bool {
		held = append(held, func() { c.answer(req.Tag, wire.Response{Num: num}) })
		arrived <- struct{}{}
		return true
	}
	p := producer(t, s, MaxBatch(1<<10))
	for range 20 {
		must(t, p.Send(0, Record{Value: make([]byte, 900)}, nil))
	}
	flying := func() int {
		p.mu.Lock()
		defer p.mu.Unlock()
		return p.flying
	}
	<-arrived
	if n := flying(); n != 1 {
		t.Errorf("%d are on their way at first", n)
	}
	s.mu.Lock()
	held[0]()
	s.mu.Unlock()
	for range 4 {
		<-arrived
	}
	if n := flying(); n != 4 {
		t.Errorf("then %d", n)
	}
	s.mu.Lock()
	s.after = nil
	for _, answer := range held[1:] {
		answer()
	}
	s.mu.Unlock()
	must(t, p.Close())
	if n := len(s.values(0)); n != 20 {
		t.Errorf("%d records", n)
	}
}

func TestSendWaitsWhileTooMuchIsPending(t *testing.T) {
	s := newFakeTopic(t, 1)
	release := make(chan struct{})
	var held []func()
	s.after = func(c *fakeConn, req *wire.Request, num int64) bool {
		held = append(held, func() { c.answer(req.Tag, wire.Response{Num: num}) })
		return true
	}
	client := connect(t, s.f.addr())
	ctx, cancel := context.WithCancel(t.Context())
	p, err := client.With(ctx).Stream.Producer("events", MaxPending(1<<10), Linger(time.Hour))
	must(t, err)
	must(t, p.Send(0, Record{Value: make([]byte, 2<<10)}, nil)) // alone it may be more
	sent := make(chan error)
	go func() { sent <- p.Send(0, Record{Value: []byte("second")}, nil) }()
	for answered := false; !answered; {
		s.mu.Lock()
		if answered = len(held) > 0; answered {
			held[0]()
			s.after = nil
		}
		s.mu.Unlock()
		time.Sleep(time.Millisecond) // nothing tells of it
	}
	must(t, <-sent)
	close(release)
	s.mu.Lock()
	s.after = func(*fakeConn, *wire.Request, int64) bool { return true } // never answered
	s.mu.Unlock()
	must(t, p.Send(0, Record{Value: make([]byte, 900)}, nil))
	go func() { sent <- p.Send(0, Record{Value: make([]byte, 900)}, nil) }()
	cancel()
	if err := <-sent; !errors.Is(err, context.Canceled) {
		t.Errorf("a send whose context ends: %v", err)
	}
	if err := p.Close(); !errors.Is(err, ErrOutcomeUnknown) && !errors.Is(err, context.Canceled) {
		t.Errorf("what was given up: %v", err)
	}
	if err := p.Send(0, Record{}, nil); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed producer: %v", err)
	}
}

func TestWhereRecordsGo(t *testing.T) {
	s := newFakeTopic(t, 5)
	p := producer(t, s)
	o := newOutcomes(t)
	for i := range 100 {
		key := fmt.Sprintf("key%d", i)
		must(t, p.Send(AnyPartition, Record{Key: []byte(key)}, o.of(key)))
	}
	must(t, p.Flush(t.Context()))
	for key, at := range o.at {
		if want := record.Partition([]byte(key), 5); at.Partition != want {
			t.Errorf("%s is in %d, want %d", key, at.Partition, want)
		}
	}
	seen := map[int]bool{}
	for range 200 {
		must(t, p.Send(AnyPartition, Record{}, func(at Position, _ error) { seen[at.Partition] = true }))
		must(t, p.Flush(t.Context()))
	}
	if len(seen) != 5 {
		t.Errorf("records without a key went to %v alone", seen)
	}
	for partition, want := range map[int]*Error{5: ErrOutOfRange, -2: ErrOutOfRange} {
		if err := p.Send(partition, Record{}, nil); !errors.Is(err, want) {
			t.Errorf("partition %d: %v", partition, err)
		}
	}
	if err := p.Send(0, Record{Value: make([]byte, 1<<20+1)}, nil); !errors.Is(err, ErrTooLarge) {
		t.Errorf("a large one: %v", err)
	}
	if err := p.Send(0, Record{Headers: []Header{{Name: "h", Value: make([]byte, wire.MaxHeaderBytes)}}}, nil); !errors.Is(err, ErrTooLarge) {
		t.Errorf("long headers: %v", err)
	}
	if err := p.Send(0, Record{Headers: make([]Header, wire.MaxHeaders+1)}, nil); !errors.Is(err, ErrInvalid) {
		t.Errorf("many headers: %v", err)
	}
}

// BenchmarkProducer sends records of 1 KiB to a server that answers at once and stores nothing.
func BenchmarkProducer(b *testing.B) {
	for _, partitions := range []int{1, 4, 1000} {
		b.Run(fmt.Sprintf("size=1k/partitions=%d", partitions), func(b *testing.B) {
			s := newFakeTopic(b, partitions)
			ends := make([]int64, partitions)
			s.hook = func(c *fakeConn, req *wire.Request) bool {
				if req.Op != wire.OpStreamAppend {
					return false
				}
				var m wire.StreamAppend
				s.check(m.Decode(req.Body))
				base := ends[m.Partition]
				ends[m.Partition] += int64(record.Batch(m.Batch).Count())
				c.answer(req.Tag, wire.Response{Num: base})
				return true
			}
			p, err := connect(b, s.f.addr()).Stream.Producer("events")
			must(b, err)
			r := Record{Value: make([]byte, 1<<10)}
			b.SetBytes(1 << 10)
			b.ReportAllocs()
			n := 0
			done := func(Position, error) {}
			for b.Loop() {
				n++
				must(b, p.Send(n%partitions, r, done))
			}
			must(b, p.Close())
			b.ReportMetric(float64(n)/float64(s.f.count(wire.OpStreamAppend)), "records/batch")
		})
	}
}
