package bus

import (
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// sender is one direction of a link: frames go in, messages come out, of which a window may be on their way. It is bounded by
// whoever puts in.
type sender struct {
	link  uint64
	limit int           // bytes of a message
	wake  chan struct{} // one slot: there may be a message to send

	queued atomic.Int64 // bytes of open and long; changed under mu, as is the next
	behind atomic.Int64 // bytes of long

	mu     sync.Mutex // guards what follows; never held while a message is sent
	window int64
	open   []*message  // not sent yet, in order; only the last is added to
	long   []*transfer // frames that go in pieces, the first of them now
	tags   map[uint64]int
	number uint64
	sent   int64 // bytes of messages that were taken out
	acked  int64 // of them, those that the other side has taken
	taken  int64 // bytes that this side has taken of the other direction
	told   int64 // of them, those that the other side knows of
	owing  bool  // a message should be sent even if there is nothing for it
	trail  bool  // since the last beat something was sent of which it would not be noticed that it was lost
	free   [][]byte

	flow *flow // what is sent is counted there
}

// message is a data message that is being filled.
type message struct {
	buf   []byte
	head  head
	items int
}

// transfer is a frame that is too long for a message.
type transfer struct {
	lane   uint64 // as it travels: with the bit for ordered
	frame  []byte // without its length; nil until it begins
	begin  func(clock int64) []byte
	size   int // an estimate until it begins
	at     int
	after  uint64 // the number of the message before which it must not begin: there is what came earlier
	tag    uint64
	broken bool // the rest is not sent
	done   func(number uint64)
}

func newSender(link uint64, limit int, window int64, count *flow) *sender {
	return &sender{link: link, limit: limit, window: window, wake: make(chan struct{}, 1), tags: make(map[uint64]int), flow: count}
}

func (s *sender) rouse() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// whole is how long a frame may be that travels in one message: so there is room for a piece in every message.
func (s *sender) whole() int { return s.limit / 2 }

// room returns the message to which an item of n bytes can be added. Under mu.
func (s *sender) room(n int) *message {
	if last := len(s.open) - 1; last >= 0 && len(s.open[last].buf)+n <= min(s.whole(), full)+dataHead+itemHead {
		return s.open[last]
	}
	s.number++
	m := &message{head: head{number: s.number, clock: wire.Clock()}}
	if last := len(s.free) - 1; last >= 0 {
		m.buf = s.free[last]
		s.free = s.free[:last]
	} else {
		m.buf = make([]byte, 0, 8<<10)
	}
	m.buf = m.buf[:dataHead]
	s.open = append(s.open, m)
	return m
}

// request adds a request, whose lane has the bit for ordered, and returns the number of its message. It must not be longer than whole.
func (s *sender) request(lane uint64, req *wire.Request) uint64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	m := s.room(itemHead + wire.LenSize + wire.MaxFrameHead + len(req.Body))
	was := len(m.buf)
	m.buf = wire.AppendUvarint(append(m.buf, byte(itemFrame)), lane)
	m.buf = wire.AppendRequest(m.buf, req, m.head.clock)
	m.items++
	s.queued.Add(int64(len(m.buf) - was))
	return m.head.number
}

// answer adds an answer. All answers to one tag keep their order.
func (s *sender) answer(tag uint64, resp *wire.Response) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := itemHead + wire.LenSize + wire.MaxFrameHead + len(resp.Body)
	if n > s.whole() || s.tags[tag] > 0 {
		frame := wire.AppendResponse(make([]byte, 0, n), tag, resp)[wire.LenSize:]
		s.tags[tag]++
		s.push(&transfer{frame: frame, size: len(frame), tag: tag})
		return
	}
	m := s.room(n)
	was := len(m.buf)
	m.buf = append(m.buf, byte(itemFrame), 0)
	m.buf = wire.AppendResponse(m.buf, tag, resp)
	m.items++
	s.queued.Add(int64(len(m.buf) - was))
}

// moved adds the news that this side leads no more.
func (s *sender) moved(leader string) {
	s.mu.Lock()
	m := s.room(itemHead + len(leader))
	was := len(m.buf)
	m.buf = wire.AppendString(append(m.buf, byte(itemMoved)), leader)
	m.items++
	s.queued.Add(int64(len(m.buf) - was))
	s.mu.Unlock()
	s.rouse()
}

// add adds a frame that goes in pieces. begin makes it when its turn has come, done is told the number of the message with
// its last piece before that is sent; neither may call the sender.
func (s *sender) add(t *transfer) {
	s.mu.Lock()
	s.push(t)
	s.mu.Unlock()
}

func (s *sender) push(t *transfer) {
	if len(s.open) > 0 {
		t.after = s.number // pieces are at the end of a message
	}
	s.long = append(s.long, t)
	s.queued.Add(int64(t.size))
	s.behind.Add(int64(t.size))
}

// drop takes a frame back, or what is left of it. It is false if there is nothing left.
func (s *sender) drop(t *transfer) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := slices.Index(s.long, t)
	switch {
	case i < 0:
		return false
	case t.at > 0:
		t.broken, t.done = true, nil
	default:
		s.queued.Add(-int64(t.size))
		s.behind.Add(-int64(t.size))
		s.long = slices.Delete(s.long, i, i+1)
	}
	return true
}

