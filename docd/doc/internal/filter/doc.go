// Package filter is MongoDB's query language: it compiles filter documents, matches documents against them byte by byte and
// without allocating, and tells a planner which ranges of index keys can hold matches. A compiled filter never changes, so
// any number may use it at once; its answers are a function of the bytes.
package filter
