package fsm

import (
	"bytes"
	"testing"

	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// FuzzApply gives the machine commands with any bytes for a payload: every one is answered, none is a fault, what Check
// refuses Apply refuses, and the payload is left alone.
func FuzzApply(f *testing.F) {
	p := newPlayer(3)
	for range 300 {
		c := p.command()
		f.Add(uint16(c.Op), c.Body)
	}
	for low := range 256 {
		f.Add(uint16(wire.EngineQueue)<<8|uint16(low), []byte{})
		f.Add(uint16(wire.EngineQueue)<<8|uint16(low), []byte("\x01a\x01\x01\x01\x01\x01"))
	}
	b := newBench(f, store.Options{Memory: true})
	f.Cleanup(b.Close)
	b.Now = 1000
	f.Fuzz(func(t *testing.T, number uint16, body []byte) {
		op, before := wire.Op(number), bytes.Clone(body)
		bad := b.m.Check(op, body)
		b.m.Read(op, body, nil)
		for _, ans := range b.Any(t, op, body) {
			if bad != nil && ans.Code == wire.OK {
				t.Fatalf("%v was refused (%v), and then executed", op, bad)
			}
		}
		if !bytes.Equal(body, before) {
			t.Fatalf("%v has changed its payload", op)
		}
	})
}

// FuzzRecords gives the decoders of what is stored any bytes: what they take they write again the same.
func FuzzRecords(f *testing.F) {
	f.Add([]byte{3, flagDense, 1, 0, 0}, []byte{6, 0, 0, 0, 0, 0, 0}, []byte{9, goneBits, 5})
	f.Add([]byte{2, 0, 1, 0, 2}, []byte{5, 0, 1, 1, 7, 1, 'x', 'y'}, []byte{9, gonePrefix, 1, 3})
	f.Fuzz(func(t *testing.T, headBytes, value, state []byte) {
		var h head
		if h.decode(headBytes) != nil {
			return
		}
		msgs, deltas, err := decodeChunk(1000, &h, value)
		if err != nil {
			return
		}
		c := &chunk{first: 1000, flags: h.flags, n: h.n, alive: h.n, msgs: msgs, deltas: deltas}
		c.grow(c.n)
		for i := range msgs {
			c.size += len(msgs[i].headers) + len(msgs[i].body)
		}
		again, _, _ := c.encode(nil)
		if _, _, err := decodeChunk(1000, &h, again); err != nil {
			t.Fatalf("%q was read, and is written as %q, which cannot be read", value, again)
		}
		if c.decodeState(state) == nil {
			_ = c.appendState(nil)
		}
	})
}
