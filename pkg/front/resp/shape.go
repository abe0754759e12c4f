package resp

import (
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// shape says how an engine's answer becomes a reply.
type shape uint8

const (
	shapeOK         shape = iota // OK
	shapeInt                     // Num; arg where the key is not there
	shapeValue                   // Body; null where the key is not there
	shapePart                    // Body; empty where the key is not there
	shapeSet                     // OK; null where a condition was not met
	shapeOld                     // the old value, or null
	shapeMade                    // 1; 0 where it was there already
	shapeEntries                 // an array of values and nulls
	shapeSize                    // the size of the value, arg where there is none
	shapeTTL                     // the time left in units of arg ms
	shapeExpiry                  // the time of expiry in units of arg ms
	shapeType                    // the name of the type
	shapeEncoding                // the name of the encoding that Redis would choose
	shapeConst                   // arg, of a key that is there; null of one that is not
	shapeFreq                    // that frequencies are not counted; null of a key that is not there
	shapeRefusal                 // an error, of which arg says which; null of a key that is not there
	shapeUsage                   // bytes of memory; arg is the size of the key
	shapeRename                  // OK, or that there is no such key
	shapeRenameNX                // Num, or that there is no such key
	shapeBitField                // an array of numbers and nulls
	shapeMatches                 // what LCS IDX says; arg 1: with the lengths
	shapeFewOrValue              // LCS LEN and plain: Num or Body
	shapeExec                    // the replies of a transaction
	shapeCapture                 // none: the reader waits for the answer
	shapeHeld                    // none: the reply has been written already

	shapePushed    // the id of a message
	shapePushedAll // the ids of arg messages
	shapeBody      // the body of a message, or null
	shapeBodies    // the bodies of messages, or null
	shapeMessages  // leased messages, or null
	shapePeeked    // messages that stay where they are
	shapeMessage   // all that is known of a message, or null
	shapeAcked     // Num, or an error that says which of arg receipts are stale
	shapeRemoved   // 1, or 0 where the message is not there
	shapeQueue     // all that is known of a queue
	shapeCount     // Num

	shapePlace      // where a record is
	shapeFetched    // records of a partition
	shapeConsumed   // records of the partitions of a member
	shapeAssignment // the generation of a group, and the partitions that a member owns
	shapeOffsets    // places in partitions
	shapeTopic      // all that is known of a topic
	shapeLag        // how far a group is in a topic

	shapeInserted  // buf, which has the ids of arg documents, or why one was not inserted
	shapeUpdated   // how many documents matched and were modified, and the id of one that was made
	shapeDeleted   // how many documents were deleted
	shapeDocuments // documents
	shapeExplained // a document
	shapeIndexed   // the name of an index
	shapeIndexes   // all that is known of the indexes of a collection
)

// encode appends the reply to b. It is called with the output locked.
func (s *slot) encode(c *conn, b []byte, resp *wire.Response) []byte {
	resp3 := s.bits&slotRESP3 != 0
	if resp.Code != wire.OK {
		return s.encodeFailure(c, b, resp, resp3)
	}
	switch s.shape {
	case shapeOK, shapeRename, shapeSet:
		return appendOK(b)
	case shapeValue, shapePart:
		return appendBulk(b, resp.Body)
	case shapeInt, shapeRenameNX:
		return appendInt(b, resp.Num)
	case shapeOld:
		if resp.Num == 0 {
			return appendNull(b, resp3)
		}
		return appendBulk(b, resp.Body)
	case shapeMade:
		return appendInt(b, 1)
	case shapeEntries:
		return s.encodeEntries(c, b, resp, resp3)
	case shapeSize, shapeType, shapeUsage:
		return s.encodeStat(c, b, resp)
	case shapeTTL, shapeExpiry:
		return appendInt(b, expiryIn(resp.Num, s.arg, s.shape == shapeTTL))
	case shapeEncoding:
		return appendBulk(b, encodingOf(resp.Body))
	case shapeConst:
		return appendInt(b, s.arg)
	case shapeRefusal:
		if s.arg == refuseInteger {
			return c.appendFailure(b, errInteger)
		}
		return c.appendFailure(b, "ERR invalid expire time in '"+s.cmd.full+"' command")
	case shapeFreq:
		return c.appendFailure(b, errNoLFU)
	case shapeBitField:
		return encodeBitField(b, resp, resp3)
	case shapeMatches:
		return encodeMatches(b, resp, s.arg == 1, resp3)
	case shapeFewOrValue:
		if s.arg == 1 {
			return appendInt(b, resp.Num)
		}
		return appendBulk(b, resp.Body)
	case shapeExec:
		return s.exec.encode(c, b, resp, resp3)
	case shapeCapture:
		c.captured = *resp
		c.captured.Body = append([]byte(nil), resp.Body...)
	case shapeHeld:
	default:
		if s.shape >= shapeInserted {
			return s.encodeDoc(c, b, resp, resp3)
		}
		if s.shape >= shapePlace {
			return s.encodeStream(c, b, resp, resp3)
		}
		return s.encodeQueue(c, b, resp, resp3)
	}
	return b
}

// encodeFailure appends what is said of an answer that is not OK. Some of them are no errors to Redis, and for some it
// has words of its own.
func (s *slot) encodeFailure(c *conn, b []byte, resp *wire.Response, resp3 bool) []byte {
	switch s.shape {
	case shapeCapture:
		c.captured = *resp
		c.captured.Body = append([]byte(nil), resp.Body...)
		return b
	case shapeExec:
		return s.exec.encodeFailure(c, b, resp, resp3)
	default:
	}
	if s.shape >= shapeInserted {
		return s.encodeDocFailure(c, b, resp, resp3)
	}
	if s.shape >= shapePlace {
		return s.encodeStreamFailure(c, b, resp, resp3)
	}
	if s.shape >= shapePushed {
		return s.encodeQueueFailure(c, b, resp, resp3)
	}
	switch resp.Code {
	case wire.NotFound:
		switch s.shape {
		case shapeInt, shapeSize:
			return appendInt(b, s.arg)
		case shapeValue, shapeOld, shapeSet, shapeConst, shapeFreq, shapeRefusal, shapeEncoding, shapeUsage:
			return appendNull(b, resp3)
		case shapePart, shapeFewOrValue:
			return appendBulk(b, "")
		case shapeTTL, shapeExpiry:
			return appendInt(b, -2)
		case shapeType:
			return appendSimple(b, "none")
		case shapeRename, shapeRenameNX:
			return c.appendFailure(b, "ERR no such key")
		default:
		}
	case wire.Exists:
		switch s.shape {
		case shapeSet, shapeOld:
			return appendNull(b, resp3)
		case shapeMade:
			return appendInt(b, 0)
		default:
		}
	default:
	}
	return c.appendWireError(b, resp)
}

// appendFailure appends an error that is made of its prefix and text.
func (c *conn) appendFailure(b []byte, text string) []byte {
	c.s.stats.failed(text)
	return appendError(b, "", text)
}

// appendWireError appends an engine's error.
func (c *conn) appendWireError(b []byte, resp *wire.Response) []byte {
	prefix := resp.Code.RESPPrefix()
	c.s.stats.failed(prefix)
	if len(resp.Body) == 0 {
		return appendError(b, prefix, resp.Code.String())
	}
	return appendError(b, prefix, resp.Body)
}

// encodeEntries appends the values of an mget.
func (s *slot) encodeEntries(c *conn, b []byte, resp *wire.Response, resp3 bool) []byte {
	b = appendArray(b, int(s.arg))
	r := wire.NewReader(resp.Body)
	for range s.arg {
		e := wire.TakeKVEntry(&r)
		if e.Version == 0 {
			c.missed()
			b = appendNull(b, resp3)
			continue
		}
		c.hit()
		b = appendBulk(b, e.Value)
	}
	return b
}

// encodeStat appends what is asked of a key whose value was not read.
func (s *slot) encodeStat(c *conn, b []byte, resp *wire.Response) []byte {
	var st wire.KVStat
	if err := st.Decode(resp.Body); err != nil {
		fail := wire.Fail(err)
		return c.appendWireError(b, &fail)
	}
	switch s.shape {
	case shapeType:
		return appendSimple(b, "string")
	case shapeUsage:
		// What the store keeps for a key in memory: the key, the value and about so much around them.
		return appendInt(b, s.arg+int64(st.Size)+64)
	default:
		return appendInt(b, int64(st.Size))
	}
}

// expiryIn is an expiry in units of so many milliseconds, as the time that is left or as it is; -1 for never.
func expiryIn(ms, unit int64, left bool) int64 {
	if ms == 0 {
		return -1
	}
	if left {
		ms = max(0, ms-time.Now().UnixMilli())
	}
	return (ms + unit/2) / unit
}

// tally counts a lookup as one that found its key or did not.
func (s *slot) tally(c *conn, resp *wire.Response) {
	if s.cmd == nil || s.cmd.flags&isRead == 0 || len(s.cmd.keys) == 0 {
		return
	}
	switch {
	case s.shape == shapeEntries || s.shape == shapeCapture:
	case resp.Code == wire.OK:
		c.hit()
	case resp.Code == wire.NotFound:
		c.missed()
	}
}
