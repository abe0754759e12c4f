package flin

import (
	"sync"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// payload is what a request carries: one of wire's message types.
type payload interface{ Append(b []byte) []byte }

// call is one request on its way. Calls are pooled, and the payloads of the common operations lie inside, so that a call
// costs no allocation but its result.
type call struct {
	done chan struct{} // gets one element when resp or lost is set, unless then is told

	op       wire.Op
	flags    wire.Flags
	read     bool          // changes nothing, so that it may be repeated when its answer is lost
	repeat   bool          // changes something, but twice is as once: it may be repeated too
	takes    bool          // its answer holds what the server then has no more: it is not abandoned without asking
	wait     time.Duration // how long the server may hold it back, beside the time of any call
	deadline int64
	payload  payload
	feed     *feed    // of a request with many answers
	then     finisher // is told instead of done; nil: done is

	resp wire.Response // the answer; its Body belongs to the caller
	lost error         // why there will be none
	sent bool          // with lost: the server may have got the request

	// Where it is in its connection, guarded by the connection's mu.
	place uint32
	start int64 // position of the frame in everything the connection was given to write

	buf []byte // holds the key, the name of the queue, or the parts of a document's payload
	key wire.KVKey
	set wire.KVSet
	del wire.KVDel
	inc wire.KVIncr
	kvs wire.KVKeys

	push     wire.QueuePush
	messages [1]wire.QueueMessage // push's, of a single one
	pop      wire.QueuePop
	ack      wire.QueueAck
	receipts [1]wire.Receipt // ack's, of a single one
	name     wire.QueueName

	publish wire.StreamPublish
	records [1]wire.StreamRecord // publish's, of a single one

	insert wire.DocInsert
	docs   [1][]byte // insert's, of a single one
	find   wire.DocFind
}

var calls = sync.Pool{New: func() any { return &call{done: make(chan struct{}, 1)} }}

// newCall returns a call of op. It is given back by release.
func newCall(op wire.Op, read bool) *call {
	c := calls.Get().(*call) // the pool holds nothing else
	c.op, c.read = op, read
	return c
}

// bytes returns key as bytes that live as long as the call.
func (c *call) bytes(key string) []byte {
	c.buf = append(c.buf[:0], key...)
	return c.buf
}

// release gives the call back. What the caller wants of resp he has taken.
func (c *call) release() {
	if cap(c.buf) > 4<<10 {
		c.buf = nil
	}
	clear(c.kvs.Keys[:cap(c.kvs.Keys)])
	keys := c.kvs.Keys[:0]
	if cap(keys) > 1024 {
		keys = nil
	}
	*c = call{done: c.done, buf: c.buf[:0], kvs: wire.KVKeys{Keys: keys}}
	calls.Put(c)
}

// finisher is told by a connection's goroutine that its call is over. It must not wait.
type finisher interface{ finished() }

// finish wakes the caller.
func (c *call) finish() {
	if c.then != nil {
		c.then.finished()
		return
	}
	c.done <- struct{}{}
}
