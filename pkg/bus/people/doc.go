// Package people answers those who have nothing but the nats command line: what they ask in plain text or JSON, below flin.
// (CONTRACTS §6 of the design), and who is there, as a NATS micro service (nats micro ls, info, stats, ping).
//
// Each engine is one service, flin-<engine>, with an instance at every node. A request's subject is flin.<engine>.<verb>.<name>: the
// tokens behind the verb, joined by dots, are the name of what it is about. A name that no subject can have (with spaces, *, > or
// empty tokens) is in the header Flin-Key, or in base64 in Flin-Key-Base64; then nothing follows the verb, so that permissions
// for subjects mean what they say. Options are headers, in letters of any size. What an engine answers to is the table in its file.
//
// An answer is text, or JSON: one document, or one a line. Where there is more, headers of the answer say how to go on. An error
// has the number that HTTP gives it in Nats-Service-Error-Code, its name and text in Nats-Service-Error, and no body, so that it
// cannot be taken for a value. An answer is one message: what does not fit is refused, and lists end early.
//
// Requests are answered by the node that leads; another hands them on to it.
//
// The micro service is not that of nats.go's package micro, but only its messages: there a handler that waits keeps back all others,
// a request's time ends when its handler returns, and nothing that changes (role, term) can be among the metadata.
package people
