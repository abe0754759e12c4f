package replica

import (
	"sync"

	"github.com/hashicorp/raft"
)

// markBytes is how many bytes of log one mark stands for, at least.
const markBytes = 1 << 20

// mark says how many bytes the entries from index on have, up to the next mark.
type mark struct {
	index uint64
	bytes int64
}

// addMark counts n bytes of entries that begin at index.
func addMark(marks []mark, index uint64, n int64) []mark {
	if k := len(marks); k > 0 && marks[k-1].bytes < markBytes {
		marks[k-1].bytes += n
		return marks
	}
	return append(marks, mark{index: index, bytes: n})
}

// cutHead forgets what lies wholly at or below hi.
func cutHead(marks []mark, hi uint64) []mark {
	n := 0
	for n+1 < len(marks) && marks[n+1].index <= hi+1 {
		n++
	}
	return append(marks[:0], marks[n:]...)
}

// cutTail forgets what begins at lo or above.
func cutTail(marks []mark, lo uint64) []mark {
	n := len(marks)
	for n > 0 && marks[n-1].index >= lo {
		n--
	}
	return marks[:n]
}

// trailing returns how many entries before last fit into limit bytes: Raft counts what it keeps in entries.
func trailing(marks []mark, last uint64, limit int64) uint64 {
	var n int64
	for i := len(marks) - 1; i >= 0; i-- {
		if n += marks[i].bytes; n > limit {
			if i+1 < len(marks) {
				return last - min(last, marks[i+1].index-1)
			}
			return 0
		}
	}
	if len(marks) == 0 {
		return 0
	}
	return last - min(last, marks[0].index-1)
}

// recentLog keeps the newest entries, bounded by bytes, so that sending them to followers reads no file. With limit 0 it
// keeps none.
type recentLog struct {
	mu    sync.RWMutex
	limit int64
	bytes int64
	logs  []*raft.Log // consecutive; a ring would save the shifting, which is rare
	head  int
}

// setLimit bounds the bytes kept.
func (r *recentLog) setLimit(n int64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.limit = n
	r.trim()
}

// add keeps l, which must not change any more.
func (r *recentLog) add(l *raft.Log) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.limit == 0 {
		return
	}
	if n := len(r.logs); n > r.head && r.logs[n-1].Index+1 != l.Index {
		r.drop()
	}
	r.logs = append(r.logs, l)
	r.bytes += cost(l)
	r.trim()
}

// get copies the entry at index into l if it is kept.
func (r *recentLog) get(index uint64, l *raft.Log) bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.head == len(r.logs) {
		return false
	}
	first := r.logs[r.head].Index
	if index < first || index-first >= uint64(len(r.logs)-r.head) {
		return false
	}
	*l = *r.logs[r.head+int(index-first)]
	return true
}

// clear forgets all.
func (r *recentLog) clear() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.drop()
}

func (r *recentLog) drop() { r.logs, r.head, r.bytes = nil, 0, 0 }

// trim forgets the oldest beyond the limit.
func (r *recentLog) trim() {
	for r.bytes > r.limit && r.head < len(r.logs) {
		r.bytes -= cost(r.logs[r.head])
		r.logs[r.head] = nil
		r.head++
	}
	if r.head > 1024 && r.head > len(r.logs)/2 {
		r.logs = append([]*raft.Log(nil), r.logs[r.head:]...)
		r.head = 0
	}
}

// cost is what keeping l takes, with what Raft hangs on it.
func cost(l *raft.Log) int64 { return int64(len(l.Data)) + 400 }
