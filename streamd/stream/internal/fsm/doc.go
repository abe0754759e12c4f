// Package fsm is the state machine of the stream engine: what a command does to topics, their partitions and consumer groups,
// the same on every replica. It knows neither clock nor dice: time is that of the log entry, numbers that nobody has had are
// revisions, and offsets that a time stands for come with the command.
//
// A batch of records is one value in the store, the bytes as they came: they alias the log entry and are never copied. In
// memory is a descriptor of 16 bytes for each, in blocks, so that any offset is found without reading. Each command writes
// what it changes before it is answered (there is no Sealer): who reads beside the log sees in the store what memory says.
//
// Everything that influences an answer is a function of what is stored and of the time: a replica that was restarted
// decides as its peers do.
package fsm
