// Package blob keeps large values in append-only files. A record is its key, its length and a CRC32C beside the value;
// whoever keeps a value keeps a Pointer to it. Files are numbered, and a number is never used twice.
package blob

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"sync/atomic"
)

// Layout. A file begins with a header of headerSize bytes; then records follow without gaps.
const (
	headerSize = 16
	recordHead = 16
	fileMagic  = "FLINBLB1"
	recordMark = 0x464c4252 // begins every record, so that one can be found from a random offset
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// ErrCorrupt is wrapped by every error that says that a file does not hold what a pointer says.
var ErrCorrupt = errors.New("corrupt blob file")

// Pointer says where a value is.
type Pointer struct {
	File   uint32
	Size   uint32 // bytes of the value alone
	Offset int64  // of the record in its file
}

// RecordSize returns how many bytes a record takes in its file.
func RecordSize(key, size int) int64 { return recordHead + int64(key) + int64(size) }

// file is one blob file. Bytes below its durable length never change.
type file struct {
	no   uint32
	path string
	f    *os.File
	size atomic.Int64 // bytes that are written; set by the appending goroutine

	direct    *os.File // for reads past the page cache, from the first on
	directErr error    // there are none
}

func fileName(dir string, no uint32) string { return filepath.Join(dir, fmt.Sprintf("%08d.blob", no)) }

// create makes an empty file with its header. The name is not durable before the folder was synced.
func create(dir string, no uint32) (*file, error) {
	path := fileName(dir, no)
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("creating a blob file: %w", err)
	}
	var h [headerSize]byte
	copy(h[:], fileMagic)
	binary.LittleEndian.PutUint32(h[8:], no)
	if _, err := f.WriteAt(h[:], 0); err != nil {
		return nil, errors.Join(fmt.Errorf("writing the header of %s: %w", path, err), f.Close())
	}
	b := &file{no: no, path: path, f: f}
	b.size.Store(headerSize)
	return b, nil
}

// open opens a file that must hold size bytes: what is beyond was never made durable and is cut off.
func open(dir string, no uint32, size int64) (*file, error) {
	path := fileName(dir, no)
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return nil, fmt.Errorf("%w: %s is missing: %w", ErrCorrupt, path, err)
	}
	b := &file{no: no, path: path, f: f}
	if err := b.check(size); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	b.size.Store(size)
	return b, nil
}

// check compares the file with the length that the store knows of, and cuts off what is beyond it.
func (b *file) check(size int64) error {
	var h [headerSize]byte
	if _, err := b.f.ReadAt(h[:], 0); err != nil {
		return fmt.Errorf("%w: header of %s: %w", ErrCorrupt, b.path, err)
	}
	if string(h[:8]) != fileMagic || binary.LittleEndian.Uint32(h[8:]) != b.no {
		return fmt.Errorf("%w: %s has a wrong header", ErrCorrupt, b.path)
	}
	info, err := b.f.Stat()
	if err != nil {
		return fmt.Errorf("opening %s: %w", b.path, err)
	}
	switch {
	case info.Size() < size:
		return fmt.Errorf("%w: %s has %d bytes, %d were durable", ErrCorrupt, b.path, info.Size(), size)
	case info.Size() > size:
		if err := b.f.Truncate(size); err != nil {
			return fmt.Errorf("cutting %s: %w", b.path, err)
		}
		if err := b.f.Sync(); err != nil {
			return fmt.Errorf("syncing %s: %w", b.path, err)
		}
	}
	return nil
}

// putHeader writes the head of a record into dst and returns the CRC's place, which covers everything after it.
func putHeader(dst []byte, key, body []byte) {
	binary.LittleEndian.PutUint32(dst, recordMark)
	binary.LittleEndian.PutUint32(dst[8:], uint32(len(key)))
	binary.LittleEndian.PutUint32(dst[12:], uint32(len(body)))
	crc := crc32.Update(0, castagnoli, dst[8:recordHead])
	crc = crc32.Update(crc, castagnoli, key)
	crc = crc32.Update(crc, castagnoli, body)
	binary.LittleEndian.PutUint32(dst[4:], crc)
}

// parse checks a whole record and returns its key and value, which alias rec.
func parse(rec []byte) (key, body []byte, err error) {
	if len(rec) < recordHead || binary.LittleEndian.Uint32(rec) != recordMark {
		return nil, nil, errors.New("no record begins here")
	}
	klen, blen := int64(binary.LittleEndian.Uint32(rec[8:])), int64(binary.LittleEndian.Uint32(rec[12:]))
	if int64(len(rec)) < recordHead+klen+blen {
		return nil, nil, errors.New("the record is longer than it should be")
	}
	rec = rec[:recordHead+klen+blen]
	if crc32.Update(0, castagnoli, rec[8:]) != binary.LittleEndian.Uint32(rec[4:]) {
		return nil, nil, errors.New("its checksum does not match")
	}
	return rec[recordHead : recordHead+klen], rec[recordHead+klen:], nil
}

// read returns the value at p, read into buf or, if that is too small, into new memory. The record must be key's.
func (b *file) read(p Pointer, key, buf []byte, cold *cold) ([]byte, error) {
	n := RecordSize(len(key), int(p.Size))
	if int64(cap(buf)) < n {
		buf = make([]byte, n)
	}
	buf = buf[:n]
	var err error
	if cold != nil {
		err = cold.readAt(b, buf, p.Offset)
	} else {
		_, err = b.f.ReadAt(buf, p.Offset)
	}
	if err != nil {
		if errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%w: %s ends before the record of %d bytes at offset %d", ErrCorrupt, b.path, n, p.Offset)
		}
		return nil, fmt.Errorf("reading %s at offset %d: %w", b.path, p.Offset, err)
	}
	k, body, err := parse(buf)
	if err == nil && (string(k) != string(key) || len(body) != int(p.Size)) {
		err = errors.New("it is another key's record")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s at offset %d: %w", ErrCorrupt, b.path, p.Offset, err)
	}
	return body, nil
}