// next returns the message to be sent now and its number, nil if there is none. It is valid until it is given back.
func (s *sender) next() (buf []byte, number uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) == 0 && len(s.long) == 0 && !s.owing {
		return nil, 0
	}
	// What tells only of bytes that were taken is sent whatever the window says, else two full ones would wait for each other.
	if s.sent-s.acked >= s.window {
		if !s.owing {
			return nil, 0
		}
		if len(s.open) > 0 || len(s.long) > 0 {
			return s.bare(), 0
		}
	}
	if len(s.open) == 0 {
		s.room(0)
	}
	m := s.open[0]
	if len(s.long) > 0 && s.long[0].after <= m.head.number {
		s.piece(m)
	}
	s.trail = m.items > 0 || s.taken-s.told >= ackEvery
	s.open[0] = nil
	s.open = s.open[1:]
	s.queued.Add(-int64(len(m.buf) - dataHead))
	s.sent += int64(len(m.buf))
	m.head.acked, s.told, s.owing = s.taken, s.taken, false
	m.head.put(m.buf, s.link)
	s.flow.message(len(m.buf))
	return m.buf, m.head.number
}

// bare returns a message without number and items: only an acknowledgement. Under mu.
func (s *sender) bare() []byte {
	h := head{acked: s.taken, clock: wire.Clock()}
	s.told, s.owing, s.trail = s.taken, false, true
	b := make([]byte, dataHead)
	h.put(b, s.link)
	s.flow.message(len(b))
	return b
}

// piece adds a part of the first long frame to a message. Under mu.
func (s *sender) piece(m *message) {
	t := s.long[0]
	if t.frame == nil {
		t.frame = t.begin(m.head.clock)
		s.queued.Add(int64(len(t.frame) - t.size))
		s.behind.Add(int64(len(t.frame) - t.size))
		t.size = len(t.frame)
	}
	n := min(len(t.frame)-t.at, s.limit-len(m.buf)-itemHead)
	flags := byte(0)
	if t.at == 0 {
		flags |= pieceFirst
	}
	switch {
	case t.broken:
		flags, n = flags|pieceBroken, 0
	case t.at+n == len(t.frame):
		flags |= pieceLast
	}
	was := len(m.buf)
	m.buf = append(m.buf, byte(itemPiece), flags)
	if flags&pieceFirst != 0 {
		m.buf = wire.AppendUvarint(wire.AppendUvarint(m.buf, t.lane), uint64(len(t.frame)))
	}
	m.buf = wire.AppendBytes(m.buf, t.frame[t.at:t.at+n])
	m.items++
	s.flow.pieces.Add(1)
	s.queued.Add(int64(len(m.buf)-was) - int64(n)) // its bytes were counted when it came
	s.behind.Add(-int64(n))
	t.at += n
	if flags&(pieceLast|pieceBroken) == 0 {
		return
	}
	s.queued.Add(-int64(len(t.frame) - t.at))
	s.behind.Add(-int64(len(t.frame) - t.at))
	s.long[0] = nil
	s.long = s.long[1:]
	if s.tags[t.tag]--; s.tags[t.tag] <= 0 {
		delete(s.tags, t.tag)
	}
	if t.done != nil {
		t.done(m.head.number)
	}
}

// beat sees to it that something follows what was sent last, so that the other side notices if it was lost.
func (s *sender) beat() {
	s.mu.Lock()
	trail := s.trail
	if trail {
		s.trail, s.owing = false, true
	}
	s.mu.Unlock()
	if trail {
		s.rouse()
	}
}

// recycle takes a message back that has been sent.
func (s *sender) recycle(buf []byte) {
	if cap(buf) > s.limit {
		return
	}
	s.mu.Lock()
	if len(s.free) < 4 {
		s.free = append(s.free, buf)
	}
	s.mu.Unlock()
}

// took notes that n bytes of the other direction have been taken, and acked that the other side has taken as much of this one.
func (s *sender) took(n int, acked int64) {
	s.mu.Lock()
	s.taken += int64(n)
	opens := acked > s.acked && (len(s.open) > 0 || len(s.long) > 0)
	s.acked = max(s.acked, min(acked, s.sent))
	if s.taken-s.told >= ackEvery {
		s.owing = true
	}
	rouse := opens || s.owing
	s.mu.Unlock()
	if rouse {
		s.rouse()
	}
}

// gather waits while others go on putting in, until a message is full: a message costs as much as dozens of requests.
func (s *sender) gather() {
	for had := int64(-1); ; {
		has := s.ahead()
		if has <= had || has >= full {
			return
		}
		had = has
		runtime.Gosched()
	}
}

// waiting returns how many bytes have not been sent.
func (s *sender) waiting() int64 { return s.queued.Load() }

// ahead returns how many bytes go before what is put in now, if that is not too long for a message.
func (s *sender) ahead() int64 { return s.queued.Load() - s.behind.Load() }

// drained reports whether everything has been sent.
func (s *sender) drained() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open) == 0 && len(s.long) == 0
}

// full is how long a message of several items gets at most. Longer ones are copied once more by NATS, and what one end does
// with them does not overlap with what the other does.
const full = 64 << 10

// ackEvery is after how many bytes they are acknowledged at the latest. A window is several times as large.
const ackEvery = 256 << 10
