// Package flin is the client of a Flin server.
//
//	client, err := flin.NewClient(flin.DefaultOptions("localhost:7380"))
//	defer client.Close()
//	err = client.KV.Set("user:1", []byte("John Doe"))
//	value, err := client.KV.Get("user:1")
//	err = client.Queue.Push("tasks", []byte("Task 1"))
//	task, err := client.Queue.Pop("tasks")
//	place, err := client.Stream.Publish("events", flin.AnyPartition, "user:1", []byte("login"))
//	records, err := client.Stream.Fetch("events", place.Partition, place.Offset)
//	id, err := client.DB.Insert("users", flin.Document{"name": "John Doe", "age": 30})
//	users, err := client.DB.Query("users").Where("age", flin.Gte, 18).Take(10).Exec()
//
// A Client may be used by any number of goroutines. They share a few connections, and what they ask for at the same time
// travels together, so that one Client with many goroutines is faster than many Clients.
//
// Reads that lost their connection, and calls that surely were not executed, are repeated. A write whose answer was lost
// is not: it reports ErrOutcomeUnknown.
package flin

import (
	"context"
	"sync/atomic"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Client is a set of connections to one Flin server or cluster, and, after With, a context for its calls.
type Client struct {
	// KV is database 0 of the key-value store.
	KV *KV
	// Queue is the message queues.
	Queue *Queue
	// Stream is the topics.
	Stream *Stream
	// DB is the collections of documents of the database named default.
	DB *DB

	pool    *pool
	members *members        // of consumer groups, shared by all that With has made
	ctx     context.Context // With says so
	shared  bool            // made by With: Close is the parent's
	closed  *atomic.Bool
}

// NewClient connects to the first server of opts.Addrs that can be reached. nil means DefaultOptions of DefaultAddr.
// Later the client connects again by itself.
func NewClient(opts *Options) (*Client, error) {
	if opts == nil {
		opts = DefaultOptions(DefaultAddr)
	}
	if err := opts.validate(); err != nil {
		return nil, err
	}
	own := *opts
	own.Addrs = append([]string(nil), opts.Addrs...)
	p, err := newPool(own)
	if err != nil {
		return nil, err
	}
	c := newClient(&Client{pool: p, ctx: context.Background(), closed: new(atomic.Bool)})
	c.members = newMembers(c)
	return c, nil
}

func newClient(c *Client) *Client {
	c.KV, c.Queue, c.Stream, c.DB = &KV{client: c}, &Queue{client: c}, &Stream{client: c}, c.Database(wire.DocDatabase)
	return c
}

// With returns a Client whose calls end with ctx. It shares the connections; closing it does nothing.
//
// When ctx ends during a call the call returns at once, and its error matches ctx.Err(). A write that had been sent may
// have been executed: its error matches ErrOutcomeUnknown too.
func (c *Client) With(ctx context.Context) *Client {
	return newClient(&Client{pool: c.pool, members: c.members, ctx: ctx, shared: true, closed: c.closed})
}

// Close ends the connections. Calls in flight report ErrClosed, or ErrOutcomeUnknown if they were writes.
func (c *Client) Close() error {
	if c.shared || c.closed.Swap(true) {
		return nil
	}
	c.pool.close()
	return nil
}
