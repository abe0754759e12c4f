// Package plan chooses the way to the documents that a filter means: by their _id, by the entries of an index in some ranges, in
// the order of a sort or not, or through all of them. What an index says is a bound: whether each document has to be looked at
// still, the plan tells.
package plan
