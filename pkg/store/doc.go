// Package store keeps one engine's keys: a write-behind table in memory, blob files for values over 512 B, and Badger for
// everything else. Only this package names Badger.
//
// The Raft log is the write-ahead log. One goroutine, the apply goroutine of the group, writes: Begin, Set and Delete,
// Commit for each command, Advance after each log entry. A committed command is visible at once. A flusher carries full or
// old tables to disk, each as one synced Badger transaction that holds the position reached in the log as well, so that
// after any crash the store is exactly at such a position and the log feeds it from there. Any goroutine may read.
package store
