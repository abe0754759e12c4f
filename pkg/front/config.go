// Package front listens for clients. It decides by a connection's first bytes which protocol it speaks, and hands it to
// the server of that protocol.
package front

import (
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/skshohagmiah/flin/pkg/front/link"
	"github.com/skshohagmiah/flin/pkg/front/native"
	"github.com/skshohagmiah/flin/pkg/front/slow"
	"github.com/skshohagmiah/flin/pkg/front/web"
	"github.com/skshohagmiah/flin/pkg/obs"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Protocol serves the connections of one protocol.
type Protocol interface {
	// ServeConn returns when the connection is over. What detection has read is in c's input.
	ServeConn(c *link.Conn)
}

// Config says where to listen and what to allow. Start from Default.
type Config struct {
	Program string // who listens, for messages
	Listen  string // host:port of the port that speaks every protocol; port 0 is any free one
	HTTP    string // host:port that speaks HTTP alone; empty is none

	// Password judges credentials; nil means that none are configured. PasswordFile makes one.
	Password func(user, password string) bool
	// Protected refuses peers of other machines while there is no Password.
	Protected bool

	MaxConnections int         // one more is told so and closed
	Limits         link.Limits // of each connection; a nil Budget is replaced by one of Memory bytes
	Memory         int64       // bytes of long requests and unread answers that all connections may hold together

	DetectTimeout time.Duration // from a connection's first byte to the last that decides its protocol
	StallTimeout  time.Duration // a client that takes nothing for so long while it is written to is cut off
	Grace         time.Duration // how long Run lets connections finish what is in flight

	Events *obs.Events // told of connections that are rejected; nil: nobody
	Slow   *slow.Watch // of the requests of all protocols, run by Front; nil: none is slow

	Native native.Config // its Engine, Password, Slow and Rejected are filled in
	Web    web.Config    // its Engine, Password, Protected, Budget and Slow are filled in
	RESP   Protocol      // nil: RESP connections are refused like unknown ones
}

// Default returns the Config of a server at its usual ports, without RESP.
func Default() Config {
	return Config{
		Program: "flin-server", Listen: ":7380", HTTP: ":8080",
		Protected: true, MaxConnections: 20_000,
		Limits:        link.Limits{MaxInput: wire.MaxRequest, MaxOutput: 64 << 20, MaxInFlight: 4096},
		Memory:        1 << 30,
		DetectTimeout: 5 * time.Second, StallTimeout: 30 * time.Second, Grace: 5 * time.Second,
		Native: native.Default(), Web: web.Default(),
	}
}

// Validate returns every complaint about c at once.
func (c *Config) Validate() error {
	var errs []error
	for _, a := range []struct{ name, addr string }{{"-port", c.Listen}, {"-http", c.HTTP}} {
		if a.addr == "" && a.name == "-http" {
			continue
		}
		if _, _, err := net.SplitHostPort(a.addr); err != nil {
			errs = append(errs, fmt.Errorf("front: address %q (%s): %w", a.addr, a.name, err))
		}
	}
	positive := []struct {
		name  string
		value int64
	}{
		{"-max-connections", int64(c.MaxConnections)},
		{"-max-request", int64(c.Limits.MaxInput)},
		{"Limits.MaxOutput", int64(c.Limits.MaxOutput)},
		{"Limits.MaxInFlight", int64(c.Limits.MaxInFlight)},
		{"Memory", c.Memory},
		{"DetectTimeout", int64(c.DetectTimeout)},
		{"StallTimeout", int64(c.StallTimeout)},
		{"Grace", int64(c.Grace)},
	}
	for _, p := range positive {
		if p.value <= 0 {
			errs = append(errs, fmt.Errorf("front: %s is %d, must be positive", p.name, p.value))
		}
	}
	return errors.Join(errs...)
}
