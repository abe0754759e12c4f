package record

import "encoding/binary"

// Partition returns the partition, of n, that Kafka's clients put a key into by default: murmur2 without its highest bit, modulo
// n. n must be at least 1.
func Partition(key []byte, n int) int { return int(murmur2(key)&0x7fffffff) % n }

// murmur2 is Austin Appleby's 32-bit hash, which is in the public domain, with the seed that Kafka gives it.
func murmur2(p []byte) uint32 {
	const (
		seed  = 0x9747b28c
		prime = 0x5bd1e995
	)
	h := uint32(seed) ^ uint32(len(p))
	for ; len(p) >= 4; p = p[4:] {
		k := binary.LittleEndian.Uint32(p) * prime
		k = (k ^ k>>24) * prime
		h = h*prime ^ k
	}
	if len(p) > 0 {
		var tail uint32
		for i, c := range p {
			tail |= uint32(c) << (8 * i)
		}
		h = (h ^ tail) * prime
	}
	h = (h ^ h>>13) * prime
	return h ^ h>>15
}
