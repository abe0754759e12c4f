// Package project says which parts of a document a reader gets, and in which order documents come: MongoDB's projections
// and sorts. What is compiled never changes; results are a function of the bytes.
package project
