package disk

import (
	"sync"
	"sync/atomic"
	"time"
)

// Turns lets those go first who make something durable, which somebody waits for: who reads much of a disk and is in less of a
// hurry asks it before each read. The zero Turns is ready; a nil one knows of nobody. All methods may be called by any goroutine.
//
// One reads at a time: a read that waits for the disk keeps a processor from other goroutines until the runtime notices, and
// where there are two or three of them that is many.
type Turns struct {
	writers atomic.Int32
	writes  atomic.Uint64
	reading sync.Mutex

	mu   sync.Mutex
	over chan struct{} // closed when nobody writes any more; nil: nobody waits for it
}

// Begin says that somebody begins to make something durable.
func (t *Turns) Begin() {
	if t != nil {
		t.writers.Add(1)
		t.writes.Add(1)
	}
}

// End says that it is done.
func (t *Turns) End() {
	if t == nil || t.writers.Add(-1) > 0 {
		return
	}
	t.mu.Lock()
	if t.over != nil {
		close(t.over)
		t.over = nil
	}
	t.mu.Unlock()
}

// Busy reports whether something is being made durable.
func (t *Turns) Busy() bool { return t != nil && t.writers.Load() > 0 }

// Writes returns how often something was made durable, or is being.
func (t *Turns) Writes() uint64 {
	if t == nil {
		return 0
	}
	return t.writes.Load()
}

// BeginRead returns when it is the caller's turn to read the disk: nobody else reads, and nothing is being made durable, or has
// been for as long as limit. EndRead must follow.
func (t *Turns) BeginRead(limit time.Duration) {
	if t != nil {
		t.reading.Lock()
		t.wait(limit)
	}
}

// EndRead gives the turn up.
func (t *Turns) EndRead() {
	if t != nil {
		t.reading.Unlock()
	}
}

// wait returns when nothing is being made durable, or after limit.
func (t *Turns) wait(limit time.Duration) {
	if !t.Busy() {
		return
	}
	t.mu.Lock()
	if t.over == nil {
		t.over = make(chan struct{})
	}
	over := t.over
	t.mu.Unlock()
	if !t.Busy() {
		return // the one who would close over may have been before us
	}
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-over:
	case <-timer.C:
	}
}
