package systest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	flin "github.com/skshohagmiah/flin/clients/go"
)

// TestEveryStreamCallOfTheClient makes each call once against a real server.
func TestEveryStreamCallOfTheClient(t *testing.T) {
	s := start(t)
	st := newClient(t, s.addrs()).Stream
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	same := func(got, want any) {
		t.Helper()
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%v, want %v", got, want)
		}
	}
	_, err := st.Topic("events")
	same(errors.Is(err, flin.ErrNotFound), true)
	must(st.CreateTopic("events", 2, 3_600_000, flin.MaxBytes(1<<30), flin.MaxMessage(1000), flin.Compression(flin.Zstd)))
	must(st.CreateTopic("events", 2, 3_600_000))
	same(errors.Is(st.CreateTopic("events", 3, 0), flin.ErrExists), true)
	same(errors.Is(st.CreateTopic("events", 0, 0), flin.ErrInvalid), true)
	must(st.AlterTopic("events", flin.Partitions(4), flin.Retention(time.Hour)))
	info, err := st.Topic("events")
	must(err)
	same(fmt.Sprint(info.Name, info.Retention, info.MaxBytes, info.MaxMessage, info.Compression, len(info.Partitions)), fmt.Sprint("events", time.Hour, 1<<30, 1000, flin.Zstd, 4))
	var names []string
	_, err = st.Publish("made", flin.AnyPartition, "", []byte("by a publish"))
	must(err)
	for one, err := range st.Topics("") {
		must(err)
		names = append(names, one.Name)
	}
	same(names, "[events made]")

	at := time.UnixMilli(1_700_000_000_000)
	place, err := st.Publish("events", 1, "user", []byte("full"), flin.Timestamp(at), flin.RecordHeaders(flin.Header{Name: "h", Value: []byte("1")}, flin.Header{Name: "h", Value: []byte("2")}))
	must(err)
	same(place, flin.Position{Partition: 1})
	place, err = st.Publish("events", 1, "", nil, flin.Key(nil))
	must(err)
	same(place, flin.Position{Partition: 1, Offset: 1})
	_, err = st.Publish("events", 1, "", []byte("gone"), flin.NullValue())
	must(err)
	places, err := st.PublishBatch("events", 1, []flin.Record{{Value: []byte("a")}, {Key: []byte("k")}})
	must(err)
	same(places, "[{1 3} {1 4}]")
	_, err = st.Publish("events", 4, "", nil)
	same(errors.Is(err, flin.ErrOutOfRange), true)
	_, err = st.Publish("events", 0, "", make([]byte, 1001))
	same(errors.Is(err, flin.ErrTooLarge), true)

	records, err := st.Fetch("events", 1, 0)
	must(err)
	same(len(records), 5)
	one := records[0]
	same(fmt.Sprint(one.Topic, one.Partition, one.Offset, one.Timestamp.Equal(at), string(one.Key), string(one.Value), len(one.Headers), one.Headers[1].Name, string(one.Headers[1].Value)),
		fmt.Sprint("events", 1, 0, true, "user", "full", 2, "h", "2"))
	same(fmt.Sprint(records[1].Key != nil, records[1].Value != nil, records[2].Key == nil, records[2].Value == nil, records[4].Value == nil), "true true true true true")
	records, err = st.Fetch("events", 1, flin.Earliest, flin.MaxRecords(2), flin.MaxBytes(1<<20))
	must(err)
	same(len(records), 2)
	records, err = st.Fetch("events", 1, 0, flin.FromTime(at.Add(time.Millisecond)))
	must(err)
	same(records[0].Offset, 1)
	records, err = st.Fetch("events", 1, flin.Latest, flin.Wait(time.Millisecond), flin.MinBytes(1))
	must(err)
	same(len(records), 0)
	_, err = st.Fetch("events", 1, 6)
	same(errors.Is(err, flin.ErrOutOfRange), true)
	offsets, err := st.Offsets("events", flin.AnyPartition, flin.Latest)
	must(err)
	same(len(offsets), 4)
	same(offsets[1].Offset, 5)
	offsets, err = st.Offsets("events", 1, 0, flin.FromTime(at))
	must(err)
	same(fmt.Sprint(offsets[0].Offset, offsets[0].Timestamp.Equal(at)), "0 true")

	must(st.Subscribe("events", "g", "c"))
	a, err := st.Assignment("events", "g", "c")
	must(err)
	same(a.Partitions, "[0 1 2 3]")
	got, err := st.Consume("events", "g", "c", 3)
	must(err)
	same(len(got), 3)
	must(st.Commit("events", "g", 1, got[1].Offset+1, flin.Metadata("here")))
	lag, err := st.Lag("events", "g")
	must(err)
	same(lag, 3)
	group, err := st.Group("g")
	must(err)
	same([]any{group.Name, group.Range, group.Members[0].Name, group.Members[0].Session, group.Members[0].Poll}, "[g false c 10s 5m0s]")
	i := slices.IndexFunc(group.Partitions, func(p flin.GroupPartition) bool { return p.Partition == 1 })
	p := group.Partitions[i]
	same([]any{p.Topic, p.Owner, p.Committed, p.Metadata, p.Start, p.End, p.Lag}, "[events c 2 here 0 5 3]")
	to, err := st.Seek("events", "g", "c", 1, flin.Earliest)
	must(err)
	same(to, 0)
	got, err = st.Consume("events", "g", "c", 100, flin.Wait(time.Second), flin.MaxBytes(1<<20))
	must(err)
	same(len(got), 5)
	moved, err := st.Reset("events", "g", 1, flin.Latest)
	must(err)
	if len(moved) != 1 {
		t.Fatalf("reset: %v", moved)
	}
	same(moved[0].Offset, 5)
	same(errors.Is(st.Commit("events", "g", 1, 3), flin.ErrFenced), true)
	must(st.Commit("events", "g", 1, 3, flin.As("", 0)))
	same(errors.Is(st.DeleteGroup("g"), flin.ErrConflict), true)
	must(st.Unsubscribe("events", "g", "c"))
	must(st.Unsubscribe("", "g", "c"))
	_, err = st.Consume("events", "g", "c", 1)
	same(errors.Is(err, flin.ErrFenced), true)
	var groups []string
	for one, err := range st.Groups("events", "") {
		must(err)
		groups = append(groups, fmt.Sprintf("%s %d %d %d", one.Name, one.Members, one.Topics, one.Lag))
	}
	same(groups, "[g 0 1 2]")
	must(st.DeleteGroup("g"))
	_, err = st.Group("g")
	same(errors.Is(err, flin.ErrNotFound), true)
	must(st.DeleteTopic("events"))
	same(errors.Is(st.DeleteTopic("events"), flin.ErrNotFound), true)
}

