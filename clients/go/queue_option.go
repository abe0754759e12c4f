package flin

import (
	"maps"
	"slices"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// PushOption is a property of the messages that Push, Put and PushBatch push.
type PushOption interface{ push(m *wire.QueueMessage) }

// PopOption modifies Pop and PopBatch.
type PopOption interface{ pop(m *wire.QueuePop) }

// LeaseOption modifies Lease and LeaseBatch.
type LeaseOption interface{ lease(m *wire.QueuePop) }

// NackOption modifies Message.Nack.
type NackOption interface{ nack(m *wire.QueueNack) }

// RejectOption modifies Message.Reject.
type RejectOption interface{ reject(m *wire.QueueNack) }

// RedriveOption modifies Redrive.
type RedriveOption interface{ redrive(m *wire.QueueRedrive) }

// DelayOption is what Delay returns: an option of pushes and of Nack.
type DelayOption struct{ d time.Duration }

func (o DelayOption) push(m *wire.QueueMessage) {
	m.Flags = m.Flags&^wire.MessageAt | wire.MessageDelayed
	m.NotBefore = int64(milliseconds(o.d))
}

func (o DelayOption) nack(m *wire.QueueNack) { m.Delay = milliseconds(o.d) }

// Delay keeps a message from being delivered for d, counted by the server in milliseconds; at most 10 years.
func Delay(d time.Duration) DelayOption { return DelayOption{d} }

type pushFunc func(m *wire.QueueMessage)

func (f pushFunc) push(m *wire.QueueMessage) { f(m) }

// NotBefore keeps a message from being delivered before t, to the millisecond; at most 10 years ahead.
func NotBefore(t time.Time) PushOption {
	return pushFunc(func(m *wire.QueueMessage) {
		m.Flags = m.Flags&^wire.MessageDelayed | wire.MessageAt
		m.NotBefore = t.UnixMilli()
	})
}

// Priority lets a message be delivered before all of lower priority. Without it the priority is 0, the lowest.
func Priority(p uint8) PushOption {
	return pushFunc(func(m *wire.QueueMessage) {
		m.Flags |= wire.MessagePriority
		m.Priority = p
	})
}

// DedupID makes a push without effect if a message with the same id, 1 to 256 bytes, was pushed to the queue within its
// dedup window (5 minutes by default), whatever became of it since. Such a push may be repeated, and is.
func DedupID(id string) PushOption {
	return pushFunc(func(m *wire.QueueMessage) {
		m.Flags |= wire.MessageDedup
		m.Dedup = []byte(id)
	})
}

// GroupKey puts a message into a group, of which at most one message is leased at a time. Groups are served in turn. The
// key has at most 256 bytes; an empty one is no group.
func GroupKey(key string) PushOption {
	return pushFunc(func(m *wire.QueueMessage) {
		m.Flags &^= wire.MessageGroup
		if m.Group = []byte(key); key != "" {
			m.Flags |= wire.MessageGroup
		}
	})
}

// Headers sends names and values with a message: at most 64, of together 64 KiB.
func Headers(headers map[string]string) PushOption {
	return pushFunc(func(m *wire.QueueMessage) {
		if len(headers) == 0 {
			return
		}
		m.Flags |= wire.MessageHeaders
		for _, name := range slices.Sorted(maps.Keys(headers)) {
			m.Headers = append(m.Headers, wire.Header{Name: []byte(name), Value: []byte(headers[name])})
		}
	})
}

// MessageTTLOption is what MessageTTL returns: an option of pushes and a setting of queues.
type MessageTTLOption struct{ d time.Duration }

func (o MessageTTLOption) push(m *wire.QueueMessage) {
	m.Flags |= wire.MessageTTL
	m.TTL = max(int64(milliseconds(o.d)), 1)
}

func (o MessageTTLOption) setting(m *wire.QueueCreate) {
	m.Fields |= wire.QueueHasTTL
	m.Settings.TTL = milliseconds(o.d)
}

// MessageTTL discards a message that was not delivered d after it was pushed, counted by the server in milliseconds; less
// than one is one. As a setting it holds for the queue's messages that do not say otherwise, and 0 is for ever.
func MessageTTL(d time.Duration) MessageTTLOption { return MessageTTLOption{d} }

// WaitOption is what Wait returns: an option of Pop, PopBatch, Lease and LeaseBatch.
type WaitOption struct{ d time.Duration }

func (o WaitOption) pop(m *wire.QueuePop)   { m.Wait = milliseconds(o.d) }
func (o WaitOption) lease(m *wire.QueuePop) { m.Wait = milliseconds(o.d) }

// Wait waits up to d, at most an hour, for a message if there is none; those who wait are served in the order in which they
// came. The call's time, Options.Timeout, begins behind it; a context's deadline holds as it is.
func Wait(d time.Duration) WaitOption { return WaitOption{d} }

// ForOption is what For returns: an option of Lease, LeaseBatch and Receive.
type ForOption struct{ d time.Duration }

func (o ForOption) lease(m *wire.QueuePop) { m.Lease = milliseconds(o.d) }

// For leases messages for d, 1 ms to 12 hours. Without it the queue's own lease holds, 30 seconds by default.
func For(d time.Duration) ForOption { return ForOption{max(d, time.Millisecond)} }

// ReasonOption is what Reason returns: an option of Nack and Reject.
type ReasonOption struct{ text string }

func (o ReasonOption) nack(m *wire.QueueNack)   { m.Error = []byte(o.text) }
func (o ReasonOption) reject(m *wire.QueueNack) { m.Error = []byte(o.text) }

// Reason says what went wrong with a message. It is what a dead message's header x-last-error says; 4 KiB are kept.
func Reason(text string) ReasonOption {
	return ReasonOption{text[:min(len(text), wire.MaxErrorText)]}
}

// CountOption is what Count returns.
type CountOption struct{ n int64 }

func (o CountOption) redrive(m *wire.QueueRedrive) { m.Count = uint64(max(o.n, 1)) }

// Count moves at most n messages, at least one.
func Count(n int64) CountOption { return CountOption{n} }
