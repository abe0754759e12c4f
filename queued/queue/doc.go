// Package queue is the message queue engine: messages that are pushed, delayed, leased, acknowledged and, when nobody can
// deal with them, put aside. What is decided is decided by the state machine in internal/fsm, by the time of log entries.
package queue
