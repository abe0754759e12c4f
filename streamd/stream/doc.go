// Package stream is the stream engine: topics whose partitions are logs of Kafka record batches, and groups of consumers that
// share them, replicated by a Raft group and kept in a store of its own. Everybody speaks to it through engine.Engine; what the
// log does is in internal/fsm.
//
// What is published is gathered, for each partition, in a record batch that grows while the entry it will be in is open
// (replica.Group.Share), and is proposed as one command, OpStreamAppend. Batches of topics with a codec are gathered before the
// log, compressed by workers, one at a time for each partition, and then proposed.
//
// Fetches and consumes are calls: they read on workers, and wait, parked without a goroutine, until something is appended where
// they look. What a group has committed and who owns what is in the log; where each member stands between two commits, and when
// it was last heard of, only the leader knows: see coordinator.
package stream
