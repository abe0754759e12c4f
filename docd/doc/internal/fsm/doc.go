// Package fsm is the state machine of the document engine: what a command does to collections, their documents and their
// indexes, the same on every replica. It knows neither clock nor dice: time is that of the log entry, numbers that nobody has
// had are revisions, and what a filter finds has been looked up before: a command names documents, and what must hold of them
// still.
//
// A document is one value in the store, the bytes as they came, under the key of its _id. An index has an entry for each of a
// document's keys; a command writes only those that it changes. In memory are the collections and what their indexes are,
// each as it is at one moment: who reads beside the log takes that together with a view of the store (Reader). Each
// command writes what it changes before it is answered (there is no Sealer).
//
// Where a collection or a database has a feed, a command also writes what it has changed there, document by document, as one value
// under its revision: who watches reads these in their order, at any time until they are trimmed.
//
// Everything that influences an answer is a function of what is stored and of the time: a replica that was restarted
// decides as its peers do.
package fsm
