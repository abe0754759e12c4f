// Package fsm is the state machine of the key-value engine: what every operation does, how keys lie in the store, and the
// ring of changes that watches are fed from. It has no clock, no dice and no I/O but the store, so that every replica
// comes to the same bytes.
//
// An operation is written once, as a function over a Tx. The same function serves a command of the log, one operation of
// a transaction, a read beside the log, and the rehearsal of a command before it is proposed.
package fsm
