package stream

import (
	"fmt"

	"github.com/skshohagmiah/flin/pkg/record"
)

// plainly bounds how much records are when nothing is compressed: a batch of a few hundred bytes can hold megabytes, and who hands
// them on as they are must have room for them.
type plainly struct {
	left   int64 // bytes
	any    bool  // something was taken: the first record is, whatever its size
	reader record.Reader
}

// newPlainly returns nil if nothing is asked for.
func newPlainly(limit uint64) *plainly {
	if limit == 0 {
		return nil
	}
	return &plainly{left: int64(min(limit, 1<<40))}
}

// take takes records of batches, those with offsets in [from, to), as long as there is room. It returns up to which offset it has
// taken them, and how many bytes the batches have that hold them.
func (p *plainly) take(batches []byte, from, to int64) (n int, end int64, err error) {
	end = from
	var one record.Record
	for rest := batches; len(rest) > 0; {
		b, more, err := record.Next(rest)
		if err == nil {
			err = p.reader.Reset(b)
		}
		if err != nil {
			return 0, from, fmt.Errorf("stream: a batch at offset %d: %w", end, err)
		}
		for {
			ok, err := p.reader.Next(&one)
			if err != nil {
				return 0, from, fmt.Errorf("stream: a batch at offset %d: %w", end, err)
			}
			if !ok || one.Offset >= to {
				break
			}
			if one.Offset < from {
				continue
			}
			size := int64(record.Size(&one))
			if p.any && size > p.left {
				if one.Offset > b.BaseOffset() {
					n = len(batches) - len(more)
				}
				return n, end, nil
			}
			p.any = true
			p.left -= size
			end = one.Offset + 1
		}
		n = len(batches) - len(more)
		rest = more
	}
	return n, end, nil
}
