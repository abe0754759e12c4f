// Package expr evaluates MongoDB's aggregation expressions over BSON bytes: field paths, variables, literals and the
// operators of the table in table.go.
//
// An expression is compiled once and evaluated for many documents. What it makes lies in a Scratch, which is used again.
// There is no clock, no randomness and no time zone database here: replicas must agree.
package expr
