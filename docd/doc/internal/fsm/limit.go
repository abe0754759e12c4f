package fsm

// What one command of the engine's own may do (wire.AppendLimit), so that none holds the log for long. In their answers Num is how
// much they did; Rev is 0 when nothing was to be done.
const (
	BuildLimit   = 1000 // documents that an OpDocBuild goes through
	ExpireLimit  = 500  // documents that an OpDocExpire removes
	CollectLimit = 1000 // keys that an OpDocCollect removes
	TrimLimit    = 1000 // chunks of recorded changes that an OpDocTrim removes

	buildBytes = 4 << 20 // of documents that an OpDocBuild goes through, but at least one document
)

const (
	maxFeeds   = 1000      // names whose changes are recorded
	chunkBytes = 256 << 10 // of events, from which on a chunk is not added to
)
