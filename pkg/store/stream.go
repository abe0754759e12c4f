package store

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/cespare/xxhash/v2"
)

// A snapshot stream is a magic with a version, the position with its length and a CRC32C, then the records in the order
// of their keys: four numbers of 32 bits (length of the key, of the head, of the body; a CRC32C over the CRC of the
// record before, these lengths and the bytes), then key, head and body. The last record has the key length endOfStream
// and the number of records in the place of the other two lengths.
const (
	streamMagic  = "FLINSNP1"
	streamHead   = 16
	endOfStream  = 0xffffffff
	streamBuffer = 256 << 10
)

// StreamSize returns exactly how many bytes WriteTo will write. It reads keys, not blob files.
func (v *View) StreamSize() (int64, error) {
	n := int64(len(streamMagic) + 4 + len(v.pos.append(nil)) + 4 + streamHead)
	err := v.walk(nil, nil, false, func(it *item) (bool, error) {
		n += streamHead + int64(len(it.key)) + int64(len(it.head())) + int64(it.size())
		return true, nil
	})
	return n, err
}

// WriteTo writes the view as a snapshot stream, for Install. The same keys and position give the same bytes. The view
// must be one of PinFlushed for its position to be exact.
func (v *View) WriteTo(w io.Writer) (int64, error) {
	bw := bufio.NewWriterSize(w, streamBuffer)
	sw := streamWriter{w: bw}
	pos := v.pos.append(nil)
	head := append([]byte(streamMagic), binary.LittleEndian.AppendUint32(nil, uint32(len(pos)))...)
	head = append(head, pos...)
	sw.crc = crc32.Checksum(head, castagnoli)
	sw.write(binary.LittleEndian.AppendUint32(head, sw.crc))
	count := uint64(0)
	err := v.walk(nil, nil, false, func(it *item) (bool, error) {
		val, err := it.value(v.epoch, false)
		if err != nil {
			return false, err
		}
		count++
		sw.record(uint32(len(it.key)), uint32(len(val.Head)), uint32(len(val.Body)), it.key, val.Head, val.Body)
		return sw.err == nil, sw.err
	})
	if err == nil {
		sw.record(endOfStream, uint32(count), uint32(count>>32), nil, nil, nil)
		err = errors.Join(sw.err, bw.Flush())
	}
	if err != nil {
		return sw.n, fmt.Errorf("writing a snapshot: %w", err)
	}
	return sw.n, nil
}

type streamWriter struct {
	w   io.Writer
	n   int64
	crc uint32
	err error
}

func (s *streamWriter) write(b []byte) {
	if s.err != nil {
		return
	}
	n, err := s.w.Write(b)
	s.n += int64(n)
	s.err = err
}

func (s *streamWriter) record(klen, hlen, blen uint32, key, head, body []byte) {
	var h [streamHead]byte
	binary.LittleEndian.PutUint32(h[0:], klen)
	binary.LittleEndian.PutUint32(h[4:], hlen)
	binary.LittleEndian.PutUint32(h[8:], blen)
	s.crc = crc32.Update(s.crc, castagnoli, h[:12])
	for _, b := range [...][]byte{key, head, body} {
		s.crc = crc32.Update(s.crc, castagnoli, b)
	}
	binary.LittleEndian.PutUint32(h[12:], s.crc)
	s.write(h[:])
	s.write(key)
	s.write(head)
	s.write(body)
}

// streamReader reads a snapshot stream and checks it.
type streamReader struct {
	r     *bufio.Reader
	crc   uint32
	count uint64
	pos   Position
	buf   []byte
	last  []byte
	begun bool
}

var errStream = errors.New("the snapshot is damaged")

