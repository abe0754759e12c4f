package replica

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"

	wal "github.com/hashicorp/raft-wal"
	"github.com/hashicorp/raft-wal/types"
	"go.uber.org/zap"
)

// A segment of raft-wal 0.4.1 is a head and then frames on boundaries of 8 bytes. An append is one frame for each entry,
// an index of the whole segment if it fills it, and a commit: the CRC32C of everything since the commit before it, in the
// first append of the head as well.
//
//	type u8, 3 bytes 0, length or CRC u32 little-endian, payload, zeros to the boundary
const (
	segmentHead = 32
	frameHead   = 8
	frameEntry  = 1
	frameIndex  = 2
	frameCommit = 3

	// minFrame is the least that an entry takes: raft-wal's codec writes 20 bytes for an empty one.
	minFrame = 32
	// maxFrames bounds the frames of an append that is looked for; Raft appends 17 entries at once at most.
	maxFrames = 256
)

// mendTail looks at the last segment of the log before raft-wal does. raft-wal takes the first frame that it cannot read
// for the end of the log: a power cut tears the last append. It does not look behind it, and overwrites what is there.
// But each append begins when the one before it is on disk, so a whole one behind that place, with entries beyond those a
// torn one can have begun with, proves that the log was damaged later: that is an error. Otherwise what the torn append
// left is zeroed, for raft-wal could take its remains for frames behind the next append. base is the segment's first index.
func mendTail(f types.WritableFile, base uint64, log *zap.Logger) error {
	good, last, err := wholeAppends(f, base)
	if err != nil {
		return err
	}
	end, err := written(f, good)
	if err != nil || end == good {
		return err
	}
	rest := make([]byte, end-good)
	if _, err := f.ReadAt(rest, good); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if at, index := findAppend(rest, last); at >= 0 {
		return fmt.Errorf("%w: behind entry %d, at byte %d, it cannot be read, but entry %d at byte %d is whole: this is no torn write",
			wal.ErrCorrupt, last, good, index, good+int64(at))
	}
	log.Warn("the last append to the log is torn, as a power cut leaves it, and is undone",
		zap.Uint64("entry", last), zap.Int64("offset", good), zap.Int("bytes", len(rest)))
	clear(rest)
	if _, err := f.WriteAt(rest, good); err != nil {
		return err
	}
	return f.Sync()
}

// wholeAppends reads appends up to the first that is not whole. It returns where the last whole one ends and its last
// index, which is base-1 if there is none.
func wholeAppends(f io.ReaderAt, base uint64) (end int64, last uint64, err error) {
	r := bufio.NewReaderSize(io.NewSectionReader(f, 0, math.MaxInt64), 256<<10)
	var at int64
	var sum uint32
	next := base
	take := func(n int64) error {
		for at += n; n > 0; {
			b, err := r.Peek(int(min(n, int64(r.Size()))))
			if err != nil {
				return err
			}
			sum = crc32.Update(sum, castagnoli, b)
			n -= int64(len(b))
			_, _ = r.Discard(len(b)) // it was peeked at
		}
		return nil
	}
	err = take(segmentHead)
	for err == nil {
		var b []byte
		if b, err = r.Peek(frameHead); err != nil {
			break
		}
		typ, n := b[0], binary.LittleEndian.Uint32(b[4:])
		switch {
		case typ == frameCommit && n == sum:
			err = take(frameHead)
			end, last, sum = at, next-1, 0
			continue
		case typ != frameEntry && typ != frameIndex:
			return end, max(last, base-1), nil
		case typ == frameEntry:
			next++
		}
		err = take(frameSize(n))
	}
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return end, max(last, base-1), err
}

// frameSize returns the bytes of a frame with a payload of n.
func frameSize(n uint32) int64 { return frameHead + (int64(n)+7)&^7 }

// written returns where, on a boundary, the bytes from offset from on are all zero; that is from if all are.
func written(f io.ReaderAt, from int64) (int64, error) {
	buf := make([]byte, 256<<10)
	end := from
	for at := from; ; at += int64(len(buf)) {
		n, err := f.ReadAt(buf, at)
		for i := n; i > 0; i-- {
			if buf[i-1] != 0 {
				end = at + int64(i+7)&^7
				break
			}
		}
		if errors.Is(err, io.EOF) {
			return end, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

// findAppend looks in b, which lies behind the entry last, for a whole append and returns where it begins and its first
// index; at is -1 if there is none. The torn append would begin with the entry last+1, and values in it may hold copies of
// a log: only entries that are beyond it, and not further than the bytes before them allow, are looked at.
func findAppend(b []byte, last uint64) (at int, index uint64) {
	budget := 32 * len(b) // values made for the purpose must not keep a node from starting
	for at := 0; at+frameHead < len(b) && budget > 0; at += frameHead {
		if b[at] != frameEntry || b[at+1]|b[at+2]|b[at+3] != 0 {
			continue
		}
		i, n := binary.Uvarint(b[at+frameHead:])
		if n <= 0 || i < last+2 || i-last-1 > uint64(at/minFrame) {
			continue
		}
		size, want, ok := appendSize(b[at:], i)
		if !ok {
			continue
		}
		if budget -= size; crc32.Checksum(b[at:at+size], castagnoli) == want {
			return at, i
		}
	}
	return -1, 0
}

// appendSize follows the frames of an append whose first entry is index. It returns how many bytes lie before its commit
// and the checksum in that.
func appendSize(b []byte, index uint64) (size int, want uint32, ok bool) {
	var at int64
	for range maxFrames {
		if at+frameHead > int64(len(b)) {
			return 0, 0, false
		}
		head := b[at:]
		n := binary.LittleEndian.Uint32(head[4:])
		switch head[0] {
		case frameCommit:
			return int(at), n, true
		case frameEntry:
			if i, k := binary.Uvarint(head[frameHead:]); k <= 0 || i != index {
				return 0, 0, false
			}
			index++
		case frameIndex:
		default:
			return 0, 0, false
		}
		at += frameSize(n)
	}
	return 0, 0, false
}
