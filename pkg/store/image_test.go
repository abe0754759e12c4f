package store

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const pageSize = 4096

// image is what a folder holds: what a kill leaves of it, since mapped pages are the kernel's.
type image map[string]*fileImage

type fileImage struct {
	size  int64
	pages map[int64][]byte // those that are not zero
}

// capture reads a folder. Background work of Badger may change it meanwhile, which no kill would show: then it is read again.
func capture(t testing.TB, dir string) image {
	t.Helper()
	for range 100 {
		before := listing(t, dir)
		img, err := readImage(dir)
		if err == nil && listing(t, dir) == before {
			return img
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			t.Error(err) // not Fatal: this may be a goroutine of the store's
			return nil
		}
	}
	t.Error("the folder does not come to rest")
	return nil
}

// listing has the names of files, and the lengths of those that say which others count.
func listing(t testing.TB, dir string) string {
	t.Helper()
	var b strings.Builder
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return ignoreMissing(err)
		}
		b.WriteString(path)
		if d.Name() == "MANIFEST" {
			info, err := d.Info()
			if err != nil {
				return ignoreMissing(err)
			}
			b.WriteString(info.ModTime().String())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
	return b.String()
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func readImage(dir string) (image, error) {
	img := image{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		img[name], err = readFileImage(path)
		return err
	})
	return img, err
}

// readFileImage reads a file without its holes.
func readFileImage(path string) (*fileImage, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	fi := &fileImage{size: info.Size(), pages: map[int64][]byte{}}
	zero := make([]byte, pageSize)
	for off := int64(0); off < fi.size; {
		start, err := unix.Seek(int(f.Fd()), off, unix.SEEK_DATA)
		if err != nil {
			break // only a hole is left
		}
		end, err := unix.Seek(int(f.Fd()), start, unix.SEEK_HOLE)
		if err != nil {
			return nil, err
		}
		for off = start &^ (pageSize - 1); off < end; off += pageSize {
			page := make([]byte, pageSize)
			if _, err := f.ReadAt(page, off); err != nil && !errors.Is(err, io.EOF) {
				return nil, err
			}
			if !bytes.Equal(page, zero) {
				fi.pages[off/pageSize] = page
			}
		}
	}
	return fi, nil
}

// restore writes an image into a new folder.
func (img image) restore(t testing.TB, dir string) {
	t.Helper()
	for name, fi := range img {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		for no, page := range fi.pages {
			if _, err := f.WriteAt(page, no*pageSize); err != nil {
				t.Fatal(err)
			}
		}
		if err := errors.Join(f.Truncate(fi.size), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

// powerCut returns what a disk may hold when the power fails while the folder changes from a to b, which are at two
// fsyncs that follow one another: any of the changed pages, lengths and names.
func powerCut(rnd *rand.Rand, a, b image) image {
	out := image{}
	names := maps.Clone(a)
	maps.Copy(names, b)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		old, now := a[name], b[name]
		switch {
		case old == nil && rnd.IntN(3) == 0:
			continue // the name was not durable
		case now == nil && rnd.IntN(2) == 0:
			continue // it was removed
		case now == nil:
			out[name] = old
			continue
		case old == nil:
			old = &fileImage{pages: map[int64][]byte{}}
		}
		out[name] = cutFile(rnd, old, now)
	}
	return out
}

func cutFile(rnd *rand.Rand, old, now *fileImage) *fileImage {
	size := now.size
	if rnd.IntN(2) == 0 {
		size = old.size
	}
	f := &fileImage{size: size, pages: map[int64][]byte{}}
	keep := rnd.Float64()
	all := maps.Clone(old.pages)
	maps.Copy(all, now.pages)
	for _, no := range slices.Sorted(maps.Keys(all)) {
		page := old.pages[no]
		if p := now.pages[no]; p != nil && !bytes.Equal(p, page) && rnd.Float64() < keep {
			page = p
		}
		if page != nil && no*pageSize < size {
			f.pages[no] = page
		}
	}
	return f
}