func TestAConsumerThatWaitsGetsWhatIsPublished(t *testing.T) {
	s := start(t)
	st := newClient(t, s.addrs()).Stream
	if err := st.CreateTopic("events", 4, 0); err != nil {
		t.Fatal(err)
	}
	if err := st.Subscribe("events", "g", "c", flin.FromLatest()); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			if _, err := st.Publish("events", flin.AnyPartition, fmt.Sprint(i), []byte("v")); err != nil {
				t.Error(err)
			}
		})
	}
	for n := 0; n < 20; {
		got, err := st.Consume("events", "g", "c", 100, flin.Wait(20*time.Second))
		if err != nil || len(got) == 0 {
			t.Fatal(len(got), err)
		}
		n += len(got)
	}
	all.Wait()
}

// A producer's records are stored once each and in the order in which they were sent, in every codec, although the server is killed
// and started again meanwhile.
func TestAProducersRecordsAreStoredOnceAndInOrderOverAKill(t *testing.T) {
	s := start(t)
	st := newClient(t, s.addrs()).Stream
	const partitions, each = 3, 4000
	for _, codec := range []flin.Codec{flin.NoCompression, flin.Snappy, flin.Zstd} {
		topic := fmt.Sprintf("t%d", codec)
		if err := st.CreateTopic(topic, partitions, 0); err != nil {
			t.Fatal(err)
		}
		p, err := st.Producer(topic, flin.Compression(codec), flin.MaxBatch(4<<10))
		if err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		next := map[int]int64{}
		for i := range partitions * each {
			if i == partitions*each/2 {
				s.kill()
				s.launch()
			}
			err := p.Send(i%partitions, flin.Record{Key: fmt.Append(nil, i%partitions), Value: fmt.Append(nil, i/partitions)}, func(at flin.Position, err error) {
				mu.Lock()
				defer mu.Unlock()
				if err != nil || at.Offset != next[at.Partition] {
					t.Errorf("%v: %v, want offset %d", at, err, next[at.Partition])
				}
				next[at.Partition]++
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := p.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		for partition := range partitions {
			for at := int64(0); at < each; {
				records, err := st.Fetch(topic, partition, at)
				if err != nil || len(records) == 0 {
					t.Fatalf("%s/%d at %d: %v", topic, partition, at, err)
				}
				for _, r := range records {
					if r.Offset != at || string(r.Value) != fmt.Sprint(at) {
						t.Fatalf("%s/%d at %d: offset %d is %q", topic, partition, at, r.Offset, r.Value)
					}
					at++
				}
			}
			if more, err := st.Fetch(topic, partition, each); err != nil || len(more) != 0 {
				t.Errorf("%s/%d has %d more: %v", topic, partition, len(more), err)
			}
		}
	}
}

// Three readers share a topic; one leaves while records come. Each record is read at least once, and what was committed is not
// read again.
func TestReadersShareATopicAndTakeOverFromOneThatLeaves(t *testing.T) {
	s := start(t)
	const records = 3000
	producer := newClient(t, s.addrs()).Stream
	if err := producer.CreateTopic("events", 6, 0); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var mu sync.Mutex
	seen := map[string]int{}
	all := make(chan struct{})
	var readers sync.WaitGroup
	read := func(st *flin.Stream, most int) {
		r, err := st.Reader("events", "g", flin.CommitEvery(10*time.Millisecond))
		if err != nil {
			t.Error(err)
			return
		}
		stop, done := context.WithCancel(ctx)
		defer done()
		context.AfterFunc(stop, done)
		go func() {
			select {
			case <-all:
				done()
			case <-stop.Done():
			}
		}()
		for range most {
			one, err := r.Read(stop)
			if err != nil {
				break
			}
			mu.Lock()
			seen[string(one.Value)]++
			if len(seen) == records {
				select {
				case <-all:
				default:
					close(all)
				}
			}
			mu.Unlock()
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	}
	for i := range 3 {
		st := newClient(t, s.addrs()).Stream
		most := 1 << 30
		if i == 0 {
			most = 200
		}
		readers.Go(func() { read(st, most) })
	}
	p, err := producer.Producer("events")
	if err != nil {
		t.Fatal(err)
	}
	for i := range records {
		if err := p.Send(flin.AnyPartition, flin.Record{Key: fmt.Append(nil, i%50), Value: fmt.Append(nil, i)}, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	readers.Wait()
	if len(seen) != records {
		t.Errorf("%d of %d records were read", len(seen), records)
	}
	lag, err := producer.Lag("events", "g")
	if err != nil || lag > 2 { // what each of the two has handed out last counts only when it comes back
		t.Errorf("the lag is %d, %v", lag, err)
	}
}
