package link

import "sync/atomic"

// Budget is memory that connections share: what long requests and unread answers take beyond the ordinary buffers. A nil
// Budget grants everything.
type Budget struct {
	limit int64
	used  atomic.Int64
}

// NewBudget returns a Budget of limit bytes.
func NewBudget(limit int64) *Budget { return &Budget{limit: limit} }

// Used returns how many bytes are granted now.
func (b *Budget) Used() int64 {
	if b == nil {
		return 0
	}
	return b.used.Load()
}

// Take takes n bytes and reports whether they were there.
func (b *Budget) Take(n int64) bool {
	if b == nil || b.used.Add(n) <= b.limit {
		return true
	}
	b.used.Add(-n)
	return false
}

// Give gives n bytes back.
func (b *Budget) Give(n int64) {
	if b != nil && n != 0 {
		b.used.Add(-n)
	}
}
