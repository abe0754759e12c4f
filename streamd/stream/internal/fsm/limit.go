package fsm

// What one command of the engine's own may do (wire.AppendLimit), so that none holds the log for long. In their answers Num is how
// much they did; Rev is 0 when nothing was to be done.
const (
	RetainLimit  = 1000 // batches that an OpStreamRetain removes
	ExpireLimit  = 1000 // producers, and topics of groups, that an OpStreamExpire forgets
	CollectLimit = 1000 // keys that an OpStreamCollect removes
)

// expiry is how long, in ms, the offsets of a group without members are kept after its last commit and after its last member has
// left, and how long a producer is remembered after its last batch.
const expiry = 7 * 24 * 3600_000
