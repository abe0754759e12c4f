// Package queue is the message queue engine: messages with priorities, delays, groups and leases, replicated by a Raft group
// and kept in a store of its own. Everybody speaks to it through engine.Engine; what the operations do is in internal/fsm.
//
// A write is checked on the caller's goroutine and proposed; the log applies it. A pop is proposed with a Replier of the
// engine's own, which sees the answer first: one that finds nothing and may wait is parked in its queue's line, without a
// goroutine, until the machine says that the queue can deliver; what comes for a client that has gone is put back. A read of
// counts is answered on the caller's goroutine where that is linearizable; what looks at messages goes to the workers.
package queue
