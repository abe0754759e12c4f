package fsm

import (
	"encoding/binary"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// An entry of an index says which document has a key. Where keys are unique the _id's key is its value, in the head or, if it is
// too long, in the body: so a key is looked up without a scan. Else it is the end of the entry's key, and the head is its length.

// entryValue returns the value of an entry of the document t.id. held is what the entries of one document share.
func (t *tx) entryValue(ix *Index, held []byte) (head, body, shared []byte) {
	switch {
	case !ix.Unique():
		t.probe = binary.AppendUvarint(t.probe[:0], uint64(len(t.id)))
		return t.probe, nil, held
	case len(t.id) <= store.MaxHead:
		return t.id, nil, held
	case held == nil:
		held = append(held, t.id...)
	}
	return nil, held, held
}

// entryID returns the key of the _id that an entry of a unique index has.
func entryID(v store.Value) []byte {
	if len(v.Head) > 0 {
		return v.Head
	}
	return v.Body
}

// split takes an entry apart. key and id lie in what it is given.
func (ix *Index) split(entry []byte, v store.Value) (key, id []byte, err error) {
	if len(entry) < prefixSize {
		return nil, nil, errDamaged
	}
	key = entry[prefixSize:]
	if ix.Unique() {
		return key, entryID(v), nil
	}
	n, used := binary.Uvarint(v.Head)
	if used <= 0 || n > uint64(len(key)) {
		return nil, nil, errDamaged
	}
	at := len(key) - int(n)
	return key[:at:at], key[at:], nil
}

// keysOf lists the keys that a document has in an index, and tells whether it came to them through an array.
func (t *tx) keysOf(ix *Index, doc bsoncore.Document, list *keyList) (multikey bool, err error) {
	if !ix.Holds(doc) {
		return false, nil
	}
	shape, err := t.keyer.Keys(doc, ix.Fields, list.adder())
	if err != nil {
		list.reset()
		return false, err
	}
	if shape.Missing && ix.Flags&wire.DocIndexSparse != 0 {
		list.reset()
		return false, nil
	}
	return shape.Multikey, nil
}

// keyList is a list of keys, one behind the other in memory that is used again.
type keyList struct {
	buf  []byte
	ends []int
	fn   func(k []byte) // add, made once
}

func (l *keyList) reset()   { l.buf, l.ends = l.buf[:0], l.ends[:0] }
func (l *keyList) len() int { return len(l.ends) }
func (l *keyList) adder() func(k []byte) {
	if l.fn == nil {
		l.fn = l.add
	}
	return l.fn
}

func (l *keyList) add(k []byte) {
	l.buf = append(l.buf, k...)
	l.ends = append(l.ends, len(l.buf))
}

func (l *keyList) at(i int) []byte {
	from := 0
	if i > 0 {
		from = l.ends[i-1]
	}
	return l.buf[from:l.ends[i]]
}

// dueBy returns when a document with a key in a TTL index is due: never unless the key is a date.
func (ix *Index) dueBy(key []byte) int64 {
	const size = 1 + 8
	if len(key) != size {
		return never
	}
	var turn byte
	if ix.Fields[0].Desc {
		turn = 0xFF
	}
	if value.Class(key[0]^turn) != value.ClassDateTime {
		return never
	}
	var b [8]byte
	for i := range b {
		b[i] = key[1+i] ^ turn
	}
	ms := int64(binary.BigEndian.Uint64(b[:]) ^ 1<<63)
	at := ms + int64(ix.TTL)*1000
	if at < ms {
		return never
	}
	return at
}
