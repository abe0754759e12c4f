package record

import (
	"encoding/binary"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// cursor takes fields from the front of p. After the first failure it stands behind the end, and every method returns zero.
type cursor struct {
	p  []byte
	at int
}

const maxVarint = 5 // bytes of a 32-bit number: Kafka's clients refuse more, even of zeros

func (c *cursor) fail()        { c.at = len(c.p) + 1 }
func (c *cursor) failed() bool { return c.at > len(c.p) }
func (c *cursor) left() int    { return len(c.p) - c.at }

func (c *cursor) byte() byte {
	if c.at >= len(c.p) {
		c.fail()
		return 0
	}
	c.at++
	return c.p[c.at-1]
}

// varint takes a zigzag-encoded number of 32 bits.
func (c *cursor) varint() int {
	if c.at < len(c.p) && c.p[c.at] < 0x80 {
		v := int(c.p[c.at])
		c.at++
		return v>>1 ^ -(v & 1)
	}
	return c.longVarint()
}

func (c *cursor) longVarint() int {
	if c.failed() {
		return 0
	}
	v, n := binary.Varint(c.p[c.at:])
	if n <= 0 || n > maxVarint || v != int64(int32(v)) {
		c.fail()
		return 0
	}
	c.at += n
	return int(v)
}

// varlong takes a zigzag-encoded number of 64 bits.
func (c *cursor) varlong() int64 {
	if c.failed() {
		return 0
	}
	v, n := binary.Varint(c.p[c.at:])
	if n <= 0 {
		c.fail()
		return 0
	}
	c.at += n
	return v
}

// bytes takes n bytes, which share memory with p. It never returns nil unless it fails.
func (c *cursor) bytes(n int) []byte {
	if n < 0 || n > c.left() {
		c.fail()
		return nil
	}
	b := c.p[c.at : c.at+n : c.at+n]
	c.at += n
	return b
}

// nullable takes a length and that many bytes; nil if the length is -1.
func (c *cursor) nullable() []byte {
	n := c.varint()
	if n == -1 {
		return nil
	}
	return c.bytes(n)
}

// record takes a record. rec.Offset and rec.Timestamp are as they lie there: what is to be added to the batch's. It keeps
// cap(rec.Headers), and says with ok whether the record's length and those of its fields agree.
func (c *cursor) record(rec *Record) (ok bool) {
	body := cursor{p: c.bytes(c.varint())}
	body.byte() // attributes: none are defined
	rec.Timestamp = body.varlong()
	rec.Offset = int64(body.varint())
	rec.Key = body.nullable()
	rec.Value = body.nullable()
	rec.Headers = rec.Headers[:0]
	n := body.varint()
	if n < 0 || n > wire.MaxHeaders {
		return false // bounded here, since a header costs more memory than the two bytes that it takes at least
	}
	for ; n > 0 && !body.failed(); n-- {
		name := body.bytes(body.varint())
		rec.Headers = append(rec.Headers, wire.Header{Name: name, Value: body.nullable()})
	}
	return !c.failed() && body.at == len(body.p)
}
