package fsm

import "github.com/skshohagmiah/flin/pkg/wire"

// The failures of operations. Where Redis has the case the text is Redis's 7.2.
var (
	errNotInteger   = &wire.Error{Code: wire.Invalid, Msg: "value is not an integer or out of range"}
	errIncrOverflow = &wire.Error{Code: wire.Invalid, Msg: "increment or decrement would overflow"}
	errDecrOverflow = &wire.Error{Code: wire.Invalid, Msg: "decrement would overflow"}
	errNotFloat     = &wire.Error{Code: wire.Invalid, Msg: "value is not a valid float"}
	errNaN          = &wire.Error{Code: wire.Invalid, Msg: "increment would produce NaN or Infinity"}
	errOffset       = &wire.Error{Code: wire.OutOfRange, Msg: "offset is out of range"}
	errTooLong      = &wire.Error{Code: wire.TooLarge, Msg: "string exceeds maximum allowed size (proto-max-bulk-len)"}
	errBitOffset    = &wire.Error{Code: wire.OutOfRange, Msg: "bit offset is not an integer or out of range"}
	errBit          = &wire.Error{Code: wire.Invalid, Msg: "bit is not an integer or out of range"}
	errBitArg       = &wire.Error{Code: wire.Invalid, Msg: "The bit argument must be 1 or 0."}
	errBitNot       = &wire.Error{Code: wire.Invalid, Msg: "BITOP NOT must be called with a single source key."}
	errBitFieldType = &wire.Error{Code: wire.Invalid, Msg: "Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported but i64 is."}
	errLCSFlags     = &wire.Error{Code: wire.Invalid, Msg: "If you want both the length and indexes, please just use IDX."}
	errLCSMemory    = &wire.Error{Code: wire.TooLarge, Msg: "Insufficient memory, failed allocating transient memory for LCS"}
	errSameObject   = &wire.Error{Code: wire.Invalid, Msg: "source and destination objects are the same"}
	errNoKey        = &wire.Error{Code: wire.NotFound, Msg: "no such key"}
	errExists       = &wire.Error{Code: wire.Exists, Msg: "the key is there already"}
	errVersion      = &wire.Error{Code: wire.Conflict, Msg: "the key has another version"}
	errDB           = &wire.Error{Code: wire.Invalid, Msg: "DB index is out of range"}
	errSyntax       = &wire.Error{Code: wire.Invalid, Msg: "syntax error"}
	errSetExpiry    = &wire.Error{Code: wire.Invalid, Msg: "invalid expire time in 'set' command"}
	errGetExExpiry  = &wire.Error{Code: wire.Invalid, Msg: "invalid expire time in 'getex' command"}
	errExpiry       = &wire.Error{Code: wire.Invalid, Msg: "invalid expire time in 'expire' command"}
	errExpireNX     = &wire.Error{Code: wire.Invalid, Msg: "NX and XX, GT or LT options at the same time are not compatible"}
	errExpireGTLT   = &wire.Error{Code: wire.Invalid, Msg: "GT and LT options at the same time are not compatible"}
	errRead         = &wire.Error{Code: wire.Invalid, Msg: "an ordered read cannot write"}
)

// errLate ends an inline read that has found a key which is gone by the clock and not yet by the time of an entry.
// It never leaves the engine: the read is proposed and asks again at the time of its own entry.
var errLate = &wire.Error{Code: wire.Unavailable, Msg: "the key is about to expire"}

// missing is the answer to a read of a key that is not there, made once.
var missing = wire.Fail(errNoKey)
