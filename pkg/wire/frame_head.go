package wire

import (
	"encoding/binary"
	"time"
)

// AppendRequestHead begins a frame for req without its body: the caller appends the payload, then calls EndFrame with
// the length that b had before. So a payload is encoded straight into a connection's buffer.
func AppendRequestHead(b []byte, req *Request, now int64) []byte {
	var flags byte
	if req.Deadline != 0 {
		flags |= frameDeadline
	}
	if req.Session != 0 {
		flags |= frameSession
	}
	if req.Flags&FlagStale != 0 {
		flags |= frameStale
	}
	if req.Flags&FlagLeader != 0 {
		flags |= frameLeader
	}
	b = append(b, 0, 0, 0, 0, byte(req.Op>>8), byte(req.Op), flags)
	b = binary.BigEndian.AppendUint64(b, req.Tag)
	if req.Deadline != 0 {
		left := min(max((req.Deadline-now)/int64(time.Millisecond), 1), 1<<32-1)
		b = binary.BigEndian.AppendUint32(b, uint32(left))
	}
	if req.Session != 0 {
		b = binary.BigEndian.AppendUint64(b, req.Session)
		b = binary.BigEndian.AppendUint64(b, req.Seq)
		b = binary.BigEndian.AppendUint64(b, req.Acked)
	}
	return b
}

// EndFrame writes the length of the frame that begins at b[start] and goes to the end of b.
func EndFrame(b []byte, start int) {
	binary.BigEndian.PutUint32(b[start:], uint32(len(b)-start-LenSize))
}

// FrameLen returns how many bytes follow the length that begins p, and whether p holds the length.
func FrameLen(p []byte) (n int, ok bool) {
	if len(p) < LenSize {
		return 0, false
	}
	return int(binary.BigEndian.Uint32(p)), true
}

// PeekTag returns the tag of a request frame without its length, of which perhaps only the beginning has arrived.
func PeekTag(p []byte) (tag uint64, ok bool) {
	if len(p) < requestHead {
		return 0, false
	}
	return binary.BigEndian.Uint64(p[3:]), true
}

// MinRequest is the least length of a request frame, MinResponse that of an answer.
const (
	MinRequest  = requestHead
	MinResponse = responseHead
)

// ConnTag is the tag of an answer that speaks of the whole connection, which is then closed. A client gives no request
// this tag. With code Unavailable whatever has not been answered was surely not executed.
const ConnTag = 0
