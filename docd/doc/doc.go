// Package doc is the document engine: collections of BSON documents, found by MongoDB's filters and changed by its updates, by a
// state machine that the replication group feeds.
//
// Reads are answered from the store: documents by their _id, or by a key of a unique index, on the goroutine of whoever asks, all
// else on a worker, by a plan (package plan) over one view. What one answer cannot hold is left to a cursor, which is in the memory of
// the node that was asked. Writes are commands that name documents: what a filter finds is looked up first, on a worker, and then
// proposed with the filter, which must hold still when the command is applied. An insert, and a write that names its _id, is proposed
// at once.
//
// The changes of a collection or a database that has a feed are recorded by the commands that make them. A watch is fed with them by one
// goroutine for all (hub), from memory while it keeps up, else from the store, on any node.
//
// A transaction reads a snapshot and gathers its writes in a draft, as a batch of writes does; what has come of them is one command, which
// demands the versions of the snapshot.
//
// What one client asks for in order (wire.FlagOrdered) keeps it: see package held.
package doc
