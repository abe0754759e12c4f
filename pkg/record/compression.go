package record

import (
	"strings"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// codecs are the names of the codecs, by their numbers.
var codecs = [...]string{
	wire.CompressionNone:   "none",
	wire.CompressionGzip:   "gzip",
	wire.CompressionSnappy: "snappy",
	wire.CompressionLZ4:    "lz4",
	wire.CompressionZstd:   "zstd",
}

// ParseCompression returns the codec of a name, in whatever case: none, gzip, snappy, lz4 or zstd. Invalid for any other.
func ParseCompression(name string) (wire.Compression, error) {
	for c, n := range codecs {
		if strings.EqualFold(n, name) {
			return wire.Compression(c), nil
		}
	}
	return 0, wire.Errorf(wire.Invalid, "compression %q is not known: it is one of %s", name, strings.Join(codecs[:], ", "))
}

// CompressionName returns the name of a codec, "unknown" if there is none of the number.
func CompressionName(c wire.Compression) string {
	if int(c) < len(codecs) {
		return codecs[c]
	}
	return "unknown"
}

// knownCodec returns an error unless there is a codec of the number.
func knownCodec(c wire.Compression) error {
	if int(c) < len(codecs) {
		return nil
	}
	return wire.Errorf(wire.Invalid, "compression %d is not known: the codecs are 0 to %d (%s)", c, len(codecs)-1, strings.Join(codecs[:], ", "))
}

func errTooMuch() error {
	return wire.Errorf(wire.TooLarge, "the records of a batch have over %d bytes without compression: put fewer records into one", MaxUncompressed)
}
