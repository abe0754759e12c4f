// Package replica keeps the state machines of one or more engines equal on every node of a Raft group: hashicorp/raft over
// raft-wal, with a batching proposer above it and the engines' stores below.
//
// A command goes this way: Propose copies it into the open batch; the proposer closes the batch and hands it to Raft as one
// log entry; when a majority has it on disk, the apply goroutine runs its commands and answers them. Machines may keep what
// they were handed, because an entry's memory is never written again.
//
// A store is the snapshot of its engine: its last flush says which index it holds, the log is cut only below the lowest of
// the stores, and after a restart the log feeds each from where it is.
package replica
