package replica

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// A snapshot on its way to another node is
//
//	magic   8 bytes "FLINSNP" and the version, 1
//	count   u8      of the engines
//	engine  × count:
//	  id    u8
//	  size  u64     of the stream
//	  stream        as store.View.WriteTo writes it: it carries its own position and checksums
const (
	snapMagic = "FLINSNP\x01"
	snapHead  = len(snapMagic) + 1
	snapPart  = 1 + 8
)

// part is one engine's share of a snapshot.
type part struct {
	id    wire.EngineID
	size  int64
	write func(io.Writer) (int64, error)
}

// snapshotSize returns the exact number of bytes that writeSnapshot will write.
func snapshotSize(parts []part) int64 {
	n := int64(snapHead)
	for _, p := range parts {
		n += snapPart + p.size
	}
	return n
}

// writeSnapshot writes the parts one after the other.
func writeSnapshot(w io.Writer, parts []part) error {
	head := append([]byte(snapMagic), byte(len(parts)))
	if _, err := w.Write(head); err != nil {
		return err
	}
	for _, p := range parts {
		var b [snapPart]byte
		b[0] = byte(p.id)
		binary.BigEndian.PutUint64(b[1:], uint64(p.size))
		if _, err := w.Write(b[:]); err != nil {
			return err
		}
		n, err := p.write(w)
		if err != nil {
			return fmt.Errorf("stream of engine %s: %w", p.id, err)
		}
		if n != p.size {
			return fmt.Errorf("stream of engine %s has %d bytes, %d were announced", p.id, n, p.size)
		}
	}
	return nil
}

// readSnapshot hands each engine's stream to install, which need not read it to its end.
func readSnapshot(r io.Reader, install func(wire.EngineID, io.Reader) error) error {
	br := bufio.NewReaderSize(r, 256<<10)
	var head [snapHead]byte
	if _, err := io.ReadFull(br, head[:]); err != nil {
		return fmt.Errorf("read its head: %w", err)
	}
	if got := string(head[:len(snapMagic)-1]); got != snapMagic[:len(snapMagic)-1] {
		return errors.New("it does not begin like one")
	}
	if v := head[len(snapMagic)-1]; v != snapMagic[len(snapMagic)-1] {
		return fmt.Errorf("its version is %d, this program knows %d: update this node", v, snapMagic[len(snapMagic)-1])
	}
	for range int(head[snapHead-1]) {
		var b [snapPart]byte
		if _, err := io.ReadFull(br, b[:]); err != nil {
			return fmt.Errorf("read the head of a part: %w", err)
		}
		size := int64(binary.BigEndian.Uint64(b[1:]))
		if size < 0 {
			return fmt.Errorf("a part claims %d bytes", uint64(size))
		}
		stream := &io.LimitedReader{R: br, N: size}
		if err := install(wire.EngineID(b[0]), stream); err != nil {
			return err
		}
		if _, err := io.Copy(io.Discard, stream); err != nil {
			return err
		}
		if stream.N > 0 {
			return fmt.Errorf("a part ends %d bytes early: %w", stream.N, io.ErrUnexpectedEOF)
		}
	}
	return nil
}
