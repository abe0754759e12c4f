package bus

import (
	"bytes"
	"slices"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// tray keeps what a receiver gives.
type tray struct {
	frames  [][]byte
	lanes   []uint64
	nows    []int64
	holding int
	refuse  bool
}

func (y *tray) take(lane uint64, frame []byte, now int64) {
	y.frames, y.lanes, y.nows = append(y.frames, bytes.Clone(frame)), append(y.lanes, lane), append(y.nows, now)
}

func (y *tray) admit(n int, _ []byte, _ bool) bool {
	if y.refuse {
		return false
	}
	y.holding += n
	return true
}
func (y *tray) gathered(n int) { y.holding -= n }
func (y *tray) moved(string)   {}

// pass gives a message to a receiver.
func pass(t *testing.T, rc *receiver, buf []byte, back *sender, y *tray) error {
	t.Helper()
	k, link, r := takeLink(buf)
	if k != kindData || link != 7 {
		t.Fatalf("a data message of link 7 is %v of %d", k, link)
	}
	return rc.receive(&r, len(buf), back, y)
}

func TestAFrameThatIsTakenBackLeavesNothing(t *testing.T) {
	s, back := newSender(7, 4<<10, 1<<20, new(flow)), newSender(7, 4<<10, 1<<20, new(flow))
	rc, y := &receiver{limit: 1 << 20, flow: new(flow)}, &tray{}
	long := func(n int) *transfer {
		return &transfer{lane: 2, size: n, begin: func(int64) []byte { return make([]byte, n) }}
	}
	first, second := long(100<<10), long(10<<10)
	s.add(first)
	s.add(second)
	for range 3 {
		buf, _ := s.next()
		if err := pass(t, rc, buf, back, y); err != nil {
			t.Fatal(err)
		}
	}
	if y.holding != 100<<10 {
		t.Errorf("%d bytes are being gathered", y.holding)
	}
	if !s.drop(first) {
		t.Error("a frame that is under way cannot be taken back")
	}
	for {
		buf, _ := s.next()
		if buf == nil {
			break
		}
		if err := pass(t, rc, buf, back, y); err != nil {
			t.Fatal(err)
		}
	}
	if len(y.frames) != 1 || len(y.frames[0]) != 10<<10 || y.holding != 0 {
		t.Errorf("%d frames came, %d bytes are being gathered", len(y.frames), y.holding)
	}
	if s.drop(second) || s.waiting() != 0 {
		t.Errorf("%d bytes wait in an empty sender", s.waiting())
	}
}

func TestTheWindowHoldsBackUntilItIsAcknowledged(t *testing.T) {
	s, back := newSender(7, 64<<10, 1<<20, new(flow)), newSender(7, 64<<10, 1<<20, new(flow))
	rc, y := &receiver{limit: 1 << 20, flow: new(flow)}, &tray{}
	for range 200 {
		s.request(0, &wire.Request{Op: wire.OpKVSet, Body: make([]byte, 16<<10)})
	}
	var held [][]byte
	for {
		buf, _ := s.next()
		if buf == nil {
			break
		}
		held = append(held, slices.Clone(buf))
	}
	if sent := len(bytes.Join(held, nil)); sent < 1<<20 || sent > 1<<20+64<<10 {
		t.Errorf("%d bytes went out of a window of 1 MiB", sent)
	}
	for _, buf := range held {
		if err := pass(t, rc, buf, back, y); err != nil {
			t.Fatal(err)
		}
	}
	ack, number := back.next()
	k, _, r := takeLink(ack)
	if k != kindData || number == 0 {
		t.Fatal("what was taken is not acknowledged")
	}
	if err := (&receiver{limit: 1 << 20, flow: new(flow)}).receive(&r, len(ack), s, y); err != nil {
		t.Fatal(err)
	}
	if buf, _ := s.next(); buf == nil {
		t.Error("nothing follows after the acknowledgement")
	}
}

func TestAGapEndsALink(t *testing.T) {
	s, back := newSender(7, 64<<10, 1<<20, new(flow)), newSender(7, 64<<10, 1<<20, new(flow))
	rc, y := &receiver{limit: 1 << 20, flow: new(flow)}, &tray{}
	for i := range 3 {
		s.request(0, &wire.Request{Op: wire.OpKVSet, Tag: uint64(i)})
		buf, _ := s.next()
		if i == 1 {
			continue // lost
		}
		if err := pass(t, rc, buf, back, y); (err != nil) != (i == 2) {
			t.Errorf("message %d: %v", i, err)
		}
	}
	if len(y.frames) != 1 {
		t.Errorf("%d frames came", len(y.frames))
	}
}

func TestThatTheLastMessageWasLostIsNoticedAsWell(t *testing.T) {
	s, back := newSender(7, 64<<10, 1<<20, new(flow)), newSender(7, 64<<10, 1<<20, new(flow))
	rc, y := &receiver{limit: 1 << 20, flow: new(flow)}, &tray{}
	s.request(0, &wire.Request{Op: wire.OpKVSet})
	s.next() // lost, and nothing is to follow
	s.beat()
	buf, _ := s.next()
	if buf == nil || pass(t, rc, buf, back, y) == nil {
		t.Error("it is not noticed")
	}
	s.beat()
	if buf, _ := s.next(); buf != nil {
		t.Error("messages follow one another for nothing")
	}
}

func TestThatAnAcknowledgementWasLostDoesNotCloseTheWindow(t *testing.T) {
	s, back := newSender(7, 64<<10, 1<<20, new(flow)), newSender(7, 64<<10, 1<<20, new(flow))
	rc, y := &receiver{limit: 1 << 20, flow: new(flow)}, &tray{}
	for range 200 {
		s.request(0, &wire.Request{Op: wire.OpKVSet, Body: make([]byte, 16<<10)})
	}
	back.window = 0 // it may send nothing but acknowledgements
	back.moved("a node")
	for {
		buf, _ := s.next()
		if buf == nil {
			break
		}
		if err := pass(t, rc, buf, back, y); err != nil {
			t.Fatal(err)
		}
	}
	back.next() // lost
	back.beat()
	ack, _ := back.next()
	_, _, r := takeLink(ack)
	if err := (&receiver{limit: 1 << 20, flow: new(flow)}).receive(&r, len(ack), s, y); err != nil {
		t.Fatal(err)
	}
	if buf, _ := s.next(); buf == nil {
		t.Error("the window stays closed")
	}
}

func TestALongFrameFollowsWhatCameBeforeIt(t *testing.T) {
	s, back := newSender(7, 4<<10, 1<<20, new(flow)), newSender(7, 4<<10, 1<<20, new(flow))
	rc, y := &receiver{limit: 1 << 20, flow: new(flow)}, &tray{}
	for range 3 {
		s.answer(1, &wire.Response{More: true, Body: make([]byte, 1500)}) // a message each
	}
	s.answer(1, &wire.Response{More: true, Body: make([]byte, 2100)}) // has room beside the first
	s.answer(1, &wire.Response{})
	for {
		buf, _ := s.next()
		if buf == nil {
			break
		}
		if err := pass(t, rc, buf, back, y); err != nil {
			t.Fatal(err)
		}
	}
	var sizes []int
	for _, f := range y.frames {
		sizes = append(sizes, len(f))
	}
	head := wire.MinResponse
	if want := []int{1500 + head, 1500 + head, 1500 + head, 2100 + head, head}; !slices.Equal(sizes, want) {
		t.Errorf("answers came with %v bytes, not %v", sizes, want)
	}
}

func TestTimeOnTheBusCountsAgainstADeadline(t *testing.T) {
	rc := &receiver{}
	const second = int64(1e9)
	// The sender's clock is 1,000 s ahead.
	if now := rc.local(1010*second, 10*second); now != 10*second {
		t.Errorf("the first message left at %d", now)
	}
	if now := rc.local(1011*second, 14*second); now < 11*second || now > 11*second+1e6 {
		t.Errorf("a message that took three seconds left at %d", now)
	}
}

func FuzzReceive(f *testing.F) {
	s := newSender(7, 4<<10, 1<<20, new(flow))
	s.request(3, &wire.Request{Op: wire.OpKVSet, Tag: 1, Deadline: wire.DeadlineAfter(1e9), Body: []byte("body")})
	s.moved("node")
	s.add(&transfer{lane: 2, size: 9000, begin: func(int64) []byte { return make([]byte, 9000) }})
	for {
		buf, _ := s.next()
		if buf == nil {
			break
		}
		f.Add(slices.Clone(buf))
	}
	f.Fuzz(func(_ *testing.T, p []byte) {
		_, _, r := takeLink(p)
		rc := &receiver{limit: 1 << 20, flow: new(flow)}
		if len(p) >= dataHead {
			h := wire.NewReader(p[linkHead:])
			rc.number = takeHead(&h).number - 1 // the number is no obstacle
		}
		_ = rc.receive(&r, len(p), newSender(7, 4<<10, 1<<20, new(flow)), &tray{})
		var w welcome
		_, _, r = takeLink(p)
		_ = w.take(&r)
	})
}
