// Package enginetest holds every engine to the contract of package engine, near and far: called directly, and through a
// loop-back engine that encodes and decodes every request and answer as a connection does. It also boots engines over real
// groups, and asks them, for their own tests.
package enginetest
