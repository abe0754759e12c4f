// Package update applies MongoDB's update documents, operators or a replacement, to BSON documents, byte by byte.
//
// An update is compiled into a tree of paths, whose leaves are operators, and applied in one pass over the document:
// what no path names is copied as it lies. It is a function of the document and the Context; a state machine may apply it.
package update
