package enginetest

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// large writes and reads what does not go in one piece, several at once, beside what is small.
func (s *suite) large(t *testing.T) {
	sizes := []int{5 << 20, 1000, 1 << 20, 70_000, 3 << 20, 1}
	dice := rand.NewChaCha8([32]byte{1})
	c := NewClient(t)
	values, reads := make([][]byte, len(sizes)), make([]wire.Request, len(sizes))
	for i, n := range sizes {
		values[i] = make([]byte, n)
		_, _ = dice.Read(values[i]) // it never fails
		var write wire.Request
		write, reads[i] = s.spec.Large(i, values[i])
		write.Tag = uint64(i)
		s.e.Submit(write, c)
	}
	s.write(t)
	for i, n := range sizes {
		if resp := c.last(uint64(i)); resp.Code != wire.OK {
			t.Fatalf("a write of %d bytes was answered %v: %s", n, resp.Code, resp.Body)
		}
	}
	for i, req := range reads {
		req.Tag = uint64(len(sizes) + i)
		s.e.Submit(req, c)
	}
	for i, n := range sizes {
		resp := c.last(uint64(len(sizes) + i))
		if resp.Code != wire.OK || !bytes.Contains(resp.Body, values[i]) {
			t.Errorf("what was written with %d bytes was answered %v with %d that are not the same", n, resp.Code, len(resp.Body))
		}
	}
}
