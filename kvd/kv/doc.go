// Package kv is the key-value engine: strings with versions and expiry in 16 databases, replicated by a Raft group and
// kept in a store of its own. Everybody speaks to it through engine.Engine; what the operations do is in internal/fsm.
//
// A write is rehearsed on the caller's goroutine and proposed; the log applies it. A read of single keys is answered on the
// caller's goroutine where that is linearizable. What looks at many keys goes to the workers, over a view of the store.
// Watches are fed by one goroutine from a ring of changes.
package kv
