package wire

import (
	"encoding/binary"
	"time"
)

// Magic are the first four bytes a native client sends, before its hello.
const Magic = "\xF1LIN"

// Version is the version of the protocol described in PROTOCOL.md.
const Version = 1

// The flags of a request frame: which optional fields its head has, and the Flags of the request.
const (
	frameDeadline = 1 << 0
	frameSession  = 1 << 1
	frameStale    = 1 << 2
	frameLeader   = 1 << 3
)

// The flags of a response frame.
const (
	frameMore = 1 << 0
	frameRev  = 1 << 1
	frameNum  = 1 << 2
	frameSub  = 1 << 3
)

// LenSize is the size of the length that begins every frame; the length does not count itself.
const LenSize = 4

// MaxFrameHead is the most bytes that a frame takes besides its length and its body.
const MaxFrameHead = requestHead + 4 + 24

const (
	requestHead  = 2 + 1 + 8 // op, flags, tag
	responseHead = 1 + 1 + 8 // code, flags, tag
)

// AppendRequest appends req as a frame. The deadline travels as the milliseconds that are left at now (by Clock),
// at least one.
func AppendRequest(b []byte, req *Request, now int64) []byte {
	start := len(b)
	b = AppendRequestHead(b, req, now)
	b = append(b, req.Body...)
	EndFrame(b, start)
	return b
}

// DecodeRequest reads a request frame without its length. Body shares memory with p.
func DecodeRequest(p []byte, req *Request, now int64) error {
	if len(p) < requestHead {
		return ErrTruncated
	}
	flags := p[2]
	*req = Request{Op: Op(binary.BigEndian.Uint16(p)), Tag: binary.BigEndian.Uint64(p[3:])}
	p = p[requestHead:]
	if flags&frameStale != 0 {
		req.Flags |= FlagStale
	}
	if flags&frameLeader != 0 {
		req.Flags |= FlagLeader
	}
	if flags&frameDeadline != 0 {
		if len(p) < 4 {
			return ErrTruncated
		}
		req.Deadline = now + int64(binary.BigEndian.Uint32(p))*int64(time.Millisecond)
		p = p[4:]
	}
	if flags&frameSession != 0 {
		if len(p) < 24 {
			return ErrTruncated
		}
		req.Session = binary.BigEndian.Uint64(p)
		req.Seq = binary.BigEndian.Uint64(p[8:])
		req.Acked = binary.BigEndian.Uint64(p[16:])
		p = p[24:]
	}
	if flags&^(frameDeadline|frameSession|frameStale|frameLeader) != 0 {
		return Errorf(Unsupported, "request flags %#02x are not known to version %d of the protocol", flags, Version)
	}
	req.Body = p
	return nil
}

// AppendResponse appends the answer to the request named tag as a frame.
func AppendResponse(b []byte, tag uint64, resp *Response) []byte {
	start := len(b)
	var flags byte
	if resp.More {
		flags |= frameMore
	}
	if resp.Rev != 0 {
		flags |= frameRev
	}
	if resp.Num != 0 {
		flags |= frameNum
	}
	if resp.Sub != 0 {
		flags |= frameSub
	}
	b = append(b, 0, 0, 0, 0, byte(resp.Code), flags)
	b = binary.BigEndian.AppendUint64(b, tag)
	if resp.Rev != 0 {
		b = binary.BigEndian.AppendUint64(b, resp.Rev)
	}
	if resp.Num != 0 {
		b = binary.BigEndian.AppendUint64(b, uint64(resp.Num))
	}
	if resp.Sub != 0 {
		b = binary.BigEndian.AppendUint32(b, resp.Sub)
	}
	b = append(b, resp.Body...)
	EndFrame(b, start)
	return b
}

// DecodeResponse reads a response frame without its length. Body shares memory with p.
func DecodeResponse(p []byte, resp *Response) (tag uint64, err error) {
	if len(p) < responseHead {
		return 0, ErrTruncated
	}
	flags := p[1]
	*resp = Response{Code: Code(p[0]), More: flags&frameMore != 0}
	tag = binary.BigEndian.Uint64(p[2:])
	p = p[responseHead:]
	if flags&frameRev != 0 {
		if len(p) < 8 {
			return 0, ErrTruncated
		}
		resp.Rev = binary.BigEndian.Uint64(p)
		p = p[8:]
	}
	if flags&frameNum != 0 {
		if len(p) < 8 {
			return 0, ErrTruncated
		}
		resp.Num = int64(binary.BigEndian.Uint64(p))
		p = p[8:]
	}
	if flags&frameSub != 0 {
		if len(p) < 4 {
			return 0, ErrTruncated
		}
		resp.Sub = binary.BigEndian.Uint32(p)
		p = p[4:]
	}
	if flags&^(frameMore|frameRev|frameNum|frameSub) != 0 {
		return tag, Errorf(Unsupported, "answer flags %#02x are not known to version %d of the protocol", flags, Version)
	}
	resp.Body = p
	return tag, nil
}
