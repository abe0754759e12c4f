package fsm

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/skshohagmiah/flin/pkg/replica/machinetest"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestReadersBesideTheLogSeeWholeBatchesWhileOthersComeAndGo(t *testing.T) {
	for _, o := range []store.Options{{Memory: true}, {Dir: t.TempDir()}} {
		b := newBench(t, o)
		b.Now = 1_000_000
		b.create("t", 1, wire.TopicHasMaxBytes, wire.TopicSettings{MaxBytes: 4000})
		b.put("t", 0, "0")
		done := make(chan struct{})
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				r := &bench{Bench: &machinetest.Bench{T: t}, m: b.m}
				for at := int64(0); ; {
					select {
					case <-done:
						return
					default:
					}
					start, end, err := b.m.Span([]byte("t"), 0)
					if err != nil || end < at {
						t.Errorf("the partition ends at %d after %d: %v", end, at, err)
						return
					}
					at = max(at, start)
					list, next, err := r.fetch("t", 0, at, end, 2000)
					switch {
					case errors.Is(err, &wire.Error{Code: wire.OutOfRange}):
						continue // retention was faster
					case err != nil:
						t.Error(err)
						return
					}
					if int64(len(list)) != next-at {
						t.Errorf("a fetch from %d to %d brought %d records", at, next, len(list))
						return
					}
					for i, rec := range list {
						if rec.Offset != at+int64(i) || !strings.HasPrefix(string(rec.Value), "0") {
							t.Errorf("record %d of a fetch from %d is %d %q", i, at, rec.Offset, rec.Value)
							return
						}
					}
					at = next
					if _, _, err := b.m.OffsetAt([]byte("t"), 0, 1_000_500); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		for i := range 3000 {
			b.Now++
			b.put("t", 0, "0a", "0b", "0c")
			if i%3 == 0 {
				b.Must(wire.OpStreamRetain, limit(RetainLimit))
			}
			if i%500 == 0 && o.Dir != "" {
				if err := <-b.Store.Rotate(); err != nil {
					t.Error(err)
				}
			}
		}
		close(done)
		wg.Wait()
		b.Close()
	}
}

func TestAFetchThatRetentionHasOvertakenSaysWhereThePartitionBeginsNow(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	b.create("t", 1, 0, wire.TopicSettings{})
	b.put("t", 0, "a", "b")
	b.put("t", 0, "c")
	// What a reader has planned to read goes before it reads.
	var list pieces
	tid, n, err := b.m.plan([]byte("t"), 0, 0, 3, 1<<20, 0, &list)
	if err != nil || n != 2 {
		t.Fatal(n, err)
	}
	b.Must(wire.OpStreamAlter, &wire.TopicCreate{Topic: []byte("t"), Fields: wire.TopicHasMaxBytes})
	b.Must(wire.OpStreamRetain, limit(RetainLimit))
	if _, done, err := b.m.readPieces(nil, tid, 0, list[:n]); done != 0 || err != nil {
		t.Fatalf("%d batches were read: %v", done, err)
	}
	err = b.m.gone([]byte("t"), 0, tid, list[0].base)
	if !errors.Is(err, &wire.Error{Code: wire.OutOfRange}) || !strings.Contains(err.Error(), "from 2 to 3") {
		t.Errorf("the reader is told: %v", err)
	}
	b.Must(wire.OpStreamDelete, &wire.TopicName{Topic: []byte("t")})
	b.create("t", 1, 0, wire.TopicSettings{})
	if err := b.m.gone([]byte("t"), 0, tid, 2); !errors.Is(err, &wire.Error{Code: wire.NotFound}) {
		t.Errorf("a reader of a topic that was deleted and made again is told: %v", err)
	}
}

func TestABatchThatTheStoreHasLostIsAFaultAndNotAnAnswer(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	b.create("t", 1, 0, wire.TopicSettings{})
	b.put("t", 0, "a")
	x := b.Store.Begin()
	x.Delete(appendBatchKey(nil, b.m.topics["t"].snap.ID, 0, 0))
	x.Commit()
	if _, _, err := b.m.Fetch([]byte("t"), 0, 0, 1, 100, nil); !errors.Is(err, errDamaged) {
		t.Errorf("a fetch is told: %v", err)
	}
	if _, _, err := b.m.OffsetAt([]byte("t"), 0, 0); !errors.Is(err, errDamaged) {
		t.Errorf("a search is told: %v", err)
	}
}

func TestAFetchDoesNotGoOnInAnotherTopicOfTheSameName(t *testing.T) {
	b := newBench(t, store.Options{Memory: true})
	defer b.Close()
	b.create("t", 1, 0, wire.TopicSettings{})
	b.put("t", 0, "a")
	var list pieces
	begun, _, err := b.m.plan([]byte("t"), 0, 0, 2, 1<<20, 0, &list)
	if err != nil {
		t.Fatal(err)
	}
	b.put("t", 0, "b")
	if tid, n, err := b.m.plan([]byte("t"), 0, 1, 2, 1<<20, begun, &list); tid != begun || n != 1 || err != nil {
		t.Errorf("it goes on with %d batches of %d: %v", n, tid, err)
	}
	b.Must(wire.OpStreamDelete, &wire.TopicName{Topic: []byte("t")})
	b.create("t", 1, 0, wire.TopicSettings{})
	b.put("t", 0, "c")
	b.put("t", 0, "d")
	if _, n, err := b.m.plan([]byte("t"), 0, 1, 2, 1<<20, begun, &list); n != 0 || !errors.Is(err, &wire.Error{Code: wire.NotFound}) {
		t.Errorf("it goes on with %d batches: %v", n, err)
	}
}
