package flin

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"time"
)

// DefaultAddr is where a Flin server listens unless it is told otherwise.
const DefaultAddr = "localhost:7380"

// Options say which server to use and how. Start from DefaultOptions; a Client copies what it is given.
type Options struct {
	// Addrs are host:port of the servers that serve the same data. The client uses one and goes on to the next when it
	// cannot be reached.
	Addrs []string
	// User and Password are sent to a server that was started with -password-file. An empty User means "default".
	User, Password string
	// Name is shown in the server's list of connections.
	Name string
	// Connections is how many connections all goroutines share: by default one for each four processors. What is asked
	// for at the same time on one connection travels together, so that on a small machine one is fastest; a machine with
	// many processors can read and write several at once.
	Connections int
	// Timeout bounds a call whose context has no deadline, waiting for a connection included. Zero is no bound.
	Timeout time.Duration
	// DialTimeout bounds one attempt to connect, the exchange of hellos included.
	DialTimeout time.Duration
	// Retries is how often a call is repeated that surely was not executed, or a read whose answer was lost.
	Retries int
	// Dial replaces net.Dialer.DialContext, for tunnels and tests.
	Dial func(ctx context.Context, network, addr string) (net.Conn, error)
}

// DefaultOptions returns the options for the server at addr, or for several, separated by commas. A missing port is 7380.
func DefaultOptions(addr string) *Options {
	var addrs []string
	for a := range strings.SplitSeq(addr, ",") {
		if a = strings.TrimSpace(a); a == "" {
			continue
		}
		if _, _, err := net.SplitHostPort(a); err != nil {
			a = net.JoinHostPort(strings.Trim(a, "[]"), "7380")
		}
		addrs = append(addrs, a)
	}
	if len(addrs) == 0 {
		addrs = []string{DefaultAddr}
	}
	return &Options{
		Addrs: addrs, Connections: min(max(runtime.GOMAXPROCS(0)/4, 1), 4), Timeout: 30 * time.Second, DialTimeout: 5 * time.Second, Retries: 3,
	}
}

func (o *Options) validate() error {
	var errs []error
	if len(o.Addrs) == 0 {
		errs = append(errs, errors.New("flin: Options.Addrs is empty"))
	}
	if o.Connections < 1 || o.Connections > 1024 {
		errs = append(errs, fmt.Errorf("flin: Options.Connections is %d, must be 1 to 1024", o.Connections))
	}
	if o.Timeout < 0 {
		errs = append(errs, fmt.Errorf("flin: Options.Timeout is %v, must not be negative", o.Timeout))
	}
	if o.DialTimeout <= 0 {
		errs = append(errs, fmt.Errorf("flin: Options.DialTimeout is %v, must be positive", o.DialTimeout))
	}
	if o.Retries < 0 {
		errs = append(errs, fmt.Errorf("flin: Options.Retries is %d, must not be negative", o.Retries))
	}
	return errors.Join(errs...)
}
