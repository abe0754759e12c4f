package replica

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// An entry is what one Raft log entry holds. All numbers are big-endian but for the uvarint.
//
//	version  u8   1
//	crc      u32  CRC32C of everything after it
//	origin   u64  which process made the entry: its answers wait there
//	sequence u64  of the entry at its origin
//	time     i64  the leader's clock, ms since 1970
//	count    u32  of the commands
//	command  × count:
//	  op     u16
//	  flags  u8   1 an ordered read, 2 a session follows
//	  session, sequence, acked  3 × u64, with flag 2
//	  length uvarint, body
const (
	entryVersion = 1
	entryHead    = 1 + 4 + 8 + 8 + 8 + 4

	commandRead    = 1 << 0
	commandSession = 1 << 1

	// commandHead is the most that a command takes besides its body.
	commandHead = 2 + 1 + 24 + binary.MaxVarintLen32
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errEntry is wrapped by every reason why an entry cannot be read.
var errEntry = errors.New("the log entry is corrupt")

// appendCommand appends one command as it stands in an entry.
func appendCommand(b []byte, req *wire.Request, read bool) []byte {
	var flags byte
	if read {
		flags |= commandRead
	}
	if req.Session != 0 {
		flags |= commandSession
	}
	b = append(b, byte(req.Op>>8), byte(req.Op), flags)
	if req.Session != 0 {
		b = binary.BigEndian.AppendUint64(b, req.Session)
		b = binary.BigEndian.AppendUint64(b, req.Seq)
		b = binary.BigEndian.AppendUint64(b, req.Acked)
	}
	b = binary.AppendUvarint(b, uint64(len(req.Body)))
	return append(b, req.Body...)
}

// sealEntry fills in the head of an entry whose commands begin at entryHead.
func sealEntry(b []byte, origin, seq uint64, ms int64, count int) {
	b[0] = entryVersion
	binary.BigEndian.PutUint64(b[5:], origin)
	binary.BigEndian.PutUint64(b[13:], seq)
	binary.BigEndian.PutUint64(b[21:], uint64(ms))
	binary.BigEndian.PutUint32(b[29:], uint32(count))
	binary.BigEndian.PutUint32(b[1:], crc32.Checksum(b[5:], castagnoli))
}

// entry is a decoded entry; next takes its commands one by one.
type entry struct {
	origin, seq uint64
	time        int64
	count       int
	rest        []byte
}

// decodeEntry reads the head of an entry. The checksum is not verified here: see checkEntry.
func decodeEntry(b []byte) (entry, error) {
	if len(b) == 0 {
		return entry{}, fmt.Errorf("%w: it is empty", errEntry)
	}
	if b[0] != entryVersion {
		return entry{}, fmt.Errorf("%w: its version is %d, this program knows %d; if a newer program wrote it, run that one", errEntry, b[0], entryVersion)
	}
	if len(b) < entryHead {
		return entry{}, fmt.Errorf("%w: %d bytes are too few", errEntry, len(b))
	}
	return entry{
		origin: binary.BigEndian.Uint64(b[5:]),
		seq:    binary.BigEndian.Uint64(b[13:]),
		time:   int64(binary.BigEndian.Uint64(b[21:])),
		count:  int(binary.BigEndian.Uint32(b[29:])),
		rest:   b[entryHead:],
	}, nil
}

// checkEntry verifies the checksum of an entry that decodeEntry has accepted.
func checkEntry(b []byte) error {
	want, got := binary.BigEndian.Uint32(b[1:]), crc32.Checksum(b[5:], castagnoli)
	if want != got {
		return fmt.Errorf("%w: its checksum is %08x, its bytes give %08x", errEntry, want, got)
	}
	return nil
}

// next takes one command into c (Op, Body, Read and the session). There must be one: see count.
func (e *entry) next(c *Command) error {
	b := e.rest
	if len(b) < 4 {
		return fmt.Errorf("%w: it ends inside a command", errEntry)
	}
	flags := b[2]
	if flags&^(commandRead|commandSession) != 0 {
		return fmt.Errorf("%w: command flags %#02x are unknown", errEntry, flags)
	}
	c.Op = wire.Op(binary.BigEndian.Uint16(b))
	c.Read = flags&commandRead != 0
	c.Session, c.Seq, c.Acked = 0, 0, 0
	b = b[3:]
	if flags&commandSession != 0 {
		if len(b) < 25 {
			return fmt.Errorf("%w: it ends inside a session", errEntry)
		}
		c.Session = binary.BigEndian.Uint64(b)
		c.Seq = binary.BigEndian.Uint64(b[8:])
		c.Acked = binary.BigEndian.Uint64(b[16:])
		b = b[24:]
	}
	n, used := binary.Uvarint(b)
	if used <= 0 || n > uint64(len(b)-used) {
		return fmt.Errorf("%w: a command's length runs over its end", errEntry)
	}
	end := used + int(n)
	c.Body = b[used:end:end]
	e.rest = b[end:]
	return nil
}
