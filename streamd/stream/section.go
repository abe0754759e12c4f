package stream

import (
	"errors"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// sectionHead is the most bytes of a section before its batches.
const sectionHead = 10 * 6

// appendSection appends the section of the records [s.From, s.To) to b, as far as maxBytes of whole batches go, but at least one. s.To
// becomes the offset behind the last that it hands out. avail is about how many bytes there are to read. plain, if it is not nil, is
// how many bytes the records may have when nothing is compressed, of which they are taken.
func (e *Engine) appendSection(b, topic []byte, s *wire.StreamSection, avail int64, maxBytes int, plain *plainly) ([]byte, error) {
	var head [sectionHead]byte
	at := len(b)
	b = append(b, s.AppendHead(head[:0], int(min(avail, int64(maxBytes))))...)
	body := len(b)
	b, next, err := e.machine.Fetch(topic, int(s.Partition), s.From, s.To, maxBytes, b)
	if err != nil {
		return b[:at], err
	}
	s.To = next
	n := len(b) - body
	if plain != nil {
		if n, s.To, err = plain.take(b[body:], s.From, s.To); err != nil {
			return b[:at], err
		}
		b = b[:body+n]
	}
	h := s.AppendHead(head[:0], n)
	if len(h) != body-at {
		// What was written in advance has another length: the batches move, by a few bytes.
		if len(h) > body-at {
			b = append(b, head[:len(h)-(body-at)]...)
		}
		copy(b[at+len(h):], b[body:body+n])
		b = b[:at+len(h)+n]
	}
	copy(b[at:], h)
	return b, nil
}

// lost reports whether an offset is not there any more, because retention has taken it since it was looked for.
func lost(err error) bool {
	e, ok := errors.AsType[*wire.Error](err)
	return ok && e.Code == wire.OutOfRange
}
