package fsm

import (
	"encoding/binary"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Flags of a message in a chunk's index.
const (
	hasDelta   = 1 << iota // the id is not the one behind the message before
	hasPushed              // it was not pushed when the message before was
	hasDelay               // not before a time
	hasExpiry              // expires
	hasGroup               // has a group key
	hasHeaders             // has headers
)

// head is what a chunk's key says of it without its body.
type head struct {
	n      int
	flags  uint8
	pushed int64 // of the first message
	least  int64 // earliest expiry, 0: none
	size   int   // bytes of headers and bodies
}

func (h *head) append(b []byte) []byte {
	b = append(wire.AppendUvarint(b, uint64(h.n)), h.flags)
	b = wire.AppendUvarint(b, uint64(h.pushed))
	b = wire.AppendUvarint(b, uint64(h.least))
	return wire.AppendUvarint(b, uint64(h.size))
}

func (h *head) decode(p []byte) error {
	r := wire.NewReader(p)
	h.n, h.flags = int(r.Uvarint()), r.Byte()
	h.pushed, h.least, h.size = int64(r.Uvarint()), int64(r.Uvarint()), int(r.Uvarint())
	if r.Close() != nil || h.n < 1 || h.n > maxChunk || h.size < 0 {
		return errDamaged
	}
	return nil
}

// head describes a loaded chunk.
func (c *chunk) head() head {
	h := head{n: c.n, flags: c.flags, pushed: c.msgs[0].pushed, size: c.size}
	if c.flags&flagTTL != 0 {
		for i := range c.msgs {
			if e := c.msgs[i].expires; e != 0 && (h.least == 0 || e < h.least) {
				h.least = e
			}
		}
	}
	return h
}

// appendIndex appends what is known of the chunk's messages without their headers and bodies.
func (c *chunk) appendIndex(b []byte) []byte {
	id, pushed := c.first-1, c.msgs[0].pushed
	for i := range c.msgs {
		ms := &c.msgs[i]
		at := len(b)
		b = append(b, 0)
		var f byte
		if next := c.id(i); next != id+1 {
			f |= hasDelta
			b = wire.AppendUvarint(b, next-id)
			id = next
		} else {
			id++
		}
		if ms.pushed != pushed {
			f |= hasPushed
			pushed = ms.pushed
			b = wire.AppendUvarint(b, uint64(pushed))
		}
		if ms.notBefore != 0 {
			f |= hasDelay
			b = wire.AppendUvarint(b, uint64(ms.notBefore))
		}
		if ms.expires != 0 {
			f |= hasExpiry
			b = wire.AppendUvarint(b, uint64(ms.expires))
		}
		if len(ms.group) != 0 {
			f |= hasGroup
			b = wire.AppendBytes(b, ms.group)
		}
		if len(ms.headers) != 0 {
			f |= hasHeaders
			b = wire.AppendUvarint(b, uint64(len(ms.headers)))
		}
		b = wire.AppendUvarint(b, uint64(len(ms.body)))
		b[at] = f
	}
	return b
}

// encode makes the value of a loaded chunk, and lets its messages lie in it: what they were on loan from is let go. index
// is the part of it that is the chunk's roster.
func (c *chunk) encode(scratch []byte) (value, index, kept []byte) {
	scratch = c.appendIndex(scratch[:0])
	value = make([]byte, 0, binary.MaxVarintLen32+len(scratch)+c.size)
	value = wire.AppendBytes(value, scratch)
	index = value[len(value)-len(scratch) : len(value) : len(value)]
	for i := range c.msgs {
		ms := &c.msgs[i]
		if len(ms.headers) != 0 {
			from := len(value)
			value = append(value, ms.headers...)
			ms.headers = value[from:len(value):len(value)]
		}
		from := len(value)
		value = append(value, ms.body...)
		ms.body = value[from:len(value):len(value)]
		if len(ms.group) != 0 {
			ms.group = append([]byte(nil), ms.group...)
		}
	}
	return value, index, scratch
}

// decodeIndex reads an index of n messages: data is what their headers and bodies lie in, nil if they are not wanted.
// deltas is nil where the ids follow one another.
func decodeIndex(first uint64, h *head, index, data []byte) (msgs []msg, deltas []uint32, err error) {
	msgs = make([]msg, h.n)
	if h.flags&flagDense == 0 {
		deltas = make([]uint32, h.n)
	}
	r := wire.NewReader(index)
	id, pushed, skip := first-1, h.pushed, data == nil
	take := func(n uint64) []byte {
		if skip {
			return nil
		}
		if n > uint64(len(data)) {
			r.Fail(errDamaged)
			return nil
		}
		p := data[:n:n]
		data = data[n:]
		return p
	}
	for i := range msgs {
		ms, f := &msgs[i], r.Byte()
		id++
		if f&hasDelta != 0 {
			id += r.Uvarint() - 1
		}
		if deltas != nil {
			deltas[i] = uint32(id - first)
		}
		if f&hasPushed != 0 {
			pushed = int64(r.Uvarint())
		}
		ms.pushed = pushed
		if f&hasDelay != 0 {
			ms.notBefore = int64(r.Uvarint())
		}
		if f&hasExpiry != 0 {
			ms.expires = int64(r.Uvarint())
		}
		if f&hasGroup != 0 {
			ms.group = r.Bytes()
		}
		if f&hasHeaders != 0 {
			ms.headers = take(r.Uvarint())
		}
		ms.body = take(r.Uvarint())
	}
	if r.Close() != nil || len(data) != 0 {
		return nil, nil, errDamaged
	}
	return msgs, deltas, nil
}

// decodeChunk reads a chunk's value.
func decodeChunk(first uint64, h *head, value []byte) ([]msg, []uint32, error) {
	r := wire.NewReader(value)
	index := r.Bytes()
	data := r.Rest()
	if r.Err() != nil {
		return nil, nil, errDamaged
	}
	if data == nil {
		data = []byte{}
	}
	return decodeIndex(first, h, index, data)
}
