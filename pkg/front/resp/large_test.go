package resp

import (
	"fmt"
	"io"
	"strings"
	"testing"
)

// Replies to ordered reads come all at once: a client that reads them is served, however large they are.
func TestManyLargeRepliesBehindAWrite(t *testing.T) {
	c := serve(t, nil).dial(t)
	const size, n = 4 << 20, 100 // far over what a connection may hold unread
	go func() {
		_, _ = fmt.Fprintf(c.nc, "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$%d\r\n%s\r\n", size, strings.Repeat("v", size))
		for range n { // each GET is behind a write that is not answered yet
			_, _ = io.WriteString(c.nc, "SET other 1\r\nGET k\r\n") // the reader of the replies sees what went wrong
		}
	}()
	if got := c.read(); got != "+OK" {
		t.Fatal(got)
	}
	for i := range n {
		if a, b := c.read(), c.read(); a != "+OK" || len(b) != size {
			t.Fatalf("round %d: %q, %d bytes", i, a, len(b))
		}
	}
}

// Large replies that need no engine are not gathered without bound behind a command that does.
func TestManyLargeEchoesBehindAWrite(t *testing.T) {
	s := serve(t, nil)
	c := s.dial(t)
	const size, n = 1 << 20, 100
	go func() {
		for range n {
			_, _ = fmt.Fprintf(c.nc, "SET k 1\r\n*2\r\n$4\r\nECHO\r\n$%d\r\n%s\r\n", size, strings.Repeat("v", size))
		}
	}()
	for i := range n {
		if a, b := c.read(), c.read(); a != "+OK" || len(b) != size {
			t.Fatalf("round %d: %q, %d bytes", i, a, len(b))
		}
	}
}

func TestARequestOverTheLimitIsSaidToBe(t *testing.T) {
	c := serve(t, nil).dial(t)
	go func() {
		_, _ = io.WriteString(c.nc, "*40\r\n"+strings.Repeat("$1000000\r\n"+strings.Repeat("v", 1000000)+"\r\n", 40))
	}()
	if got := c.read(); got != "-ERR request is over the limit (-max-request)" {
		t.Errorf("it says %q", got)
	}
}
