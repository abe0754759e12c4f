package store

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"
)

func benchKey(b []byte, n uint64) []byte {
	return binary.BigEndian.AppendUint64(append(b[:0], "key:"...), n*0x9E3779B97F4A7C15)
}

// BenchmarkSet is one command of one write to a new key, an Advance after each 256.
func BenchmarkSet(b *testing.B) {
	for _, memory := range []bool{false, true} {
		for _, size := range []int{128, 1024} {
			b.Run(fmt.Sprintf("memory=%v/size=%d", memory, size), func(b *testing.B) {
				s := opened(b, Options{Dir: b.TempDir(), Memory: memory, MaxMemory: 1 << 40})
				body := make([]byte, size)
				var kb [64]byte
				n := uint64(0)
				b.ReportAllocs()
				for b.Loop() {
					n++
					w := s.Begin()
					w.Set(benchKey(kb[:], n), nil, body)
					w.Commit()
					if n%256 == 0 {
						advance(s)
					}
				}
			})
		}
	}
}

// BenchmarkGet reads random keys from the place named.
func BenchmarkGet(b *testing.B) {
	for _, place := range []string{"table", "cache", "disk"} {
		b.Run("from="+place, func(b *testing.B) {
			s := opened(b, Options{Dir: b.TempDir()})
			const keys = 40_000
			body := make([]byte, 1024)
			var kb [64]byte
			for n := range uint64(keys) {
				w := s.Begin()
				w.Set(benchKey(kb[:], n), []byte("head"), body)
				w.Commit()
			}
			advance(s)
			if place != "table" {
				s.live.first = s.live.first.Add(1 << 40)
				flushed(b, s)
			}
			buf := make([]byte, 0, 2048)
			b.ReportAllocs()
			for b.Loop() {
				if place == "disk" {
					s.cache.c.Del(benchKey(kb[:], 0))
				}
				key := benchKey(kb[:], rand.Uint64N(keys))
				if place == "disk" {
					s.cache.c.Del(key)
				}
				v, ok, err := s.Get(key, buf)
				if err != nil || !ok || len(v.Body) != 1024 {
					b.Fatal(ok, err)
				}
			}
		})
	}
}
