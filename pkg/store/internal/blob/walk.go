package blob

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// walkBuffer is how much of a file is read at a time.
const walkBuffer = 1 << 20

// First is the offset of the first record of a file.
const First = headerSize

// Walk calls fn for the records of a synced file from offset off on, until at least limit bytes have been gone over or
// the file ends, and returns the offset where to go on and whether that is the end. key and body are valid during the
// call only. A record that cannot be read ends the walk with ErrCorrupt.
func (s *Set) Walk(no uint32, off, limit int64, fn func(key, body []byte, p Pointer) error) (next int64, end bool, err error) {
	f := (*s.files.Load())[no]
	if f == nil {
		return off, false, fmt.Errorf("%w: %s is missing", ErrCorrupt, fileName(s.dir, no))
	}
	size := f.size.Load()
	buf := make([]byte, min(walkBuffer, size-off))
	var have []byte // read and not gone over, from off on
	for stop := off + limit; off < size && off < stop; {
		need := int64(recordHead)
		if len(have) >= recordHead {
			if binary.LittleEndian.Uint32(have) != recordMark {
				return off, false, fmt.Errorf("%w: %s at offset %d: no record begins here", ErrCorrupt, f.path, off)
			}
			need = recordHead + int64(binary.LittleEndian.Uint32(have[8:])) + int64(binary.LittleEndian.Uint32(have[12:]))
		}
		if off+need > size {
			return off, false, fmt.Errorf("%w: %s at offset %d: a record goes beyond the end", ErrCorrupt, f.path, off)
		}
		if int64(len(have)) < need {
			if int64(len(buf)) < need {
				buf = make([]byte, need)
			}
			n := min(int64(len(buf)), size-off)
			if _, err := f.f.ReadAt(buf[:n], off); err != nil && !errors.Is(err, io.EOF) {
				return off, false, fmt.Errorf("reading %s at offset %d: %w", f.path, off, err)
			}
			have = buf[:n]
			continue
		}
		key, body, err := parse(have[:need])
		if err != nil {
			return off, false, fmt.Errorf("%w: %s at offset %d: %w", ErrCorrupt, f.path, off, err)
		}
		if err := fn(key, body, Pointer{File: no, Size: uint32(len(body)), Offset: off}); err != nil {
			return off, false, err
		}
		off += need
		have = have[need:]
	}
	return off, off >= size, nil
}

// sampleWindow is how far Find looks for a record.
const sampleWindow = 64 << 10

// Find returns the first record that begins at off or behind it, if there is one near that can be checked.
func (s *Set) Find(no uint32, off int64) (key []byte, p Pointer, ok bool) {
	f := (*s.files.Load())[no]
	if f == nil {
		return nil, Pointer{}, false
	}
	buf := make([]byte, min(sampleWindow, f.size.Load()-off))
	if _, err := f.f.ReadAt(buf, off); err != nil {
		return nil, Pointer{}, false
	}
	mark := binary.LittleEndian.AppendUint32(nil, recordMark)
	for at := 0; ; at++ {
		i := bytes.Index(buf[at:], mark)
		if i < 0 {
			return nil, Pointer{}, false
		}
		at += i
		if key, body, err := parse(buf[at:]); err == nil {
			return key, Pointer{File: no, Size: uint32(len(body)), Offset: off + int64(at)}, true
		}
	}
}
