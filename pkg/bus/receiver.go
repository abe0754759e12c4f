package bus

import (
	"encoding/binary"
	"math"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// receiver is the other end of a sender: messages go in, in the goroutine of their subscription, and frames come out.
type receiver struct {
	limit  int // bytes of a frame
	number uint64

	frame []byte // the one that comes in pieces
	want  int    // its length; 0: there is none
	skip  bool   // it was refused: what follows of it is passed over
	lane  uint64
	began int64 // the clock by which its deadline counts

	flow *flow // what comes is counted there

	heard bool
	last  int64 // when a message came
	ahead int64 // this clock less the sender's, by the fastest message
}

// taker is what a receiver gives to.
type taker interface {
	// take gets a frame without its length. now is the moment, by wire.Clock, from which its deadline counts.
	take(lane uint64, frame []byte, now int64)
	// admit says whether a frame of n bytes, which begins with start, may be gathered. long: it is over the receiver's limit,
	// and will not be in any case.
	admit(n int, start []byte, long bool) bool
	// gathered is told that a frame of n bytes that was admitted is there, or will not be.
	gathered(n int)
	// moved is told that the other side leads no more.
	moved(leader string)
}

var (
	errGap     = wire.Errorf(wire.Unavailable, "a message was lost on the bus")
	errGarbage = wire.Errorf(wire.Invalid, "a message on the bus cannot be read")
)

// receive takes a data message. r is behind its link. What is acknowledged goes to s. With an error the link is over.
func (rc *receiver) receive(r *wire.Reader, size int, s *sender, t taker) error {
	h := takeHead(r)
	if r.Err() != nil {
		return errGarbage
	}
	rc.flow.message(size)
	if h.number == 0 {
		s.took(0, h.acked)
		return nil
	}
	if h.number != rc.number+1 {
		return errGap
	}
	rc.number++
	now := rc.local(h.clock, wire.Clock())
	for r.Len() > 0 {
		switch item(r.Byte()) {
		case itemFrame:
			lane := r.Uvarint()
			frame := takeFrame(r)
			if r.Err() != nil {
				return errGarbage
			}
			t.take(lane, frame, now)
		case itemPiece:
			if err := rc.piece(r, now, t); err != nil {
				return err
			}
		case itemMoved:
			leader := string(r.Bytes())
			if r.Err() != nil {
				return errGarbage
			}
			t.moved(leader)
		default:
			return errGarbage
		}
	}
	s.took(size, h.acked)
	return nil
}

// local returns the moment at which a message left by this process's clock. The fastest message so far is taken to have needed no
// time; two clocks may differ by a ten-thousandth of the time that passes.
func (rc *receiver) local(clock, arrived int64) int64 {
	ahead := arrived - clock
	if rc.heard {
		ahead = min(ahead, rc.ahead+(arrived-rc.last)/10_000)
	}
	rc.heard, rc.ahead, rc.last = true, ahead, arrived
	return clock + ahead
}

// takeFrame takes a frame with its length.
func takeFrame(r *wire.Reader) []byte {
	var size [wire.LenSize]byte
	for i := range size {
		size[i] = r.Byte()
	}
	n := int(binary.BigEndian.Uint32(size[:]))
	rest := r.Rest()
	if n > len(rest) {
		r.Fail(wire.ErrTruncated)
		return nil
	}
	*r = wire.NewReader(rest[n:])
	return rest[:n:n]
}

func (rc *receiver) piece(r *wire.Reader, now int64, t taker) error {
	flags := r.Byte()
	if flags&pieceFirst != 0 {
		lane, want := r.Uvarint(), r.Uvarint()
		if rc.want != 0 || want == 0 || want > math.MaxInt32 {
			return errGarbage
		}
		rc.lane, rc.want, rc.began, rc.frame = lane, int(want), now, nil
	}
	p := r.Bytes()
	if r.Err() != nil || rc.want == 0 || len(rc.frame)+len(p) > rc.want {
		return errGarbage
	}
	rc.flow.pieces.Add(1)
	if flags&pieceFirst != 0 {
		long := rc.want > rc.limit
		if rc.skip = !t.admit(rc.want, p, long) || long; !rc.skip {
			rc.frame = make([]byte, 0, rc.want)
		}
	}
	if !rc.skip {
		rc.frame = append(rc.frame, p...)
	}
	if flags&(pieceLast|pieceBroken) == 0 {
		return nil
	}
	frame, want, skip := rc.frame, rc.want, rc.skip
	rc.frame, rc.want, rc.skip = nil, 0, false
	if skip {
		return nil
	}
	t.gathered(want)
	if flags&pieceLast == 0 {
		return nil
	}
	if len(frame) != want {
		return errGarbage
	}
	t.take(rc.lane, frame, rc.began)
	return nil
}
