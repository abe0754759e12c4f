// Package keys makes keys of a store that are in the order of what they say: a byte for their kind, then numbers, then the
// bytes of a name.
package keys

import "encoding/binary"

// Append appends a key of a kind and of numbers, of eight bytes each, most significant first.
func Append(b []byte, kind byte, numbers ...uint64) []byte {
	b = append(b, kind)
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

// After returns the first key behind all that begin with prefix, nil if there is none: if the prefix has no byte below 255. It
// is a new slice.
func After(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != 0xFF {
			end := append([]byte(nil), prefix[:i+1]...)
			end[i]++
			return end
		}
	}
	return nil
}
