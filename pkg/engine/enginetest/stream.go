package enginetest

import (
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func (s *suite) credits(t *testing.T) {
	c := NewClient(t)
	req := s.spec.Stream()
	req.Tag = 1
	s.e.Submit(req, c)
	all := c.until(1, func(all []wire.Response) bool { return len(all) > 0 })
	if first := all[0]; !first.More {
		t.Fatalf("the stream did not stand: %v %s", first.Code, first.Body)
	}
	const writes = 10
	for range writes {
		s.write(t)
	}
	// Without a credit nothing comes, however long the other answers took.
	if all := c.until(1, func([]wire.Response) bool { return true }); len(all) != 1 {
		t.Fatalf("%d answers came without a credit", len(all)-1)
	}
	told, granted := 0, 0
	for told < writes {
		granted++
		s.e.Credit(c, 1, 1)
		all := c.until(1, func(all []wire.Response) bool { return len(all) > granted || ended(all) })
		if len(all) != granted+1 {
			t.Fatalf("%d answers came for %d credits: %+v", len(all)-1, granted, all[len(all)-1])
		}
		n, err := s.spec.Told(&all[granted])
		if err != nil {
			t.Fatal(err)
		}
		told += n
	}
	if told != writes {
		t.Fatalf("the stream told of %d writes, %d were made", told, writes)
	}
	// What its credits do not allow is not told either when another stream is told of it.
	req.Tag = 2
	s.e.Submit(req, c)
	c.Answer(2)
	s.e.Credit(c, 2, 1000)
	s.write(t)
	c.until(2, func(all []wire.Response) bool { return len(all) > 1 || ended(all) })
	if all := c.until(1, func([]wire.Response) bool { return true }); len(all) != granted+1 {
		t.Errorf("%d answers came for %d credits", len(all)-1, granted)
	}
	for tag := range uint64(2) {
		s.e.Cancel(c, tag+1)
		if resp := c.last(tag + 1); resp.Code != wire.Canceled {
			t.Errorf("the stream that was withdrawn ended with %v", resp.Code)
		}
	}
}

func (s *suite) endStream(t *testing.T) {
	c := NewClient(t)
	const streams = 20
	for i := range streams {
		req := s.spec.Stream()
		req.Tag = uint64(i + 1)
		s.e.Submit(req, c)
		s.e.Credit(c, req.Tag, 1000)
		if i%2 == 0 {
			s.e.Cancel(c, req.Tag) // perhaps before it stands
		}
	}
	for i := range streams {
		s.write(t)
		s.e.Cancel(c, uint64(i+1))
	}
	for i := range streams {
		if resp := c.last(uint64(i + 1)); resp.Code != wire.Canceled {
			t.Errorf("stream %d ended with %v: %s", i+1, resp.Code, resp.Body)
		}
	}
}
