// Package freeport finds TCP ports for servers that tests and benchmarks start as processes of their own.
//
// A port that the kernel has just handed out (port 0) and that has been closed again may be given to any outgoing
// connection before the server binds it. The ports of this package lie below the range that outgoing connections take
// theirs from, so that only another listener can come in between.
package freeport

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strconv"
	"sync/atomic"
)

// Linux gives ports from 32768 on to outgoing connections (net.ipv4.ip_local_port_range), macOS and Windows from 49152.
const (
	first = 15000
	count = 32768 - first
)

// next begins at random, so that processes that look at the same time hardly ever look at the same ports; within one
// process no port is given twice before all have been.
var next = func() *atomic.Uint32 {
	var n atomic.Uint32
	n.Store(rand.Uint32N(count))
	return &n
}()

// Take returns a loopback port on which nobody listens now.
func Take() (int, error) {
	var last error
	for range count {
		port := first + int(next.Add(1)%count)
		ln, err := new(net.ListenConfig).Listen(context.Background(), "tcp", Address(port))
		if err == nil {
			return port, ln.Close()
		}
		last = err
	}
	return 0, fmt.Errorf("no port from %d to %d is free: %w", first, first+count-1, last)
}

// Address is 127.0.0.1 with the port.
func Address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }
