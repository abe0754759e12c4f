// Package wire is what travels between a client, a front and an engine: frames, operation numbers, error codes and
// payload codecs. PROTOCOL.md beside it is the specification; the golden frames in testdata hold both to it.
//
// The package depends on the standard library only, so that a client links nothing of the server.
package wire
