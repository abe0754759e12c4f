package resp

import "sync"

const (
	maxCursors     = 1 << 16
	maxCursorBytes = 32 << 20
)

// cursors turns the numbers that SCAN's clients hold into the keys where their scans go on. It is bounded: the oldest
// cursors are forgotten, and a scan that is gone on with one of those is refused.
type cursors struct {
	mu     sync.Mutex // guards what follows
	byNum  map[uint64]cursor
	oldest uint64 // no number below it is in byNum
	last   uint64 // the newest number
	bytes  int
}

type cursor struct {
	after  string // the key behind which the scan goes on
	db     byte
	before uint64 // the cursor that led here; it has served when this one is used
}

// add returns the number of a new cursor.
func (t *cursors) add(c cursor) uint64 {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.byNum == nil {
		t.byNum = make(map[uint64]cursor)
		t.oldest = 1
	}
	t.last++
	t.byNum[t.last] = c
	t.bytes += len(c.after)
	for len(t.byNum) > maxCursors || t.bytes > maxCursorBytes {
		t.remove(t.oldest)
		t.oldest++
	}
	return t.last
}

// use returns the cursor with a number, and forgets the one before it: a client may ask for a page again, but not for
// the page before that.
func (t *cursors) use(n uint64) (cursor, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	c, ok := t.byNum[n]
	if ok {
		t.remove(c.before)
	}
	return c, ok
}

func (t *cursors) remove(n uint64) {
	if c, ok := t.byNum[n]; ok {
		t.bytes -= len(c.after)
		delete(t.byNum, n)
	}
}
