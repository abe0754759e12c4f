package fsm

import (
	"encoding/binary"
	"math"
)

// The store's keys begin with one byte that says what they are.
//
//	k generation key        a value
//	x time generation key   says that the key may expire at that time; its value is empty
//	m name                  the engine's own records
//
// A generation is its length in bytes and then its bytes, most significant first, so that generations sort by number
// and the first 255 take two bytes. A time is eight bytes, most significant first.
const (
	tagKey   = 'k'
	tagIndex = 'x'
	tagMeta  = 'm'
)

var (
	metaKeyspace = []byte{tagMeta, 'k'} // keyspace.append
	metaSwept    = []byte{tagMeta, 's'} // below this key the index is empty
	metaCollect  = []byte{tagMeta, 'c'} // how far the first range of garbage has been removed
)

func appendGen(b []byte, gen uint64) []byte {
	var p [8]byte
	binary.BigEndian.PutUint64(p[:], gen)
	i := 0
	for i < 7 && p[i] == 0 {
		i++
	}
	return append(append(b, byte(8-i)), p[i:]...)
}

// takeGen reads a generation from the front of p and returns the rest.
func takeGen(p []byte) (gen uint64, rest []byte, ok bool) {
	if len(p) < 1 || p[0] < 1 || p[0] > 8 || len(p) < 1+int(p[0]) {
		return 0, nil, false
	}
	n := int(p[0])
	for _, c := range p[1 : 1+n] {
		gen = gen<<8 | uint64(c)
	}
	return gen, p[1+n:], true
}

// genPrefix returns what all keys of a generation begin with.
func genPrefix(gen uint64) []byte { return appendGen([]byte{tagKey}, gen) }

// appendIndex appends the index key that says when a key may expire.
func appendIndex(b []byte, expires int64, gen uint64, key []byte) []byte {
	b = binary.BigEndian.AppendUint64(append(b, tagIndex), uint64(expires))
	return append(appendGen(b, gen), key...)
}

// indexFrom returns the first index key that an expiry at ms or later can have.
func indexFrom(ms int64) []byte {
	return binary.BigEndian.AppendUint64([]byte{tagIndex}, uint64(ms))
}

// indexEnd is behind the last index key.
func indexEnd() []byte { return []byte{tagIndex + 1} }

// takeIndex reads an index key.
func takeIndex(p []byte) (expires int64, gen uint64, key []byte, ok bool) {
	if len(p) < 9 || p[0] != tagIndex {
		return 0, 0, nil, false
	}
	at := binary.BigEndian.Uint64(p[1:])
	if at > math.MaxInt64 {
		return 0, 0, nil, false
	}
	gen, key, ok = takeGen(p[9:])
	return int64(at), gen, key, ok
}
