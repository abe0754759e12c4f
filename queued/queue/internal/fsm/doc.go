// Package fsm is the state machine of the queue engine: what a command does to queues and messages, the same on every
// replica. It knows neither clock nor dice: time is that of the log entry, and the random part of a receipt comes with the
// command.
//
// What one entry pushes into one queue in one priority is a chunk: one value in the store, written once. What has become
// of its messages (gone, leased, delayed) is a second, small value. Both are written when the entry ends, so that an entry
// of hundreds of commands costs a few writes. In memory is a descriptor of each chunk, the state of chunks that have one,
// and a cache of decoded chunks.
//
// Everything that influences an answer is a function of what is stored and of the time: a replica that was restarted
// decides as its peers do. What memory has besides (cursors, heaps, the cache) only makes finding it quick.
package fsm
