package native_test

import (
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/front/link"
	"github.com/skshohagmiah/flin/pkg/front/native"
	"github.com/skshohagmiah/flin/pkg/internal/memkv"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// FuzzConnection sends any bytes, with and without a good opening. Whatever they are, the server answers or closes and
// comes to an end with its client.
func FuzzConnection(f *testing.F) {
	hello := wire.AppendRequest([]byte(wire.Magic), &wire.Request{Op: wire.OpHello, Tag: 1, Body: (&wire.Hello{Version: 1}).Append(nil)}, 0)
	f.Add(true, wire.AppendRequest(nil, &wire.Request{Op: wire.OpKVGet, Tag: 2, Deadline: 5, Session: 1, Body: key("k")}, 0))
	f.Add(true, wire.AppendRequest(nil, &wire.Request{Op: wire.OpKVSet, Tag: 2, Body: set("k", "v")}, 0))
	f.Add(true, wire.AppendRequest(nil, &wire.Request{Op: wire.OpCredit, Tag: 2, Body: (&wire.Credit{Tag: 2, N: 1}).Append(nil)}, 0))
	f.Add(true, wire.AppendRequest(nil, &wire.Request{Op: wire.OpKVWatch, Tag: 2}, 0))
	f.Add(false, hello)
	cfg := native.Default()
	cfg.Engine = memkv.New()
	s := native.New(cfg)
	f.Fuzz(func(t *testing.T, greet bool, b []byte) {
		here, there := net.Pipe()
		_ = here.SetDeadline(time.Now().Add(20 * time.Second)) // a hang fails instead
		var all sync.WaitGroup
		all.Go(func() {
			c := link.New(there, 1, link.Limits{MaxInput: 64 << 10, MaxOutput: 1 << 20, MaxInFlight: 16})
			s.ServeConn(c)
			c.Release()
		})
		all.Go(func() { _, _ = io.Copy(io.Discard, here) })
		if greet {
			b = append(hello[:len(hello):len(hello)], b...)
		}
		_, _ = here.Write(b) // the server may have closed
		_ = here.Close()
		all.Wait()
	})
}
