package record

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// perBatch is how many records a batch of the benchmarks has: what 256 publishers that wait make together.
const perBatch = 256

// text returns a value of n bytes that compresses about as logs do.
func text(n int) []byte {
	var b bytes.Buffer
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, `{"id":%d,"user":"u%d","path":"/api/v1/orders/%d","ms":%d}`, i*7919, i%13, i*31, i*i%997)
	}
	return b.Bytes()[:n]
}

func full(b *Builder, value []byte) {
	b.Reset()
	r := Record{Timestamp: someTime, Key: []byte("customer-1234"), Value: value}
	for range perBatch {
		b.Add(&r)
	}
}

func BenchmarkAdd(b *testing.B) {
	for _, size := range []int{100, 1024} {
		b.Run(fmt.Sprintf("size=%d", size), func(b *testing.B) {
			var builder Builder
			r := Record{Timestamp: someTime, Key: []byte("customer-1234"), Value: text(size)}
			b.SetBytes(int64(Size(&r)))
			b.ReportAllocs()
			for b.Loop() {
				if builder.Len() == perBatch {
					builder.Reset()
				}
				builder.Add(&r)
			}
		})
	}
}

func BenchmarkAppendTo(b *testing.B) {
	for _, c := range allCodecs {
		b.Run("codec="+CompressionName(c), func(b *testing.B) {
			var builder Builder
			full(&builder, text(1024))
			var dst []byte
			b.SetBytes(int64(builder.Size()))
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if dst, err = builder.AppendTo(dst[:0], c, NoProducer); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(builder.Size())/float64(len(dst)), "ratio")
		})
	}
}

func BenchmarkCheck(b *testing.B) {
	for _, c := range allCodecs {
		b.Run("codec="+CompressionName(c), func(b *testing.B) {
			var builder Builder
			full(&builder, text(1024))
			p, err := builder.AppendTo(nil, c, NoProducer)
			if err != nil {
				b.Fatal(err)
			}
			b.SetBytes(int64(builder.Size()))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Check(p, wire.MaxRecord); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkNext reads records; the figures are for one.
func BenchmarkNext(b *testing.B) {
	for _, c := range allCodecs {
		b.Run("codec="+CompressionName(c), func(b *testing.B) {
			var builder Builder
			full(&builder, text(1024))
			p, err := builder.AppendTo(nil, c, NoProducer)
			if err != nil {
				b.Fatal(err)
			}
			var (
				r   Reader
				rec Record
				ok  bool
			)
			b.SetBytes(int64(builder.Size() / perBatch))
			b.ReportAllocs()
			for b.Loop() {
				if !ok {
					if err := r.Reset(p); err != nil {
						b.Fatal(err)
					}
				}
				if ok, err = r.Next(&rec); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
