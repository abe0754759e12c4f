package doc

import (
	"iter"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/fsm"
)

// source is what answers take their documents from, one after the other. One goroutine at a time uses it.
type source interface {
	// fill puts documents into b until there is no room, and tells whether any are left. r is a reader of the collection, or nil:
	// then the source opens one if it wants one.
	fill(b *batch, r *fsm.Reader, stop func() error) (more bool, err error)
	// held is how many bytes it keeps in memory.
	held() int64
	// close gives it up.
	close()
}

// batch is the documents of one answer.
type batch struct {
	buf   []byte
	n     uint64
	most  uint64 // documents; 0: as many as there is room for
	limit int    // bytes, but for a single document
}

// full reports whether no document more may be added.
func (b *batch) full() bool { return b.most > 0 && b.n == b.most || len(b.buf) >= b.limit }

// add appends a document that apply makes. It is false, and nothing is added, if there is no room for it.
func (b *batch) add(doc bsoncore.Document, apply func(dst []byte, doc bsoncore.Document) []byte) bool {
	before := len(b.buf)
	if apply != nil {
		b.buf = apply(b.buf, doc)
	} else {
		b.buf = append(b.buf, doc...)
	}
	if len(b.buf) > b.limit && b.n > 0 {
		b.buf = b.buf[:before]
		return false
	}
	b.n++
	return true
}

// stream is a source that goes along a plan.
type stream struct {
	e    *Engine
	q    *query
	cid  uint64
	scan *scan
	skip uint64 // documents to be passed over still
	left uint64 // documents to be handed out still, if the query has a limit
}

func (s *stream) fill(b *batch, r *fsm.Reader, stop func() error) (more bool, err error) {
	if r == nil {
		if r = s.q.reader(s.e); r != nil {
			defer r.Close()
		}
		if err := s.scan.resume(r, s.cid); err != nil {
			return false, err
		}
	}
	if b.full() {
		return true, nil
	}
	last := false
	err = s.scan.run(r, stop, func(_ []byte, doc bsoncore.Document, _ uint64) verdict {
		if s.skip > 0 {
			s.skip--
			return goOn
		}
		if !b.add(doc, s.q.apply) {
			return notYet
		}
		if s.q.limit > 0 {
			if s.left--; s.left == 0 {
				last = true
				return enough
			}
		}
		if b.full() {
			return enough
		}
		return goOn
	})
	s.e.figures.examined(s.scan)
	return !s.scan.done && !last, err
}

func (s *stream) held() int64 { return int64(s.scan.used) }
func (s *stream) close()      {}

// list is a source of documents in memory.
type list struct {
	docs []bsoncore.Document
	size int64
}

// sizeOfListed is what a document costs in a list beside its bytes.
const sizeOfListed = 32

func (l *list) add(doc bsoncore.Document) {
	l.docs = append(l.docs, doc)
	l.size += int64(len(doc)) + sizeOfListed
}

func (l *list) fill(b *batch, _ *fsm.Reader, _ func() error) (more bool, err error) {
	for len(l.docs) > 0 && !b.full() && b.add(l.docs[0], nil) {
		l.size -= int64(len(l.docs[0])) + sizeOfListed
		l.docs[0] = nil
		l.docs = l.docs[1:]
	}
	return len(l.docs) > 0, nil
}

func (l *list) held() int64 { return l.size }
func (l *list) close()      {}

// pulled is a source of what a sequence yields. Between two fills the sequence rests.
type pulled struct {
	next  func() (bsoncore.Document, error, bool)
	stop  func()
	spare bsoncore.Document // for which there was no room; its own memory
	asked *func() error     // where the sequence finds whether it should go on
	bytes func() int64      // what the sequence holds
}

func newPulled(docs iter.Seq2[bsoncore.Document, error], asked *func() error, bytes func() int64) *pulled {
	p := &pulled{asked: asked, bytes: bytes}
	p.next, p.stop = iter.Pull2(docs)
	return p
}

func (p *pulled) fill(b *batch, _ *fsm.Reader, stop func() error) (more bool, err error) {
	*p.asked = stop
	if p.spare != nil {
		if !b.add(p.spare, nil) {
			return true, nil
		}
		p.spare = nil
	}
	for !b.full() {
		doc, err, ok := p.next()
		switch {
		case !ok:
			return false, nil
		case err != nil:
			return false, err
		case !b.add(doc, nil):
			p.spare = append(bsoncore.Document(nil), doc...)
			return true, nil
		}
	}
	// Whether there is more is seen by asking.
	doc, err, ok := p.next()
	if ok && err == nil {
		p.spare = append(bsoncore.Document(nil), doc...)
	}
	return ok, err
}

func (p *pulled) held() int64 { return p.bytes() + int64(len(p.spare)) }
func (p *pulled) close()      { p.stop() }
