package blob

import (
	"errors"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/skshohagmiah/flin/pkg/disk"
)

const (
	// coldChunk is how much is read of the disk at once: what lies beside a record is probably asked for next.
	coldChunk = 512 << 10
	// coldChunks is how many are kept: several read on in a file side by side.
	coldChunks = 16
	// coldPatience is how long a read of the disk lets a sync go first.
	coldPatience = 5 * time.Millisecond
	// coldRest is the most that a reader rests between two chunks while others make something durable, in any case no more than half
	// of what it takes to use up a chunk: it is processors that a fast disk's readers take from them.
	coldRest = 2 * time.Millisecond
)

// cold reads what is not in memory, in large pieces and past the page cache: reading a file through it costs several times the
// processor's time, and puts out what others read. It lets those go first who make something durable.
type cold struct {
	turns *disk.Turns

	// Of the one whose turn it is to read.
	writes uint64    // turns.Writes() when the last chunk was read
	ended  time.Time // when that was

	mu     sync.RWMutex // guards the list; a chunk in it does not change
	chunks []*chunk     // the one that was read last at the end
}

// chunk is a piece of a file, from a multiple of coldChunk on.
type chunk struct {
	f   *file
	at  int64
	buf []byte
	n   int // bytes that are there
}

// readAt fills buf from off on, all of which is durable.
func (c *cold) readAt(f *file, buf []byte, off int64) error {
	if disk.Cached(f.f, off, int64(len(buf))) {
		_, err := f.f.ReadAt(buf, off)
		return err
	}
	for len(buf) > 0 {
		n, err := c.copy(f, buf, off)
		if err != nil {
			return err
		}
		buf, off = buf[n:], off+int64(n)
	}
	return nil
}

// copy copies from the chunk that holds off, which it reads if need be.
func (c *cold) copy(f *file, buf []byte, off int64) (int, error) {
	if n := c.have(f, buf, off); n > 0 {
		return n, nil
	}
	c.turns.BeginRead(coldPatience)
	defer c.turns.EndRead()
	if n := c.have(f, buf, off); n > 0 {
		return n, nil // another has just read it
	}
	from, err := f.openDirect()
	if err != nil {
		return f.f.ReadAt(buf, off)
	}
	c.rest()
	x := c.take()
	x.f, x.at = f, off/coldChunk*coldChunk
	size := f.size.Load()
	x.n, err = from.ReadAt(x.buf, x.at)
	x.n = min(x.n, int(max(size-x.at, 0))) // what is being written there may have come half
	if err != nil && !errors.Is(err, io.EOF) || x.at+int64(x.n) <= off {
		x.n = 0 // the file system cannot, or the chunk begins behind what it can
	}
	c.put(x)
	c.ended = time.Now()
	if n := c.have(f, buf, off); n > 0 {
		return n, nil
	}
	return f.f.ReadAt(buf, off)
}

// rest lets others work.
func (c *cold) rest() {
	if n := c.turns.Writes(); n != c.writes {
		c.writes = n
		time.Sleep(min(time.Since(c.ended)/2, coldRest))
	}
}

// have copies what a chunk has of f from off on, and returns how much.
func (c *cold) have(f *file, buf []byte, off int64) int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for _, x := range c.chunks {
		if x.f == f && off >= x.at && off < x.at+int64(x.n) {
			return copy(buf, x.buf[off-x.at:x.n])
		}
	}
	return 0
}

// take returns a chunk that nobody reads: a new one, or the oldest.
func (c *cold) take() *chunk {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.chunks) < coldChunks {
		return &chunk{buf: disk.AlignedBuffer(coldChunk)}
	}
	x := c.chunks[0]
	c.chunks = slices.Delete(c.chunks, 0, 1)
	return x
}

// put lets a chunk be read, in place of one with less of the same.
func (c *cold) put(x *chunk) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.chunks = slices.DeleteFunc(c.chunks, func(o *chunk) bool { return o.f == x.f && o.at == x.at })
	c.chunks = append(c.chunks, x)
}

// openDirect returns the file for direct reads. One at a time calls it.
func (b *file) openDirect() (*os.File, error) {
	if b.direct == nil && b.directErr == nil {
		b.direct, b.directErr = disk.OpenDirect(b.path)
	}
	return b.direct, b.directErr
}

// close closes the file.
func (b *file) close() error {
	err := b.f.Close()
	if b.direct != nil {
		err = errors.Join(err, b.direct.Close())
	}
	return err
}
