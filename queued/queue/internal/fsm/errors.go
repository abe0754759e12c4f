package fsm

import "github.com/skshohagmiah/flin/pkg/wire"

var (
	errRead     = &wire.Error{Code: wire.Invalid, Msg: "an ordered read cannot write"}
	errEmpty    = &wire.Error{Code: wire.Empty, Msg: "nothing in the queue can be delivered now"}
	errFenced   = &wire.Error{Code: wire.Fenced, Msg: "the receipt is stale: the lease has run out, or the message was dealt with already"}
	errBusy     = &wire.Error{Code: wire.Busy, Msg: "too many messages were moved at once: try again"}
	errNoMsg    = &wire.Error{Code: wire.NotFound, Msg: "the queue has no message of that id"}
	errNoRoom   = &wire.Error{Code: wire.Full, Msg: "the queue remembers as many dedup ids as it may: push without one, or wait until its window has moved on"}
	errNone     = &wire.Error{Code: wire.Invalid, Msg: "a batch has at least one element"}
	errPushFlag = &wire.Error{Code: wire.Invalid, Msg: "a message has flags that do not exist or exclude one another"}
)

// emptyAnswer is what most polls get, made once.
var emptyAnswer = wire.Fail(errEmpty)

func errNoQueue(name []byte) *wire.Error {
	return wire.Errorf(wire.NotFound, "there is no queue %q", name)
}

// over says that a number is above its limit.
func over(what string, n, limit uint64) *wire.Error {
	return wire.Errorf(wire.Invalid, "%s of %d is over the limit of %d", what, n, limit)
}
