package wire

import "time"

// Flags modify a request, whatever its operation.
type Flags uint8

const (
	// FlagOrdered: the request must take effect after the earlier requests of the same Replier, which may not have
	// been applied yet. Fronts of protocols with ordered commands set it; it does not travel in a native frame.
	FlagOrdered Flags = 1 << iota
	// FlagStale lets any replica answer, from whatever it has applied.
	FlagStale
	// FlagLeader lets the leader answer without asking its peers whether it still leads.
	FlagLeader
)

// Request asks an engine for one operation.
type Request struct {
	Op       Op
	Flags    Flags
	Tag      uint64 // names the answer; unique for its Replier while in flight
	Deadline int64  // by Clock; 0 is none. Work that has not begun by then is answered Timeout
	Session  uint64 // exactly-once: the client's session, 0 is none
	Seq      uint64 // exactly-once: the request's number in its session, from 1
	Acked    uint64 // exactly-once: every answer below this number has been received
	Body     []byte // the operation's payload, on loan until Submit returns
}

// Response is one answer. Rev, Num and Body mean what the operation says.
type Response struct {
	Code Code
	More bool   // further answers follow
	Sub  uint32 // with an error: Error.Sub
	Rev  uint64 // the revision that was read or written
	Num  int64
	Body []byte // valid during Reply only; with an error its message
}

// Replier receives answers. A connection is its own Replier and finds its place by tag, so that no closure is made for
// each request. Reply never blocks: it is called from the goroutine that applies. resp.Body is valid during the call.
type Replier interface {
	Reply(tag uint64, resp Response)
}

// Fail returns the answer that says err.
func Fail(err error) Response {
	if e, ok := err.(*Error); ok { //nolint:errorlint // the common case without a walk
		return Response{Code: e.Code, Sub: e.Sub, Body: []byte(e.Msg)}
	}
	return Response{Code: CodeOf(err), Body: []byte(err.Error())}
}

// Failf returns the answer that says the formatted message.
func Failf(code Code, format string, args ...any) Response {
	return Fail(Errorf(code, format, args...))
}

// Err returns the answer's failure, nil if it is none. The error owns its memory.
func (r *Response) Err() error {
	if r.Code == OK {
		return nil
	}
	return &Error{Code: r.Code, Sub: r.Sub, Msg: string(r.Body)}
}

var clockBase = time.Now() //nolint:gochecknoglobals // the origin of Clock

// Clock returns monotonic nanoseconds since the process began: the clock of Request.Deadline.
func Clock() int64 { return int64(time.Since(clockBase)) + 1 }

// DeadlineAfter returns the Deadline that is d from now.
func DeadlineAfter(d time.Duration) int64 { return Clock() + int64(d) }
