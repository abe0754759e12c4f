package fsm

import "github.com/skshohagmiah/flin/pkg/wire"

// What one command of the engine's own may do, so that none holds the log for long.
const (
	RetainLimit  = 1000 // batches that an OpStreamRetain removes
	ExpireLimit  = 1000 // producers, and topics of groups, that an OpStreamExpire forgets
	CollectLimit = 1000 // keys that an OpStreamCollect removes
)

// expiry is how long, in ms, the offsets of a group without members are kept after its last commit and after its last member has
// left, and how long a producer is remembered after its last batch.
const expiry = 7 * 24 * 3600_000

// AppendLimit makes the payload of an OpStreamRetain, an OpStreamExpire or an OpStreamCollect: how much it may do, at most the
// constant of this package. In their answers Num is how much they did; Rev is 0 when nothing was to be done.
func AppendLimit(b []byte, n int) []byte { return wire.AppendUvarint(b, uint64(n)) }

func takeLimit(body []byte, most int) (int, error) {
	r := wire.NewReader(body)
	n := r.Uvarint()
	if err := r.Close(); err != nil {
		return 0, err
	}
	return int(min(max(n, 1), uint64(most))), nil
}
