package resp

import "github.com/skshohagmiah/flin/pkg/wire"

// execution is a transaction between EXEC and its reply.
type execution struct {
	ops     []wire.KVOp
	parts   []part   // one for each queued command
	oldest  uint64   // the lowest of the revisions that were read; 0 if one is not known
	reading *reading // the keys that the commands read, where the client tracks them
}

// part is the reply of one queued command, or how to make it from the answer of its operation.
type part struct {
	asked  bool
	answer slot
	reply  []byte
}

// add catches what a queued command asks of the engine.
func (e *execution) add(op wire.Op, body []byte, answer slot) {
	e.ops = append(e.ops, wire.KVOp{Op: op, Body: append([]byte(nil), body...)})
	e.parts = append(e.parts, part{asked: true, answer: answer})
}

// addReply catches a reply that needs no engine.
func (e *execution) addReply(reply []byte) {
	e.parts = append(e.parts, part{reply: reply})
}

// encode appends the replies. It is called with the output locked.
func (e *execution) encode(c *conn, b []byte, resp *wire.Response, _ bool) []byte {
	b = appendArray(b, len(e.parts))
	r := wire.NewReader(resp.Body)
	e.oldest = ^uint64(0)
	for i := range e.parts {
		p := &e.parts[i]
		if !p.asked {
			b = append(b, p.reply...)
			continue
		}
		one := wire.TakeKVResult(&r)
		if err := r.Err(); err != nil {
			one = wire.Fail(err)
		}
		e.oldest = min(e.oldest, one.Rev)
		p.answer.tally(c, &one)
		b = p.answer.encode(c, b, &one)
	}
	return b
}

// encodeFailure appends what is said of a transaction that was not run.
func (e *execution) encodeFailure(c *conn, b []byte, resp *wire.Response, resp3 bool) []byte {
	switch resp.Code {
	case wire.Conflict: // a watched key has changed
		return appendNullArray(b, resp3)
	case wire.Invalid, wire.TooLarge, wire.Full, wire.Unsupported, wire.CrossGroup:
		c.s.stats.failed("EXECABORT")
		return appendError(b, "EXECABORT Transaction discarded because of:", resp.Body)
	default:
		return c.appendWireError(b, resp)
	}
}
