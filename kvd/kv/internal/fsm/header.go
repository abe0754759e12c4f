package fsm

import (
	"encoding/binary"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// header is what a key's Head says: everything but the value, so that whoever asks for a version, an expiry or a size
// never reads a blob.
type header struct {
	version uint64 // the revision of the command that wrote the key last
	expires int64  // ms since 1970 from which on the key is gone; 0 is never
	typ     byte   // wire.TypeString
}

// A head is a byte of type and flags, the version as a uvarint and, with headExpires, the expiry as a uvarint. The bits
// between are for later types and must be zero.
const (
	headType    = 0x0F
	headExpires = 0x80
	headUnknown = 0xFF &^ (headType | headExpires)
)

var errHead = wire.Errorf(wire.Internal, "the store holds a key whose head cannot be read: restore this node from a replica or a backup")

func (h header) append(b []byte) []byte {
	flags := h.typ
	if h.expires != 0 {
		flags |= headExpires
	}
	b = append(b, flags)
	b = binary.AppendUvarint(b, h.version)
	if h.expires != 0 {
		b = binary.AppendUvarint(b, uint64(h.expires))
	}
	return b
}

// decode reads a head. One that cannot be read is a fault: only this package writes them.
func (h *header) decode(p []byte) error {
	if len(p) < 2 || p[0]&headUnknown != 0 {
		return errHead
	}
	h.typ = p[0] & headType
	v, n := binary.Uvarint(p[1:])
	if n <= 0 {
		return errHead
	}
	h.version, h.expires = v, 0
	if p[0]&headExpires != 0 {
		e, m := binary.Uvarint(p[1+n:])
		if m <= 0 {
			return errHead
		}
		h.expires = int64(e)
	}
	return nil
}
