package resp

import (
	"math"
	"strconv"
)

// parseInt reads a decimal integer as strictly as Redis: no sign but a minus, no leading zeros, nothing around it.
func parseInt(p []byte) (int64, bool) {
	if len(p) == 0 || len(p) > 20 {
		return 0, false
	}
	neg := p[0] == '-'
	if neg {
		p = p[1:]
	}
	if len(p) == 0 || p[0] == '0' && (len(p) > 1 || neg) {
		return 0, false
	}
	var v uint64
	for _, c := range p {
		d := c - '0'
		if d > 9 || v > (math.MaxUint64-uint64(d))/10 {
			return 0, false
		}
		v = v*10 + uint64(d)
	}
	if neg {
		return int64(-v), v <= 1<<63
	}
	return int64(v), v <= math.MaxInt64
}

// parseUint reads a decimal integer of 64 bits without a sign.
func parseUint(p []byte) (uint64, bool) {
	if len(p) == 0 || len(p) > 20 {
		return 0, false
	}
	v, err := strconv.ParseUint(string(p), 10, 64)
	return v, err == nil
}

// fold reports whether p is the word, whatever the case of p's letters. word is in lower case.
func fold(p []byte, word string) bool {
	if len(p) != len(word) {
		return false
	}
	for i := range p {
		if lower(p[i]) != word[i] {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		c += 'a' - 'A'
	}
	return c
}
