package driver

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"sync/atomic"

	"github.com/skshohagmiah/flin/benchmarks/load"
)

// MinBody is the least size of the body of a message or record: it begins with its number.
const MinBody = 8

// mostNumbered is how many bodies one numbered can tell apart.
const mostNumbered = 1 << 27

// numbered makes bodies that are told apart by numbers from 0 up, and remembers which of them came. One that comes twice,
// that was never sent or that is not as it was sent is a failure.
type numbered struct {
	Values *load.Values // of at least MinBody bytes

	next atomic.Uint64   // the first number that nobody has sent
	got  atomic.Uint64   // how many came
	seen []atomic.Uint64 // a bit for each that came
}

func (w *numbered) init(values *load.Values) {
	w.Values = values
	w.seen = make([]atomic.Uint64, mostNumbered/64) // the system gives memory for what of it is touched
}

// Left returns how many have been sent and did not come yet. During a run it is a guess.
func (w *numbered) Left() uint64 {
	got := w.got.Load()
	return max(w.next.Load(), got) - got
}

// body returns body number n, in buf where that is long enough.
func (w *numbered) body(buf []byte, n uint64) []byte {
	buf = w.Values.Fill(buf, n)
	binary.LittleEndian.PutUint64(buf, n)
	return buf
}

// claim takes the next n of a counter. If limit is not 0 and less than n are left below it, it takes none.
func claim(counter *atomic.Uint64, n, limit uint64) (from uint64, ok bool) {
	from = counter.Add(n) - n
	if limit > 0 && from+n > limit {
		counter.Add(-n)
		return 0, false
	}
	return from, true
}

// bodyChecker compares what comes with what was sent. It belongs to one worker.
type bodyChecker struct {
	work  *numbered
	timed bool // the number is followed by a time: no body is compared byte by byte
	came  uint
	buf   []byte
}

func (c *bodyChecker) check(body []byte) error {
	if len(body) != c.work.Values.Size() {
		return fmt.Errorf("a message has %d bytes, and all were sent with %d", len(body), c.work.Values.Size())
	}
	n := binary.LittleEndian.Uint64(body)
	if n >= mostNumbered || n >= c.work.next.Load() {
		return fmt.Errorf("message %d came and was never sent", n)
	}
	if bit := uint64(1) << (n % 64); c.work.seen[n/64].Or(bit)&bit != 0 {
		return fmt.Errorf("message %d came twice", n)
	}
	c.work.got.Add(1)
	if c.came++; c.timed || c.came%checkEvery != 0 {
		return nil
	}
	if c.buf = c.work.body(c.buf, n); !bytes.Equal(c.buf, body) {
		return fmt.Errorf("message %d is not as it was sent", n)
	}
	return nil
}
