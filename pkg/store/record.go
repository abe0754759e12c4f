package store

import (
	"encoding/binary"
	"errors"

	"github.com/skshohagmiah/flin/pkg/store/internal/blob"
)

// What Badger holds. Every key of a user begins with userPrefix, every key of ours with metaPrefix. A value begins with
// its kind. Badger's own Delete is never used: a deletion is a value too.
const (
	metaPrefix = 0
	userPrefix = 1

	kindTombstone = 0
	kindInline    = 1 // length of the head, head, body
	kindPointer   = 2 // length of the head, head, file, size, offset

	maxInline   = 512 // bytes of a body that stays in Badger
	maxPointer  = 16
	lsmOverhead = 16 // prefix, kind, length of the head, and what Badger adds for each entry
)

// record is a parsed value.
type record struct {
	kind byte
	head []byte
	body []byte       // inline
	ptr  blob.Pointer // pointer
}

var errRecord = errors.New("a record in the key tree cannot be read: it was written by another version or is damaged")

// size is how long the body is.
func (r *record) size() int {
	if r.kind == kindPointer {
		return int(r.ptr.Size)
	}
	return len(r.body)
}

// parseRecord takes a value apart. What it returns aliases b.
func parseRecord(b []byte) (record, error) {
	if len(b) == 1 && b[0] == kindTombstone {
		return record{kind: kindTombstone}, nil
	}
	if len(b) < 2 || len(b) < 2+int(b[1]) {
		return record{}, errRecord
	}
	r := record{kind: b[0], head: b[2 : 2+int(b[1]) : 2+int(b[1])]}
	rest := b[2+int(b[1]):]
	switch {
	case r.kind == kindInline:
		r.body = rest
	case r.kind == kindPointer && len(rest) == maxPointer:
		r.ptr = parsePointer(rest)
	default:
		return record{}, errRecord
	}
	return r, nil
}

func parsePointer(b []byte) blob.Pointer {
	return blob.Pointer{
		File:   binary.LittleEndian.Uint32(b),
		Size:   binary.LittleEndian.Uint32(b[4:]),
		Offset: int64(binary.LittleEndian.Uint64(b[8:])),
	}
}

func appendInline(dst, head, body []byte) []byte {
	dst = append(dst, kindInline, byte(len(head)))
	return append(append(dst, head...), body...)
}

func appendPointer(dst, head []byte, p blob.Pointer) []byte {
	dst = append(dst, kindPointer, byte(len(head)))
	dst = append(dst, head...)
	dst = binary.LittleEndian.AppendUint32(dst, p.File)
	dst = binary.LittleEndian.AppendUint32(dst, p.Size)
	return binary.LittleEndian.AppendUint64(dst, uint64(p.Offset))
}

// appendUserKey writes the key under which Badger knows a user's key.
func appendUserKey(dst, key []byte) []byte { return append(append(dst, userPrefix), key...) }

// append encodes r behind dst.
func (r *record) append(dst []byte) []byte {
	switch r.kind {
	case kindInline:
		return appendInline(dst, r.head, r.body)
	case kindPointer:
		return appendPointer(dst, r.head, r.ptr)
	}
	return append(dst, kindTombstone)
}
