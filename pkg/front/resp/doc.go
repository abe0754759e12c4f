// Package resp speaks the Redis protocol, version 2 and 3, to a client and asks an engine for what it says. Names that
// Redis has mean what they mean in Redis 7.2, down to the texts of errors, so that its clients work unmodified.
//
// One literal table (table_*.go) says for every command what it is called, how many arguments it takes, which of them
// are keys and which function serves it. A function translates the arguments, which lie in the connection's input
// buffer, into one request of package wire and says by a shape how its answer becomes a reply. Nothing is allocated for
// a request on the way: a command that waits for the engine holds a slot in its connection's ring, and replies leave
// in the order of the slots.
package resp
