package wire

import "encoding/binary"

// ErrTruncated is what a Reader reports when a payload ends before its last field.
var ErrTruncated = &Error{Code: Invalid, Msg: "the payload ends before its last field"}

var errTrailing = &Error{Code: Invalid, Msg: "the payload goes on after its last field"}

// AppendUvarint appends v as in encoding/binary: seven bits a byte, low first.
func AppendUvarint(b []byte, v uint64) []byte { return binary.AppendUvarint(b, v) }

// AppendVarint appends v zigzag-encoded, as in encoding/binary.
func AppendVarint(b []byte, v int64) []byte { return binary.AppendVarint(b, v) }

// AppendBytes appends the length of p as a uvarint, then p.
func AppendBytes(b, p []byte) []byte {
	b = binary.AppendUvarint(b, uint64(len(p)))
	return append(b, p...)
}

// AppendString appends the length of s as a uvarint, then s.
func AppendString(b []byte, s string) []byte {
	b = binary.AppendUvarint(b, uint64(len(s)))
	return append(b, s...)
}

// Reader takes fields from the front of a payload. After the first failure every method returns zero, so that a decoder
// checks once, at its end. What it returns shares memory with the payload.
type Reader struct {
	buf []byte
	err error
}

// NewReader returns a Reader over p.
func NewReader(p []byte) Reader { return Reader{buf: p} }

// Err returns the first failure.
func (r *Reader) Err() error { return r.err }

// Close returns the first failure, or an error if bytes are left over.
func (r *Reader) Close() error {
	if r.err == nil && len(r.buf) != 0 {
		r.err = errTrailing
	}
	return r.err
}

// Len returns how many bytes are left.
func (r *Reader) Len() int { return len(r.buf) }

func (r *Reader) fail() {
	r.buf = nil
	if r.err == nil {
		r.err = ErrTruncated
	}
}

// Fail makes err the failure unless there was one before.
func (r *Reader) Fail(err error) {
	r.buf = nil
	if r.err == nil {
		r.err = err
	}
}

// Byte takes one byte.
func (r *Reader) Byte() byte {
	if len(r.buf) == 0 {
		r.fail()
		return 0
	}
	c := r.buf[0]
	r.buf = r.buf[1:]
	return c
}

// Uvarint takes an unsigned integer.
func (r *Reader) Uvarint() uint64 {
	v, n := binary.Uvarint(r.buf)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.buf = r.buf[n:]
	return v
}

// Varint takes a signed integer.
func (r *Reader) Varint() int64 {
	v, n := binary.Varint(r.buf)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.buf = r.buf[n:]
	return v
}

// Uint64 takes eight bytes, most significant first.
func (r *Reader) Uint64() uint64 {
	if len(r.buf) < 8 {
		r.fail()
		return 0
	}
	v := binary.BigEndian.Uint64(r.buf)
	r.buf = r.buf[8:]
	return v
}

// fixed takes n bytes; nil if there are fewer.
func (r *Reader) fixed(n int) []byte {
	if len(r.buf) < n {
		r.fail()
		return nil
	}
	p := r.buf[:n:n]
	r.buf = r.buf[n:]
	return p
}

// Bytes takes a length and that many bytes.
func (r *Reader) Bytes() []byte {
	n := r.Uvarint()
	if n > uint64(len(r.buf)) {
		r.fail()
		return nil
	}
	p := r.buf[:n:n]
	r.buf = r.buf[n:]
	return p
}

// Rest takes all that is left.
func (r *Reader) Rest() []byte {
	p := r.buf[:len(r.buf):len(r.buf)]
	r.buf = nil
	return p
}

// Count takes a number of elements, each of which takes at least one byte of what is left, and at most limit.
func (r *Reader) Count(limit int) int {
	n := r.Uvarint()
	if n > uint64(len(r.buf)) {
		r.fail()
		return 0
	}
	if n > uint64(limit) {
		r.Fail(Errorf(TooLarge, "batch of %d elements is over the limit of %d", n, limit))
		return 0
	}
	return int(n)
}
