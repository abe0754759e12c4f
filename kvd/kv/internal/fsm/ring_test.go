package fsm

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func addTo(r *Ring, rev uint64, size int) {
	r.Add(&wire.KVEvent{Kind: wire.EventSet, Rev: rev, Key: fmt.Append(nil, rev), Value: bytes.Repeat([]byte{byte(rev)}, size)})
}

// follow reads from a place to the end and checks that revisions go on without a gap.
func follow(t *testing.T, r *Ring, at int64, next uint64) (int64, uint64, bool) {
	t.Helper()
	for {
		s, ok := r.Read(at)
		if !ok {
			return at, next, false
		}
		rd := wire.NewReader(s.Events)
		for rd.Len() > 0 {
			e := wire.TakeKVEvent(&rd)
			if e.Rev != next || string(e.Key) != fmt.Sprint(next) || bytes.Count(e.Value, []byte{byte(next)}) != len(e.Value) {
				t.Fatalf("event of revision %d with key %q where %d was to come", e.Rev, e.Key, next)
			}
			next++
		}
		at += int64(len(s.Events))
		r.Release(s)
		if s.Last {
			return at, next, true
		}
	}
}

func TestTheRingForgetsTheOldestAndSaysSo(t *testing.T) {
	r := NewRing(4*segmentSize, nil)
	for rev := uint64(1); rev <= 3000; rev++ {
		addTo(r, rev, 1000)
		r.Publish(rev)
	}
	size, from := r.Stats()
	if size > 4*segmentSize || from < 1000 || from > 3000 {
		t.Fatalf("the ring has %d bytes from revision %d on", size, from)
	}
	if _, _, ok := r.Seek(from - 1); ok {
		t.Error("a revision that has gone was found")
	}
	at, _, ok := r.Seek(from)
	if !ok {
		t.Fatal("the oldest revision was not found")
	}
	if _, next, ok := follow(t, r, at, from); !ok || next != 3001 {
		t.Fatalf("read up to %d, %v", next, ok)
	}
	if _, before, ok := r.Seek(0); !ok || before != 3000 {
		t.Errorf("from now on is after %d, %v", before, ok)
	}
	if _, ok := r.Read(0); ok {
		t.Error("a place that has gone could be read")
	}
}

func TestWhatIsNotPublishedIsNotRead(t *testing.T) {
	r := NewRing(1<<20, nil)
	addTo(r, 1, 10)
	addTo(r, 2, 300<<10) // larger than a segment
	if s, ok := r.Read(0); !ok || len(s.Events) != 0 {
		t.Fatalf("read %d bytes before they were published", len(s.Events))
	}
	r.Publish(2)
	if _, next, ok := follow(t, r, 0, 1); !ok || next != 3 {
		t.Fatalf("read up to %d, %v", next, ok)
	}
}

func TestAResetRingHasNoPlaceOfBefore(t *testing.T) {
	r := NewRing(1<<20, nil)
	addTo(r, 1, 10)
	r.Publish(1)
	at, _, _ := follow(t, r, 0, 1)
	r.Reset(50)
	if _, ok := r.Read(at); ok {
		t.Error("a place from before the reset could be read")
	}
	if _, _, ok := r.Seek(50); ok {
		t.Error("a revision from before the reset was found")
	}
	at, before, ok := r.Seek(51)
	if !ok || before != 50 {
		t.Fatalf("the next revision is behind %d, %v", before, ok)
	}
	addTo(r, 51, 10)
	r.Publish(51)
	if _, next, ok := follow(t, r, at, 51); !ok || next != 52 {
		t.Fatalf("read up to %d, %v", next, ok)
	}
}

func TestReadersOfTheRingSeeEveryEventInOrderOrThatTheyAreTooLate(t *testing.T) {
	r := NewRing(2*segmentSize, nil)
	const last = 20_000
	var wg sync.WaitGroup
	done := make(chan struct{})
	for range 4 {
		wg.Go(func() {
			at, before, _ := r.Seek(0)
			next := before + 1
			for late := 0; ; {
				var ok bool
				if at, next, ok = follow(t, r, at, next); !ok {
					late++
					at, before, _ = r.Seek(0)
					next = before + 1
				}
				select {
				case <-done:
					if _, next, ok := follow(t, r, at, next); ok && next != last+1 {
						t.Errorf("a reader ended at %d", next)
					}
					return
				default:
				}
			}
		})
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	for rev := uint64(1); rev <= last; rev++ {
		addTo(r, rev, rnd.IntN(800))
		if rnd.IntN(3) == 0 || rev == last {
			r.Publish(rev)
		}
	}
	close(done)
	wg.Wait()
}
