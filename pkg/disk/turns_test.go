package disk

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestReadersWaitForThoseWhoWrite(t *testing.T) {
	var turns Turns
	turns.BeginRead(time.Hour) // for nobody
	turns.EndRead()
	turns.Begin()
	turns.Begin()
	var through, reading atomic.Int32
	var readers sync.WaitGroup
	for range 8 {
		readers.Go(func() {
			turns.BeginRead(time.Hour)
			defer turns.EndRead()
			if turns.Busy() {
				t.Error("a reader has its turn while somebody writes")
			}
			if reading.Add(1) > 1 {
				t.Error("two read at once")
			}
			through.Add(1)
			reading.Add(-1)
		})
	}
	turns.End()
	if n := through.Load(); n > 0 {
		t.Errorf("%d readers have had their turn while one of two still writes", n)
	}
	turns.End()
	readers.Wait()
}

func TestAReaderDoesNotWaitForEver(t *testing.T) {
	var turns Turns
	turns.Begin()
	turns.BeginRead(time.Millisecond)
	if !turns.Busy() {
		t.Error("the writer is gone")
	}
	turns.EndRead()
	turns.End()
}

func TestWithoutTurnsNobodyWaits(t *testing.T) {
	var turns *Turns
	turns.Begin()
	turns.BeginRead(time.Hour)
	turns.EndRead()
	turns.End()
	if turns.Busy() {
		t.Error("there is nothing to be busy")
	}
}
