package driver

import "time"

// Stream is a client of one stream of records: a topic, or what its server has in place of one. All methods but Close may be
// called by many goroutines at once. Bodies and the slices that hold them belong to the caller again when a call has
// returned.
//
// What a client can do beyond that depends on its server: see KeyPublisher and Sending.
type Stream interface {
	// Publish puts a record in. It returns when the server has acknowledged it.
	Publish(body []byte) error
	// Fill puts records in, all in one place. Those who Fill with places 0, 1, 2 … in turn fill all partitions, or what
	// stands for them, evenly.
	Fill(place int, bodies [][]byte) error
	// Stored returns how many records the server says that it has.
	Stored() (uint64, error)
	// Consumer returns member i of the n that share the stream, for one goroutine. It begins at the first record, and no
	// member may begin before all are there.
	Consumer(i, n int) (Consumer, error)
	Close() error
}

// Consumer is a member of a group that shares a stream. It belongs to one goroutine.
type Consumer interface {
	// Next brings up to n records, calls see for each, and says that they have been dealt with. If there is none within
	// wait, 0 for at once, it returns 0.
	Next(n int, wait time.Duration, see func(body []byte) error) (int, error)
	Close() error
}

// KeyPublisher is a Stream whose records may have keys, by which they go to partitions.
type KeyPublisher interface {
	PublishKey(key string, body []byte) error
}

// Sending is a Stream that takes records without a call waiting for each.
type Sending interface {
	// Sender returns a sender for one goroutine, of whose records at most window are under way.
	Sender(window int) (Sender, error)
}

// Sender sends records. It belongs to one goroutine.
type Sender interface {
	// Send sends a record, when one of the window has been acknowledged if that is full. It returns how many the server has
	// acknowledged of those before, and not told yet.
	Send(body []byte) (acked int, err error)
	// Flush waits until all are acknowledged and returns as Send does.
	Flush() (acked int, err error)
}

// OpenStream connects a client to the server at addr, and makes the stream that it works on if that has to be made.
type OpenStream func(addr string) (Stream, error)

// streamName is what the stream of a benchmark is called, on every server.
const streamName = "bench"
