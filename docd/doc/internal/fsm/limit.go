package fsm

import "github.com/skshohagmiah/flin/pkg/wire"

// What one command of the engine's own may do, so that none holds the log for long.
const (
	BuildLimit   = 1000 // documents that an OpDocBuild goes through
	ExpireLimit  = 500  // documents that an OpDocExpire removes
	CollectLimit = 1000 // keys that an OpDocCollect removes

	buildBytes = 4 << 20 // of documents that an OpDocBuild goes through, but at least one document
)

// AppendLimit makes the payload of an OpDocBuild, an OpDocExpire or an OpDocCollect: how much it may do, at most the constant
// of this package. In their answers Num is how much they did; Rev is 0 when nothing was to be done.
func AppendLimit(b []byte, n int) []byte { return wire.AppendUvarint(b, uint64(n)) }

func takeLimit(body []byte, most int) (int, error) {
	r := wire.NewReader(body)
	n := r.Uvarint()
	if err := r.Close(); err != nil {
		return 0, err
	}
	return int(min(max(n, 1), uint64(most))), nil
}
