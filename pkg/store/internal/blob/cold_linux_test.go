package blob

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/skshohagmiah/flin/pkg/disk"
)

// coldSet is a set of several files of which nothing is in memory, with what is in it.
type coldSet struct {
	*Set
	keys     [][]byte
	bodies   [][]byte
	pointers []Pointer
}

func newColdSet(t *testing.T, dir string) *coldSet {
	t.Helper()
	s, err := Open(dir, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	s.SetMaxFile(3 << 20)
	s.SetTurns(new(disk.Turns))
	c := &coldSet{Set: s}
	rnd, noise := rand.New(rand.NewPCG(1, 2)), rand.NewChaCha8([32]byte{1})
	for i := range 200 {
		body := make([]byte, []int{1, 600, 70_000, 4096, 900_000}[i%5]+rnd.IntN(100))
		_, _ = noise.Read(body) // it never fails
		key := fmt.Appendf(nil, "key-%d", i)
		p, err := s.Append(key, body)
		if err != nil {
			t.Fatal(err)
		}
		c.keys, c.bodies, c.pointers = append(c.keys, key), append(c.bodies, body), append(c.pointers, p)
	}
	if _, err := s.Sync(); err != nil {
		t.Fatal(err)
	}
	c.forget(t)
	return c
}

// forget takes what the files hold out of the page cache.
func (c *coldSet) forget(t *testing.T) {
	t.Helper()
	for _, f := range *c.files.Load() {
		if err := unix.Fadvise(int(f.f.Fd()), 0, 0, unix.FADV_DONTNEED); err != nil {
			t.Fatal(err)
		}
	}
}

// check reads the i-th value.
func (c *coldSet) check(t *testing.T, i int) {
	t.Helper()
	got, err := c.Read(c.pointers[i], c.keys[i], nil)
	if err != nil || !bytes.Equal(got, c.bodies[i]) {
		t.Errorf("value %d of %d bytes comes back as %d bytes, %v", i, len(c.bodies[i]), len(got), err)
	}
}

func TestWhatIsNotInMemoryIsReadAsItWasWritten(t *testing.T) {
	c := newColdSet(t, t.TempDir())
	for i := range c.keys {
		c.check(t, i)
	}
	if n := len(c.cold.chunks); n > coldChunks {
		t.Errorf("%d chunks are kept", n)
	}
}

func TestManyReadWhatIsNotInMemoryWhileMoreIsWritten(t *testing.T) {
	c := newColdSet(t, t.TempDir())
	var readers sync.WaitGroup
	for r := range 8 {
		readers.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(r), 0))
			for range 200 {
				c.check(t, rnd.IntN(len(c.keys)))
			}
		})
	}
	for i := range 50 {
		key := fmt.Appendf(nil, "more-%d", i)
		body := bytes.Repeat([]byte{byte(i)}, 100_000)
		p, err := c.Append(key, body)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Sync(); err != nil {
			t.Fatal(err)
		}
		c.forget(t)
		if got, err := c.Read(p, key, nil); err != nil || !bytes.Equal(got, body) {
			t.Fatalf("value %d, just written: %d bytes, %v", i, len(got), err)
		}
	}
	readers.Wait()
}

func TestWithoutDirectReadsThePageCacheServes(t *testing.T) {
	c := newColdSet(t, t.TempDir())
	for _, f := range *c.files.Load() {
		f.directErr = os.ErrPermission
	}
	for i := range c.keys {
		c.check(t, i)
	}
	if len(c.cold.chunks) != 0 {
		t.Errorf("%d chunks were read", len(c.cold.chunks))
	}
}

func TestADamagedValueThatIsNotInMemoryIsFound(t *testing.T) {
	dir := t.TempDir()
	c := newColdSet(t, dir)
	p := c.pointers[7]
	f, err := os.OpenFile(fileName(dir, p.File), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt([]byte("damage"), p.Offset+recordHead+100); err != nil {
		t.Fatal(err)
	}
	if err := f.Sync(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	c.forget(t)
	if _, err := c.Read(p, c.keys[7], nil); err == nil {
		t.Error("a damaged value was read")
	}
	c.check(t, 6)
	c.check(t, 8)
}
