package fsm

import (
	"bytes"
	"testing"

	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// FuzzApply gives the machine commands with any bytes for a payload: every one is answered, none is a fault, what Check
// refuses Apply refuses (but for what the engine adds, which only Apply judges), and the payload is left alone. A batch that Check
// refuses is not applied: the log has what was let in, and readers rightly call one that says wrong things of its records damaged.
func FuzzApply(f *testing.F) {
	p := newPlayer(3)
	p.now = 1_000_000
	for range 300 {
		c := p.command()
		f.Add(uint16(c.Op), c.Body)
	}
	for low := range 256 {
		f.Add(uint16(wire.EngineStream)<<8|uint16(low), []byte{})
		f.Add(uint16(wire.EngineStream)<<8|uint16(low), []byte("\x01a\x01g\x01x\x01\x01\x01"))
	}
	b := newBench(f, store.Options{Memory: true})
	f.Cleanup(b.Close)
	b.Now = 1000
	f.Fuzz(func(t *testing.T, number uint16, body []byte) {
		op, before := wire.Op(number), bytes.Clone(body)
		bad := b.m.Check(op, body)
		b.m.Read(op, body, nil)
		if bad != nil && op == wire.OpStreamAppend {
			return
		}
		for _, ans := range b.Any(t, op, body) {
			if bad != nil && ans.Code == wire.OK && op != wire.OpStreamReset && KindOf(op) != Engine {
				t.Fatalf("%v was refused (%v), and then executed", op, bad)
			}
		}
		if !bytes.Equal(body, before) {
			t.Fatalf("%v has changed its payload", op)
		}
	})
}

// FuzzRecords gives the decoders of what is stored any bytes: they take them or say that they are damaged, and what they take is
// written and read again the same.
func FuzzRecords(f *testing.F) {
	b := newBench(f, store.Options{Memory: true})
	newPlayer(4).record(b, 300)
	v := b.Store.View()
	err := v.Iterate(nil, nil, store.IterOptions{}, func(_ []byte, v store.Value) bool {
		f.Add(bytes.Clone(v.Head))
		f.Add(bytes.Clone(v.Body))
		return true
	})
	v.Close()
	if err != nil {
		f.Fatal(err)
	}
	b.Close()
	f.Fuzz(func(t *testing.T, p []byte) {
		again := func(what string, first error, written []byte, read func([]byte) error) {
			if first != nil {
				return
			}
			if err := read(written); err != nil {
				t.Fatalf("a %s %x was read, and is written as %x, which cannot be read", what, p, written)
			}
		}
		var pr, pr2 producer
		again("producer", pr.decode(p), pr.append(nil), pr2.decode)
		var g, g2 group
		again("group", g.decode(p), g.append(nil), g2.decode)
		var x, x2 member
		again("member", x.decode(p), x.append(nil), x2.decode)
		var tp, tp2 topic
		n, err := tp.decode(p)
		tp.parts = make([]*partition, n)
		again("topic", err, tp.append(nil), func(b []byte) error { _, err := tp2.decode(b); return err })
		records, size, time, err := decodeHead(p)
		again("head", err, appendHead(nil, records, size, time), func(b []byte) error { _, _, _, err := decodeHead(b); return err })
	})
}
