package flin

import "github.com/skshohagmiah/flin/pkg/wire"

// Error is a failure that the server reports, or that the client reports in its place. errors.Is compares its Code with
// that of the sentinels below; Msg says what happened.
type Error = wire.Error

// The sentinels for errors.Is.
var (
	ErrInvalid         = &Error{Code: wire.Invalid}
	ErrNotFound        = &Error{Code: wire.NotFound}
	ErrExists          = &Error{Code: wire.Exists}
	ErrConflict        = &Error{Code: wire.Conflict}
	ErrTooLarge        = &Error{Code: wire.TooLarge}
	ErrNotLeader       = &Error{Code: wire.NotLeader}
	ErrUnavailable     = &Error{Code: wire.Unavailable} // surely not executed
	ErrBusy            = &Error{Code: wire.Busy}
	ErrTimeout         = &Error{Code: wire.Timeout} // surely not executed
	ErrUnauthorized    = &Error{Code: wire.Unauthorized}
	ErrWrongType       = &Error{Code: wire.WrongType}
	ErrInternal        = &Error{Code: wire.Internal}
	ErrUnauthenticated = &Error{Code: wire.Unauthenticated}
	ErrOutOfRange      = &Error{Code: wire.OutOfRange}
	ErrCompacted       = &Error{Code: wire.Compacted}
	ErrFenced          = &Error{Code: wire.Fenced}
	ErrOutcomeUnknown  = &Error{Code: wire.OutcomeUnknown} // may or may not have been executed
	ErrFull            = &Error{Code: wire.Full}
	ErrEmpty           = &Error{Code: wire.Empty}
	ErrUnsupported     = &Error{Code: wire.Unsupported}
	ErrCanceled        = &Error{Code: wire.Canceled}
	ErrCrossGroup      = &Error{Code: wire.CrossGroup}
)

// ErrClosed is what every call reports after Close.
var ErrClosed = &Error{Code: wire.Canceled, Msg: "flin: the client is closed"}
