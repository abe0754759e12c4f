// Package enginetest holds every engine to the contract of package engine, near and far: called directly, and through a
// loop-back engine that encodes and decodes every request and answer as a connection does.
package enginetest
