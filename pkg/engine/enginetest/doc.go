// Package enginetest holds every engine to the contract of package engine, near and far: called directly, and through a
// loop-back engine that encodes and decodes every request and answer as a connection does; package overbus does so behind a
// real bus. It also makes the worlds of engines over real groups, of one voter or three, in which their own tests ask them.
package enginetest
