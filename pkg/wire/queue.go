package wire

import (
	"encoding/base64"
	"encoding/binary"
	"strconv"
	"strings"
)

// The payloads of the queue engine. Every one begins with the name of the queue. Times are milliseconds since 1970,
// durations milliseconds. Slices that a decoder returns share memory with the payload.

// Bounds of the queue engine.
const (
	MaxName         = 249                      // bytes of the name of a queue, topic, group or consumer
	MaxMessage      = 8 << 20                  // bytes of a message's body
	MaxHeaders      = 64                       // headers of a message
	MaxHeaderBytes  = 64 << 10                 // bytes of the names and values of a message's headers
	MaxGroupKey     = 256                      // bytes of a group key
	MaxDedupID      = 256                      // bytes of a dedup id
	MaxLease        = 12 * 3600 * 1000         // ms that a message may be leased for
	MaxWait         = 3600 * 1000              // ms that a pop may wait
	MaxDelay        = 10 * 365 * 24 * 3600_000 // ms that a message may be delayed for, or live
	MaxErrorText    = 4 << 10                  // bytes that are kept of what a worker says of a failure
	MaxDeliveryBody = 8 << 20                  // bytes of bodies in one answer, after which it ends with the message that came to it
)

// CheckName reports what is wrong with the name of a queue, topic, group or consumer; kind says which. 1 to MaxName bytes of
// A-Z a-z 0-9 . _ : - are a name, but neither "." nor "..". A topic has no colon.
func CheckName(kind string, name []byte) error {
	if len(name) == 0 {
		return Errorf(Invalid, "the name of a %s is empty", kind)
	}
	if len(name) > MaxName {
		return Errorf(Invalid, "a %s name of %d bytes is over the limit of %d", kind, len(name), MaxName)
	}
	for _, c := range name {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '_', c == '-':
		case c == ':' && kind != "topic":
		default:
			signs := ". _ : -"
			if kind == "topic" {
				signs = ". _ -"
			}
			return Errorf(Invalid, "%q is no name for a %s: letters, digits and %s are allowed", name, kind, signs)
		}
	}
	if string(name) == "." || string(name) == ".." {
		return Errorf(Invalid, "%q is no name for a %s", name, kind)
	}
	return nil
}

// MessageID names a message within its queue, and sorts as messages are delivered: 255 minus the priority in the highest
// byte, then a number that counts the queue's messages from 1.
type MessageID uint64

// NewMessageID returns the id of the seq-th message of a queue. seq is below 2⁵⁶.
func NewMessageID(priority uint8, seq uint64) MessageID {
	return MessageID(uint64(255-priority)<<56 | seq&(1<<56-1))
}

// Priority returns the message's priority.
func (id MessageID) Priority() uint8 { return 255 - uint8(id>>56) }

// Seq returns the message's number.
func (id MessageID) Seq() uint64 { return uint64(id) & (1<<56 - 1) }

// String returns the id as people and text protocols see it: 17, or with a priority other than 0 17-5.
func (id MessageID) String() string { return string(id.AppendString(nil)) }

// AppendString appends what String returns to b.
func (id MessageID) AppendString(b []byte) []byte {
	b = strconv.AppendUint(b, id.Seq(), 10)
	if p := id.Priority(); p != 0 {
		b = strconv.AppendUint(append(b, '-'), uint64(p), 10)
	}
	return b
}

// ParseMessageID reads what String returns.
func ParseMessageID(s string) (MessageID, error) {
	seqText, prioText, hasPrio := strings.Cut(s, "-")
	seq, err := strconv.ParseUint(seqText, 10, 56)
	prio := uint64(0)
	if err == nil && hasPrio {
		prio, err = strconv.ParseUint(prioText, 10, 8)
	}
	if err != nil || seq == 0 || hasPrio && prio == 0 {
		return 0, Errorf(Invalid, "%.64q is no message id: one looks like 17 or, with priority 5, 17-5", s)
	}
	return NewMessageID(uint8(prio), seq), nil
}

// Receipt shows that a message is leased by whoever holds it. A later lease of the message makes it stale.
type Receipt struct {
	ID      MessageID
	Attempt uint32 // the delivery that it belongs to, from 1
	Nonce   uint64 // random
}

// ReceiptSize is the bytes of a receipt in a payload.
const ReceiptSize = 20

// receiptText is the bytes of a receipt as text.
const receiptText = 27

// Append appends the receipt to b: id, attempt, nonce.
func (t Receipt) Append(b []byte) []byte {
	b = binary.BigEndian.AppendUint64(b, uint64(t.ID))
	b = binary.BigEndian.AppendUint32(b, t.Attempt)
	return binary.BigEndian.AppendUint64(b, t.Nonce)
}

// take reads a receipt.
func (t *Receipt) take(r *Reader) {
	p := r.fixed(ReceiptSize)
	if p == nil {
		*t = Receipt{}
		return
	}
	t.ID = MessageID(binary.BigEndian.Uint64(p))
	t.Attempt = binary.BigEndian.Uint32(p[8:])
	t.Nonce = binary.BigEndian.Uint64(p[12:])
}

// String returns the receipt as text protocols show it: 27 characters that need no quoting anywhere.
func (t Receipt) String() string { return string(t.AppendString(make([]byte, 0, receiptText))) }

// AppendString appends what String returns to b.
func (t Receipt) AppendString(b []byte) []byte {
	return base64.RawURLEncoding.AppendEncode(b, t.Append(make([]byte, 0, ReceiptSize)))
}

// ParseReceipt reads what String returns.
func ParseReceipt(s string) (Receipt, error) {
	var t Receipt
	p, err := base64.RawURLEncoding.DecodeString(s)
	if err != nil || len(p) != ReceiptSize {
		return t, Errorf(Invalid, "%.64q is no receipt", s)
	}
	r := NewReader(p)
	t.take(&r)
	return t, nil
}

// QueueName is the payload of operations that need the queue alone (OpQueueLen, OpQueueClear, OpQueueInfo, OpQueueDelete,
// OpQueuePause, OpQueueResume).
//
// Len: Num is the number of messages that are ready, 0 for a queue that is not there. Clear: Num is how many messages
// went. Info: Body is a QueueInfo, or NotFound. Delete, pause and resume: NotFound; delete's Num is how many messages went.
type QueueName struct{ Queue []byte }

// Append appends the payload to b.
func (m *QueueName) Append(b []byte) []byte { return append(b, m.Queue...) }

// Decode reads the payload p.
func (m *QueueName) Decode(p []byte) error {
	m.Queue = p
	return nil
}
