package enginetest

import (
	"bytes"
	"context"
	"slices"
	"sync"
	"testing"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// suite is the tests over one engine.
type suite struct {
	spec  *Spec
	e     engine.Engine
	count int // the number that the last Write has left behind
	fed   int // how many Feeds there were
	sure  int // in Survives, the number that was read last
}

// prepare makes what the spec's requests need.
func (s *suite) prepare(t *testing.T) {
	t.Helper()
	for _, req := range s.spec.Before {
		if resp := ask(t, s.e, req); resp.Code != wire.OK {
			t.Fatalf("%v, which prepares the test, was answered %v: %s", req.Op, resp.Code, resp.Body)
		}
	}
}

// allowed checks that an operation may answer with this code.
func (s *suite) allowed(t *testing.T, op wire.Op, resp *wire.Response) {
	t.Helper()
	if !slices.Contains(anyCode, resp.Code) && !slices.Contains(s.spec.Ops[op], resp.Code) {
		t.Errorf("%v answered %v (%q), which is not among its codes", op, resp.Code, resp.Body)
	}
}

func (s *suite) samples(t *testing.T) {
	seen := map[wire.Op]bool{}
	c := NewClient(t)
	for i, req := range s.spec.Samples {
		req.Tag = uint64(i + 1)
		seen[req.Op] = true
		s.e.Submit(req, c)
	}
	for i, req := range s.spec.Samples {
		resp := c.last(uint64(i + 1))
		s.allowed(t, req.Op, &resp)
		if resp.Code == wire.Invalid || resp.Code == wire.Unsupported {
			t.Errorf("sample %d, %v, was answered %v: %s", i, req.Op, resp.Code, resp.Body)
		}
	}
	for op := range s.spec.Ops {
		if !seen[op] && (s.spec.Stream == nil || s.spec.Stream().Op != op) {
			t.Errorf("there is no sample of %v", op)
		}
	}
}

func (s *suite) garbage(t *testing.T) {
	bodies := [][]byte{nil, {0xFF}, bytes.Repeat([]byte{0xFF}, 40), bytes.Repeat([]byte{0x80}, 11)}
	for _, req := range s.spec.Samples {
		for cut := 1; cut < min(len(req.Body), 12); cut++ {
			bodies = append(bodies, req.Body[:cut])
		}
	}
	slices.SortFunc(bodies, bytes.Compare)
	bodies = slices.CompactFunc(bodies, bytes.Equal)
	for op := range s.spec.Ops {
		c := NewClient(t)
		for i, body := range bodies {
			s.e.Submit(wire.Request{Op: op, Tag: uint64(i), Body: bytes.Clone(body)}, c)
		}
		for i := range bodies {
			tag := uint64(i)
			if c.until(tag, func(all []wire.Response) bool { return len(all) > 0 })[0].More {
				s.e.Cancel(c, tag)
			}
			resp := c.last(tag)
			s.allowed(t, op, &resp)
		}
	}
	s.restore(t)
}

func (s *suite) refusals(t *testing.T) {
	for _, op := range s.spec.Own {
		if resp := ask(t, s.e, wire.Request{Op: op, Tag: 1, Body: []byte{1}}); resp.Code != wire.Unsupported {
			t.Errorf("%v, which is the engine's own, was answered %v to a client", op, resp.Code)
		}
	}
	var id wire.EngineID
	for op := range s.spec.Ops {
		id = op.Engine()
	}
	for low := range 256 {
		op := wire.Op(id)<<8 | wire.Op(low)
		if _, ok := s.spec.Ops[op]; ok || slices.Contains(s.spec.Own, op) {
			continue
		}
		resp := ask(t, s.e, wire.Request{Op: op, Tag: 1})
		if resp.Code != wire.Unsupported || len(resp.Body) == 0 {
			t.Errorf("%v does not exist and was answered %v (%q)", op, resp.Code, resp.Body)
		}
	}
}

func (s *suite) write(t *testing.T) {
	t.Helper()
	req := s.spec.Write(s.count + 1)
	if resp := ask(t, s.e, req); resp.Code != wire.OK {
		t.Fatalf("a write was answered %v: %s", resp.Code, resp.Body)
	}
	s.count++
}

func (s *suite) found(t *testing.T, resp *wire.Response) int {
	t.Helper()
	n, err := s.spec.Found(resp)
	if err != nil {
		t.Fatalf("the answer of a read: %v", err)
	}
	return n
}

func (s *suite) readYourWrite(t *testing.T) {
	for range 20 {
		s.write(t)
		resp := ask(t, s.e, s.spec.Read())
		if n := s.found(t, &resp); n != s.count {
			t.Fatalf("read %d after %d was written", n, s.count)
		}
	}
}

func (s *suite) stale(t *testing.T) {
	s.write(t)
	for range 5 {
		req := s.spec.Read()
		req.Flags |= wire.FlagStale
		resp := ask(t, s.e, req)
		if resp.Code == wire.NotFound {
			continue // a replica that is behind
		}
		if n := s.found(t, &resp); n > s.count {
			t.Fatalf("a stale read found %d, %d is the last that was written", n, s.count)
		}
	}
}

func (s *suite) loan(t *testing.T) {
	c := NewClient(t)
	req := s.spec.Write(s.count + 1)
	req.Tag, req.Body = 1, bytes.Clone(req.Body)
	s.e.Submit(req, c)
	scribble(req.Body)
	if resp := c.last(1); resp.Code != wire.OK {
		t.Fatalf("a write whose body was reused after Submit was answered %v: %s", resp.Code, resp.Body)
	}
	s.count++
	req = s.spec.Read()
	req.Tag, req.Body = 2, bytes.Clone(req.Body)
	s.e.Submit(req, c)
	scribble(req.Body)
	resp := c.last(2)
	if n := s.found(t, &resp); n != s.count {
		t.Fatalf("read %d after %d was written", n, s.count)
	}
}

func (s *suite) ordered(t *testing.T) {
	c := NewClient(t)
	const rounds = 100
	base := s.count
	for i := range rounds {
		w := s.spec.Write(base + i + 1)
		w.Tag, w.Flags = uint64(2*i+1), wire.FlagOrdered
		s.e.Submit(w, c)
		r := s.spec.Read()
		r.Tag, r.Flags = uint64(2*i+2), wire.FlagOrdered
		s.e.Submit(r, c)
	}
	for i := range rounds {
		if w := c.last(uint64(2*i + 1)); w.Code != wire.OK {
			t.Fatalf("write %d was answered %v: %s", i, w.Code, w.Body)
		}
		resp := c.last(uint64(2*i + 2))
		if n := s.found(t, &resp); n != base+i+1 {
			t.Fatalf("the read behind write %d found %d", base+i+1, n)
		}
	}
	s.count = base + rounds
}

func (s *suite) deadline(t *testing.T) {
	for _, req := range []wire.Request{s.spec.Write(s.count + 1000), s.spec.Read()} {
		req.Tag, req.Deadline = 1, 1
		// Through frames a deadline is at least a millisecond away, so that it may be met after all.
		resp := ask(t, s.e, req)
		if _, far := s.e.(*Far); resp.Code != wire.Timeout && !(far && resp.Code == wire.OK) {
			t.Errorf("%v with a deadline that has passed was answered %v", req.Op, resp.Code)
		}
	}
	s.restore(t)
}

// restore writes the number again that a request may have replaced.
func (s *suite) restore(t *testing.T) {
	t.Helper()
	s.write(t)
}

func (s *suite) cancel(t *testing.T) {
	c := NewClient(t)
	const n = 50
	for i := range n {
		req := s.spec.Write(s.count + 1)
		if i%2 == 1 {
			req = s.spec.Samples[i%len(s.spec.Samples)]
		}
		req.Tag = uint64(i + 1)
		s.e.Submit(req, c)
		s.e.Cancel(c, req.Tag)
	}
	for i := range n {
		c.last(uint64(i + 1))
	}
	s.restore(t)
	// A second last answer would come with what follows at the latest.
	for i := range n {
		c.last(uint64(i + 1))
	}
	ctx, stop := context.WithCancel(context.Background())
	stop()
	if _, err := engine.Do(ctx, s.e, s.spec.Read()); err != nil && wire.CodeOf(err) != wire.Canceled {
		t.Errorf("a call that was withdrawn ended with %v", err)
	}
}

func (s *suite) stray(t *testing.T) {
	c := NewClient(t)
	s.e.Cancel(c, 99)
	s.e.Credit(c, 99, 1)
	s.e.Credit(c, 99, -1)
	s.write(t)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.answers) != 0 {
		t.Errorf("a request that nobody made was answered: %+v", c.answers)
	}
}

func (s *suite) concurrent(t *testing.T) {
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			ctx, stop := context.WithTimeout(context.Background(), patience)
			defer stop()
			for range 20 {
				if _, err := engine.Do(ctx, s.e, s.spec.Write(s.count+1)); err != nil {
					t.Errorf("one of many concurrent writes: %v", err)
				}
				if _, err := engine.Do(ctx, s.e, s.spec.Read()); err != nil {
					t.Errorf("one of many concurrent reads: %v", err)
				}
			}
		})
	}
	wg.Wait()
	s.count++
}
