package load

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
)

// KeySize is the length of every Key.
const KeySize = len(KeyPrefix) + 16

// KeyPrefix begins every Key.
const KeyPrefix = "key:"

// Key returns the name of key number n. Neighbouring numbers have names far apart, so that a run of new keys is in no
// order: easy for a hash table, hard for a tree. No two numbers have one name.
func Key(n uint64) string {
	var raw [8]byte
	var name [KeySize]byte
	binary.BigEndian.PutUint64(raw[:], mix(n))
	copy(name[:], KeyPrefix)
	hex.Encode(name[len(KeyPrefix):], raw[:])
	return string(name[:])
}

// poolWords are the random words that values are cut from: 256 KiB, which stay in a core's cache.
const poolWords = 32 << 10

// Values makes the value of each key number: the same for one seed and size always, no two alike, and nothing in them
// that a compressor could use. Safe for concurrent use: nothing in it changes.
type Values struct {
	pool []uint64
	seed uint64
	size int
}

// NewValues returns the values of size bytes that seed stands for.
func NewValues(seed uint64, size int) *Values {
	v := &Values{pool: make([]uint64, poolWords+(size+7)/8), seed: mix(seed), size: size}
	src := rand.NewPCG(seed, 0xF11)
	for i := range v.pool {
		v.pool[i] = src.Uint64()
	}
	return v
}

// Size returns the bytes of each value.
func (v *Values) Size() int { return v.size }

// Fill writes the value of key number n into buf and returns it; buf is grown where it is too small. The first word
// differs for every n, the others are a random window of the pool, scrambled by n.
func (v *Values) Fill(buf []byte, n uint64) []byte {
	words := (v.size + 7) / 8
	if cap(buf) < words*8 {
		buf = make([]byte, words*8)
	}
	buf = buf[:words*8]
	salt := mix(n ^ v.seed)
	from := mix(salt) % poolWords
	window := v.pool[from : from+uint64(words)]
	for i, w := range window {
		binary.LittleEndian.PutUint64(buf[i*8:], w^salt)
	}
	if words > 0 {
		binary.LittleEndian.PutUint64(buf, salt)
	}
	return buf[:v.size]
}

// mix scrambles n, one to one (the finalizer of SplitMix64: Steele, Lea, Flood, "Fast splittable pseudorandom number
// generators", 2014).
func mix(n uint64) uint64 {
	n += 0x9E3779B97F4A7C15
	n = (n ^ n>>30) * 0xBF58476D1CE4E5B9
	n = (n ^ n>>27) * 0x94D049BB133111EB
	return n ^ n>>31
}
