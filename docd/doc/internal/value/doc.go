// Package value is the order, the paths and the keys of BSON values. It works on the bytes of checked documents, keeps no
// state and needs no clock, so every replica gets the same answers. Bytes that are not BSON never make it panic: what
// cannot be read is taken for the end of its document, or for zero.
package value

// What a document may have at most. A level is a document or an array; the outermost document is the first.
const (
	MaxDepth = 100
	MaxSize  = 16 << 20
)

// MaxPath is how many components a dotted path may have.
const MaxPath = 200

// deepest is where comparisons and keys stop to look inside: results of expressions may go somewhat deeper than what may be stored.
const deepest = 2 * MaxDepth
