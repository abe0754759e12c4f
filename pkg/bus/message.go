package bus

import (
	"encoding/binary"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// version is that of the messages described in doc.go.
const version = 1

// kind is what a message is, its first byte.
type kind byte

const (
	kindOpen    kind = 1
	kindWelcome kind = 2
	kindData    kind = 3
	kindPing    kind = 4
	kindPong    kind = 5
	kindReset   kind = 6
	kindClose   kind = 7

	kindPresence kind = 8
)

// linkHead is the length of what all messages but open begin with: kind and link.
const linkHead = 1 + 8

// dataHead is the length of a data message's head.
const dataHead = linkHead + 8 + 8 + 8

// item is what a part of a data message is.
type item byte

const (
	itemFrame item = 1
	itemPiece item = 2
	itemMoved item = 3
)

const (
	pieceFirst  = 1
	pieceLast   = 2
	pieceBroken = 4
)

// itemHead is the most that an item takes besides its frame, or part of one.
const itemHead = 1 + 1 + 3*binary.MaxVarintLen64

func appendLink(b []byte, k kind, link uint64) []byte {
	return binary.BigEndian.AppendUint64(append(b, byte(k)), link)
}

// appendOpen makes an open message.
func appendOpen(link uint64, window int64) []byte {
	b := binary.BigEndian.AppendUint64([]byte{byte(kindOpen), version}, link)
	return wire.AppendUvarint(b, uint64(window))
}

// takeLink reads the beginning of a message. What follows is in r.
func takeLink(p []byte) (k kind, link uint64, r wire.Reader) {
	r = wire.NewReader(p)
	k = kind(r.Byte())
	if k == kindOpen {
		r.Byte() // the version: only one that can be read is answered, later ones must begin alike
	}
	link = r.Uint64()
	return k, link, r
}

// head is that of a data message.
type head struct {
	number uint64
	acked  int64
	clock  int64
}

func (h *head) put(b []byte, link uint64) {
	b[0] = byte(kindData)
	binary.BigEndian.PutUint64(b[1:], link)
	binary.BigEndian.PutUint64(b[9:], h.number)
	binary.BigEndian.PutUint64(b[17:], uint64(h.acked))
	binary.BigEndian.PutUint64(b[25:], uint64(h.clock))
}

func takeHead(r *wire.Reader) head {
	return head{number: r.Uint64(), acked: int64(r.Uint64()), clock: int64(r.Uint64())}
}

// welcome is a server's answer to an open message.
type welcome struct {
	refused  string // why there is no link; empty: there is one
	node     string
	subject  string // where the link's messages go
	window   int64  // bytes of data messages that may be on their way to the server
	requests int    // that may be unanswered
	bytes    int64  // that they may have together
	leads    bool
	leader   string // the node that leads, if that is another and known
}

func (w *welcome) append(b []byte, link uint64) []byte {
	b = append(appendLink(b, kindWelcome, link), version)
	if w.refused != "" {
		return wire.AppendString(append(b, 1), w.refused)
	}
	b = wire.AppendString(append(b, 0), w.node)
	b = wire.AppendString(b, w.subject)
	b = wire.AppendUvarint(b, uint64(w.window))
	b = wire.AppendUvarint(b, uint64(w.requests))
	b = wire.AppendUvarint(b, uint64(w.bytes))
	leads := byte(0)
	if w.leads {
		leads = 1
	}
	return wire.AppendString(append(b, leads), w.leader)
}

// take reads what follows the link. Later versions may add to it.
func (w *welcome) take(r *wire.Reader) error {
	if v := r.Byte(); r.Err() == nil && v != version {
		return wire.Errorf(wire.Unsupported, "the daemon speaks version %d of the bus, this process version %d", v, version)
	}
	if r.Byte() == 1 {
		w.refused = string(r.Bytes())
		return r.Err()
	}
	w.node, w.subject = string(r.Bytes()), string(r.Bytes())
	w.window, w.requests, w.bytes = int64(r.Uvarint()), int(r.Uvarint()), int64(r.Uvarint())
	w.leads, w.leader = r.Byte() == 1, string(r.Bytes())
	return r.Err()
}
