package front

import (
	"io"
	"strings"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/obs"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestARejectedConnectionIsToldOfWithTheReason(t *testing.T) {
	const big = 256 << 10
	saying := func(what string) func(*testing.T, *running) {
		return func(t *testing.T, f *running) {
			c := dial(t, f)
			c.say(what)
			_, _ = io.Copy(io.Discard, c.r) // until the server closes
		}
	}
	for _, test := range []struct {
		want   Rejection
		change func(*Config)
		hook   func(*Front)
		come   func(t *testing.T, f *running)
	}{
		{want: Rejection{Reason: "unknown"}, come: saying("\xff\xfe\xfd\xfc\xfb")},
		{want: Rejection{Reason: "unserved", Protocol: "tls"}, come: saying("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03abcdefg")},
		{want: Rejection{Reason: "protected", Protocol: "resp"}, hook: foreign, come: saying("*1\r\n$4\r\nPING\r\n")},
		{want: Rejection{Reason: "protected", Protocol: "native"}, hook: foreign, come: saying(helloFrame("", ""))},
		{want: Rejection{Reason: "no-hello", Protocol: "native"}, come: saying(wire.Magic + frame(wire.OpPing, 1, nil))},
		{
			want:   Rejection{Reason: "credentials", Protocol: "native"},
			change: func(c *Config) { c.Password = func(_, p string) bool { return p == "right" } }, come: saying(helloFrame("", "wrong")),
		},
		{
			want: Rejection{Reason: "limit"}, change: func(c *Config) { c.MaxConnections = 1 },
			come: func(t *testing.T, f *running) {
				first := dial(t, f)
				first.say("PING\r\n")
				first.line()
				dial(t, f).rest()
			},
		},
		{
			want: Rejection{Reason: "stalled"}, change: func(c *Config) { c.StallTimeout = 100 * time.Millisecond },
			come: func(t *testing.T, f *running) {
				c := dial(t, f)
				c.say(helloFrame("", "") + frame(wire.OpKVSet, 2, (&wire.KVSet{Key: []byte("k"), Value: make([]byte, big)}).Append(nil)))
				get := strings.Repeat(frame(wire.OpKVGet, 3, (&wire.KVKey{Key: []byte("k")}).Append(nil)), 1000)
				for err := error(nil); err == nil; { // at first the server takes no more, then it closes
					_, err = io.WriteString(c.Conn, get)
				}
			},
		},
	} {
		t.Run(test.want.Reason+" "+test.want.Protocol, func(t *testing.T) {
			events, next := listen(t)
			hook := test.hook
			if hook == nil {
				hook = func(*Front) {}
			}
			f := start(t, func(c *Config) {
				c.Events = events
				if test.change != nil {
					test.change(c)
				}
			}, hook)
			test.come(t, f)
			var got Rejection
			next(obs.EventRejected, &got)
			if !strings.HasPrefix(got.Peer, "127.0.0.1:") {
				t.Errorf("the peer is %q", got.Peer)
			}
			if got.Peer = ""; got != test.want {
				t.Errorf("told of %+v, want %+v", got, test.want)
			}
		})
	}
}
