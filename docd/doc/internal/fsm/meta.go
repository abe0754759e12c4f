package fsm

import (
	"sync/atomic"

	"github.com/skshohagmiah/flin/docd/doc/internal/filter"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// appendCollection writes what is known of a collection besides its name.
func appendCollection(b []byte, c *Collection) []byte {
	return wire.AppendUvarint(wire.AppendUvarint(b, c.ID), uint64(c.Created))
}

func decodeCollection(db, name string, p []byte) (*Collection, error) {
	r := wire.NewReader(p)
	c := &Collection{DB: db, Name: name, ID: r.Uvarint(), Created: int64(r.Uvarint()), documents: new(atomic.Int64), bytes: new(atomic.Int64)}
	if r.Close() != nil {
		return nil, errDamaged
	}
	return c, nil
}

// info returns what is told of an index.
func (ix *Index) info() wire.DocIndexInfo {
	i := wire.DocIndexInfo{
		Spec: wire.DocIndexSpec{Name: []byte(ix.Name), Flags: ix.Flags, TTL: ix.TTL, Partial: ix.Partial},
		ID:   ix.ID, State: ix.State, Multikey: ix.Multikey, Entries: uint64(ix.Entries()), Seen: ix.Seen, Reason: []byte(ix.Reason),
	}
	for _, f := range ix.Fields {
		i.Spec.Fields = append(i.Spec.Fields, wire.DocIndexField{Path: []byte(f.Path), Desc: f.Desc})
	}
	return i
}

// appendIndex writes what is known of an index besides how many entries it has.
func appendIndex(b []byte, ix *Index) []byte {
	i := ix.info()
	i.Entries = 0
	b = wire.AppendDocIndexInfo(b, &i)
	if ix.State == wire.DocIndexFailed {
		return wire.AppendUvarint(append(b, byte(ix.code)), uint64(ix.sub))
	}
	return append(b, ix.cursor...)
}

// decodeIndex reads what appendIndex wrote. It keeps p.
func decodeIndex(p []byte) (*Index, error) {
	r := wire.NewReader(p)
	var i wire.DocIndexInfo
	wire.TakeDocIndexInfo(&r, &i)
	var failure wire.Error
	var cursor []byte
	if i.State == wire.DocIndexFailed {
		failure.Code, failure.Sub = wire.Code(r.Byte()), uint32(r.Uvarint())
	} else {
		cursor = r.Rest()
	}
	if r.Close() != nil || i.State > wire.DocIndexFailed {
		return nil, errDamaged
	}
	ix, err := indexOf(&i.Spec)
	if err != nil {
		return nil, errDamaged
	}
	ix.ID, ix.State, ix.Multikey, ix.Seen, ix.Reason, ix.cursor = i.ID, i.State, i.Multikey, i.Seen, string(i.Reason), cursor
	ix.code, ix.sub = failure.Code, failure.Sub
	return ix, nil
}

// indexOf makes an index of what it is to be. It keeps the filter's bytes.
func indexOf(s *wire.DocIndexSpec) (*Index, error) {
	ix := &Index{Name: string(s.Name), Flags: s.Flags, TTL: s.TTL, Partial: s.Partial, entries: new(atomic.Int64)}
	for _, f := range s.Fields {
		ix.Fields = append(ix.Fields, value.KeyField{Path: string(f.Path), Desc: f.Desc})
	}
	if s.Flags&wire.DocIndexPartial != 0 {
		f, err := filter.Compile(ix.Partial)
		if err != nil {
			return nil, err
		}
		ix.filter = f
	}
	return ix, nil
}

// appendSize writes what there is in a collection and, in their order, in its indexes.
func appendSize(b []byte, documents, bytes int64, entries []int64) []byte {
	b = wire.AppendUvarint(wire.AppendUvarint(b, uint64(documents)), uint64(bytes))
	for _, n := range entries {
		b = wire.AppendUvarint(b, uint64(n))
	}
	return b
}

func (c *Collection) decodeSize(p []byte) error {
	r := wire.NewReader(p)
	c.documents.Store(int64(r.Uvarint()))
	c.bytes.Store(int64(r.Uvarint()))
	for _, ix := range c.Indexes {
		ix.entries.Store(int64(r.Uvarint()))
	}
	if r.Close() != nil {
		return errDamaged
	}
	return nil
}
