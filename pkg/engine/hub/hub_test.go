package hub

import (
	"context"
	"errors"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/skshohagmiah/flin/pkg/engine/enginetest"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// numbers is a Source that tells how far a counter has come.
type numbers struct {
	mu      sync.Mutex
	n, told int64
	refuse  error
}

func (s *numbers) Stand() (uint64, error) { return 7, s.refuse }

func (s *numbers) Next(bool) (resp wire.Response, send, more bool, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.told == s.n {
		return resp, false, false, nil
	}
	s.told++
	return wire.Response{Num: s.told}, true, s.told < s.n, nil
}

func (s *numbers) count(h *Hub, n int64) {
	s.mu.Lock()
	s.n = n
	s.mu.Unlock()
	h.Notify()
}

// run feeds a hub until the test ends.
func run(t *testing.T, limit int) *Hub {
	t.Helper()
	h := New("test", limit, 0)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.Run(ctx)
	}()
	t.Cleanup(func() {
		cancel()
		<-done
		h.Close()
	})
	return h
}

func open(t *testing.T, h *Hub, a *enginetest.Client, tag uint64, s Source) *Watch {
	t.Helper()
	w, err := h.Open(a, tag, s)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func TestAWatchIsSentAsManyAnswersAsItHasCredits(t *testing.T) {
	h := run(t, 2)
	slow, fast, behind := enginetest.NewClient(t), enginetest.NewClient(t), &numbers{}
	h.Stand(open(t, h, slow, 1, behind), nil)
	if first := slow.Answers(1)[0]; !first.More || first.Rev != 7 {
		t.Errorf("the first answer is %+v", first)
	}
	behind.count(h, 100)
	h.Credit(slow, 1, 3)
	if all := slow.Answers(4); all[3].Num != 3 || !all[3].More {
		t.Errorf("the last of 3 answers is %+v", all[3])
	}
	source := &numbers{}
	h.Stand(open(t, h, fast, 2, source), nil)
	h.Credit(fast, 2, 1000)
	source.count(h, 50)
	fast.Answers(51) // by then the hub has looked at the slow one as well
	if n := len(slow.Answers(4)); n != 4 {
		t.Errorf("%d answers for 3 credits", n-1)
	}
	h.Credit(slow, 1, 1000)
	if all := slow.Answers(101); all[100].Num != 100 {
		t.Errorf("the last answer is %+v", all[100])
	}
}

func TestAWatchEndsOnce(t *testing.T) {
	h := run(t, 3)
	withdrawn, refused, left := enginetest.NewClient(t), enginetest.NewClient(t), enginetest.NewClient(t)
	h.Stand(open(t, h, withdrawn, 1, &numbers{}), nil)
	withdrawn.Answers(1)
	if !h.Cancel(withdrawn, 1) || h.Cancel(withdrawn, 1) {
		t.Error("a watch is withdrawn once")
	}
	h.Stand(open(t, h, refused, 2, &numbers{refuse: wire.Errorf(wire.Compacted, "gone")}), nil)
	h.Stand(open(t, h, refused, 3, &numbers{}), errors.New("no leader"))
	open(t, h, left, 4, &numbers{})
	h.Close()
	if _, err := h.Open(left, 5, &numbers{}); wire.CodeOf(err) != wire.Unavailable {
		t.Errorf("after the end: %v", err)
	}
	for i, c := range []struct {
		a    *enginetest.Client
		want []wire.Code
	}{{withdrawn, []wire.Code{wire.OK, wire.Canceled}}, {refused, []wire.Code{wire.Compacted, wire.Internal}}, {left, []wire.Code{wire.Unavailable}}} {
		all := c.a.Answers(len(c.want))
		if len(all) != len(c.want) {
			t.Errorf("watch %d: %d answers", i, len(all))
		}
		for k, code := range c.want {
			if all[k].Code != code || all[k].More != (code == wire.OK) {
				t.Errorf("watch %d: answer %d is %+v", i, k, all[k])
			}
		}
	}
	if h.Count() != 0 {
		t.Errorf("%d watches are left", h.Count())
	}
}

func TestThereAreOnlySoManyWatches(t *testing.T) {
	h := run(t, 1)
	a := enginetest.NewClient(t)
	open(t, h, a, 1, &numbers{})
	if _, err := h.Open(a, 2, &numbers{}); wire.CodeOf(err) != wire.Busy {
		t.Errorf("over the limit: %v", err)
	}
}
