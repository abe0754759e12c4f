package wire

// Bounds that every part agrees on. CONTRACTS §1 of the design is their source.
const (
	MaxKey       = 64_000   // bytes of a key; an empty key is legal
	MaxValue     = 8 << 20  // default bytes of a value (-max-value)
	MaxBatch     = 10_000   // keys of one batch
	MaxCommand   = 17 << 20 // bytes of one replicated command
	MaxBatchLSM  = 8 << 20  // bytes that one command may put into the LSM tree: keys, index keys, values up to 512 B
	MaxBatchKeys = 50_000   // entries that one command may put into the LSM tree
	MaxRequest   = 32 << 20 // default bytes of one request frame (-max-request)
	KVDatabases  = 16       // databases of the key-value engine, numbered from 0
)
