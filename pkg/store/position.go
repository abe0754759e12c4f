package store

import (
	"encoding/binary"
	"errors"
)

// Position says how far in the Raft log a store is. A flush makes it durable in the same transaction as the data.
type Position struct {
	Index     uint64 // of the last applied log entry
	Term      uint64 // of that entry
	Revision  uint64 // of the last command of that entry
	Time      int64  // entry time in ms since 1970; never runs back
	Conf      []byte // the encoded Raft configuration in force; opaque here. Not changed after it was handed over
	ConfIndex uint64 // the log index of that configuration
}

// append encodes p behind dst.
func (p Position) append(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint64(dst, p.Index)
	dst = binary.LittleEndian.AppendUint64(dst, p.Term)
	dst = binary.LittleEndian.AppendUint64(dst, p.Revision)
	dst = binary.LittleEndian.AppendUint64(dst, uint64(p.Time))
	dst = binary.LittleEndian.AppendUint64(dst, p.ConfIndex)
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(p.Conf)))
	return append(dst, p.Conf...)
}

// parsePosition decodes what append encoded. What follows it is left alone.
func parsePosition(b []byte) (Position, error) {
	const fixed = 5*8 + 4
	if len(b) < fixed {
		return Position{}, errors.New("the position is too short")
	}
	p := Position{
		Index:     binary.LittleEndian.Uint64(b),
		Term:      binary.LittleEndian.Uint64(b[8:]),
		Revision:  binary.LittleEndian.Uint64(b[16:]),
		Time:      int64(binary.LittleEndian.Uint64(b[24:])),
		ConfIndex: binary.LittleEndian.Uint64(b[32:]),
	}
	n := int64(binary.LittleEndian.Uint32(b[40:]))
	b = b[fixed:]
	if int64(len(b)) < n {
		return Position{}, errors.New("the configuration in the position is too short")
	}
	if n > 0 {
		p.Conf = append([]byte(nil), b[:n]...)
	}
	return p, nil
}

// Value is what a key holds.
type Value struct {
	// Head is a few bytes (at most MaxHead) that an engine wants without its value: they stay beside the key when the
	// body goes to a blob file.
	Head []byte
	// Body is the value itself.
	Body []byte
}