func newStreamReader(r io.Reader) (*streamReader, error) {
	s := &streamReader{r: bufio.NewReaderSize(r, streamBuffer)}
	head := make([]byte, len(streamMagic)+4)
	if _, err := io.ReadFull(s.r, head); err != nil {
		return nil, fmt.Errorf("reading a snapshot: %w", err)
	}
	if string(head[:len(streamMagic)]) != streamMagic {
		return nil, fmt.Errorf("%w: it begins with %q, this program reads %q", errStream, head[:len(streamMagic)], streamMagic)
	}
	n := binary.LittleEndian.Uint32(head[len(streamMagic):])
	if n > 64<<20 {
		return nil, fmt.Errorf("%w: its position has %d bytes", errStream, n)
	}
	rest := make([]byte, n+4)
	if _, err := io.ReadFull(s.r, rest); err != nil {
		return nil, fmt.Errorf("reading a snapshot: %w", err)
	}
	s.crc = crc32.Update(crc32.Checksum(head, castagnoli), castagnoli, rest[:n])
	if s.crc != binary.LittleEndian.Uint32(rest[n:]) {
		return nil, fmt.Errorf("%w: the checksum of its head does not match", errStream)
	}
	var err error
	if s.pos, err = parsePosition(rest[:n]); err != nil {
		return nil, fmt.Errorf("%w: %w", errStream, err)
	}
	return s, nil
}

// next returns the next record, which is valid until the call after, and ok false after the last.
func (s *streamReader) next() (key []byte, v Value, ok bool, err error) {
	var h [streamHead]byte
	if _, err := io.ReadFull(s.r, h[:]); err != nil {
		return nil, Value{}, false, fmt.Errorf("reading a snapshot: %w", err)
	}
	klen, hlen, blen := binary.LittleEndian.Uint32(h[0:]), binary.LittleEndian.Uint32(h[4:]), binary.LittleEndian.Uint32(h[8:])
	s.crc = crc32.Update(s.crc, castagnoli, h[:12])
	if klen == endOfStream {
		if s.crc != binary.LittleEndian.Uint32(h[12:]) || uint64(hlen)|uint64(blen)<<32 != s.count {
			return nil, Value{}, false, fmt.Errorf("%w: its end does not match", errStream)
		}
		return nil, Value{}, false, nil
	}
	if klen > MaxKey || hlen > MaxHead || blen > MaxBody {
		return nil, Value{}, false, fmt.Errorf("%w: record %d is too large", errStream, s.count)
	}
	n := int(klen) + int(hlen) + int(blen)
	if cap(s.buf) < n {
		s.buf = make([]byte, n)
	}
	b := s.buf[:n]
	if _, err := io.ReadFull(s.r, b); err != nil {
		return nil, Value{}, false, fmt.Errorf("reading a snapshot: %w", err)
	}
	s.crc = crc32.Update(s.crc, castagnoli, b)
	if s.crc != binary.LittleEndian.Uint32(h[12:]) {
		return nil, Value{}, false, fmt.Errorf("%w: the checksum of record %d does not match", errStream, s.count)
	}
	key = b[:klen:klen]
	if s.begun && string(s.last) >= string(key) {
		return nil, Value{}, false, fmt.Errorf("%w: record %d is out of order", errStream, s.count)
	}
	s.begun = true
	s.last = append(s.last[:0], key...)
	s.count++
	return key, Value{Head: b[klen : klen+hlen : klen+hlen], Body: b[klen+hlen:]}, true, nil
}

// Hash returns a hash of all living keys with their heads and bodies. Stores with the same contents have the same hash,
// however they came to it and whatever is flushed. It reads everything.
func (s *Store) Hash() (uint64, error) {
	v := s.View()
	defer v.Close()
	h := xxhash.New()
	var lens [12]byte
	err := v.Iterate(nil, nil, IterOptions{}, func(key []byte, val Value) bool {
		binary.LittleEndian.PutUint32(lens[0:], uint32(len(key)))
		binary.LittleEndian.PutUint32(lens[4:], uint32(len(val.Head)))
		binary.LittleEndian.PutUint32(lens[8:], uint32(len(val.Body)))
		for _, b := range [...][]byte{lens[:], key, val.Head, val.Body} {
			_, _ = h.Write(b) // never fails
		}
		return true
	})
	return h.Sum64(), err
}
