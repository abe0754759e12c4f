package wire

import (
	"errors"
	"fmt"
)

// Code says how a request ended. The numbers are part of the protocol: append, never renumber.
type Code uint8

// The closed table of codes. What each means to HTTP and RESP is in codes.
const (
	OK              Code = 0
	Invalid         Code = 1
	NotFound        Code = 2
	Exists          Code = 3
	Conflict        Code = 4
	TooLarge        Code = 5
	NotLeader       Code = 6
	Unavailable     Code = 7 // surely not executed
	Busy            Code = 8
	Timeout         Code = 9 // surely not executed
	Unauthorized    Code = 10
	WrongType       Code = 11
	Internal        Code = 12
	Unauthenticated Code = 13
	OutOfRange      Code = 14
	Compacted       Code = 15
	Fenced          Code = 16 // a stale receipt or an old generation
	OutcomeUnknown  Code = 17 // may or may not have been executed
	Full            Code = 18
	Empty           Code = 19
	Unsupported     Code = 20
	Canceled        Code = 21
	CrossGroup      Code = 22
)

// codes holds what a code is called and how the other protocols say it; the index is the code.
var codes = [...]struct {
	name string
	http int
	resp string
}{
	OK:              {"OK", 200, "OK"},
	Invalid:         {"Invalid", 400, "ERR"},
	NotFound:        {"NotFound", 404, "ERR"},
	Exists:          {"Exists", 409, "ERR"},
	Conflict:        {"Conflict", 409, "ERR"},
	TooLarge:        {"TooLarge", 413, "ERR"},
	NotLeader:       {"NotLeader", 421, "CLUSTERDOWN"},
	Unavailable:     {"Unavailable", 503, "CLUSTERDOWN"},
	Busy:            {"Busy", 429, "TRYAGAIN"},
	Timeout:         {"Timeout", 504, "ERR"},
	Unauthorized:    {"Unauthorized", 403, "NOPERM"},
	WrongType:       {"WrongType", 409, "WRONGTYPE"},
	Internal:        {"Internal", 500, "ERR"},
	Unauthenticated: {"Unauthenticated", 401, "NOAUTH"},
	OutOfRange:      {"OutOfRange", 416, "ERR"},
	Compacted:       {"Compacted", 410, "ERR"},
	Fenced:          {"Fenced", 409, "ERR"},
	OutcomeUnknown:  {"OutcomeUnknown", 504, "ERR"},
	Full:            {"Full", 507, "OOM"},
	Empty:           {"Empty", 404, "ERR"},
	Unsupported:     {"Unsupported", 501, "ERR"},
	Canceled:        {"Canceled", 499, "ERR"},
	CrossGroup:      {"CrossGroup", 400, "CROSSSLOT"},
}

// String returns the code's name.
func (c Code) String() string {
	if int(c) < len(codes) {
		return codes[c].name
	}
	return fmt.Sprintf("Code(%d)", uint8(c))
}

// HTTPStatus returns the HTTP status that says the same. A Conflict under If-Match is 412 instead.
func (c Code) HTTPStatus() int {
	if int(c) < len(codes) {
		return codes[c].http
	}
	return 500
}

// RESPPrefix returns the first word of a RESP error that says the same.
func (c Code) RESPPrefix() string {
	if int(c) < len(codes) {
		return codes[c].resp
	}
	return "ERR"
}

// Error is a request's failure. errors.Is matches another *Error by its Code alone, on either side of a connection.
type Error struct {
	Code Code
	Sub  uint32 // an engine's own number: for documents MongoDB's code; else 0
	Msg  string // names the thing, the limit and the remedy
}

// Errorf returns an Error with the formatted message.
func Errorf(code Code, format string, args ...any) *Error {
	return &Error{Code: code, Msg: fmt.Sprintf(format, args...)}
}

// Error returns the message, or the code's name where there is none.
func (e *Error) Error() string {
	if e.Msg == "" {
		return e.Code.String()
	}
	return e.Msg
}

// Is reports whether target is an *Error of the same code.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error) // Is gets each error of the chain by itself
	return ok && t.Code == e.Code
}

// CodeOf returns the code of err: OK for nil, Internal for an error that carries none.
func CodeOf(err error) Code {
	if err == nil {
		return OK
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return Internal
}
