package record

import (
	"math/rand/v2"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
)

// The values are those of the tests of Kafka itself (UtilsTest.testMurmur2).
func TestMurmur2GivesWhatKafkasGives(t *testing.T) {
	for key, want := range map[string]int32{
		"21":                         -973932308,
		"foobar":                     -790332482,
		"a-little-bit-long-string":   -985981536,
		"a-little-bit-longer-string": -1486304829,
		"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971,
		"abc": 479470107,
	} {
		if got := int32(murmur2([]byte(key))); got != want {
			t.Errorf("%q: %d, want %d", key, got, want)
		}
	}
}

func TestKeysLandWhereFranzGoPutsThem(t *testing.T) {
	topic := kgo.StickyKeyPartitioner(nil).ForTopic("t")
	dice := rand.New(rand.NewPCG(3, 4))
	for size := range 70 {
		for range 30 {
			key := make([]byte, size)
			for i := range key {
				key[i] = byte(dice.Uint32())
			}
			n := 1 + dice.IntN(1_000)
			if got, want := Partition(key, n), topic.Partition(&kgo.Record{Key: key}, n); got != want {
				t.Fatalf("%x of %d: %d, want %d", key, n, got, want)
			}
		}
	}
}
