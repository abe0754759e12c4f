package resp

import (
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// encodeDoc appends the reply of a command on documents that went well. It is called with the output locked.
func (s *slot) encodeDoc(c *conn, b []byte, resp *wire.Response, resp3 bool) []byte {
	start := len(b)
	var err error
	switch s.shape {
	case shapeInserted, shapeUpdated, shapeDeleted:
		var m wire.DocResult
		if err = m.Decode(resp.Body); err == nil {
			b, err = s.encodeResult(c, b, &m, resp3)
		}
	case shapeDocuments:
		var list []byte
		var n int
		if list, n, err = appendJSONDocs(nil, resp.Body); err == nil && resp.Num != 0 {
			return c.appendFailure(b, "ERR the documents take more than one answer has room for: use a smaller LIMIT, or FIELDS")
		}
		b = append(appendArray(b, n), list...)
	case shapeExplained:
		b, err = appendJSONDoc(b, resp.Body)
	case shapeIndexed:
		return appendBulk(b, resp.Body)
	case shapeIndexes:
		b, err = encodeIndexes(b, resp, resp3)
	default: // the other shapes are not served here
	}
	if err != nil {
		return c.appendBadAnswer(b[:start], err)
	}
	return b
}

// encodeDocFailure appends the reply of a command on documents that went otherwise.
func (s *slot) encodeDocFailure(c *conn, b []byte, resp *wire.Response, resp3 bool) []byte {
	if resp.Code == wire.Canceled && s.shape == shapeIndexed {
		return c.appendEnded(b, resp, resp3, appendNull)
	}
	return c.appendWireError(b, resp)
}

// encodeResult appends what a write came to.
func (s *slot) encodeResult(c *conn, b []byte, m *wire.DocResult, resp3 bool) (_ []byte, err error) {
	if len(m.Errors) > 0 {
		return s.encodeDocError(c, b, m), nil
	}
	switch s.shape {
	case shapeInserted:
		b = append(b, s.buf...)
		s.buf = nil
	case shapeDeleted:
		b = appendInt(b, int64(m.Deleted))
	default:
		b = appendInt(appendInt(appendArray(b, 3), int64(m.Matched)), int64(m.Modified))
		if len(m.IDs) == 0 {
			return appendNull(b, resp3), nil
		}
		b, err = appendJSONValue(b, m.IDs[0].Value)
	}
	return b, err
}

// encodeDocError appends the first error of a write, with what was done all the same.
func (s *slot) encodeDocError(c *conn, b []byte, m *wire.DocResult) []byte {
	e := &m.Errors[0]
	text := e.Code.RESPPrefix() + " "
	switch {
	case s.shape == shapeInserted && s.arg > 1:
		text += itoa(m.Inserted) + " of " + itoa(s.arg) + " documents were inserted; number " + itoa(e.Index+1) + " was not: "
	case s.shape == shapeUpdated && m.Modified > 0:
		text += "after " + itoa(m.Modified) + " documents: "
	case s.shape == shapeDeleted && m.Deleted > 0:
		text += "after " + itoa(m.Deleted) + " documents: "
	}
	s.buf = nil
	return c.appendFailure(b, text+string(e.Msg))
}

func encodeIndexes(b []byte, resp *wire.Response, resp3 bool) (_ []byte, err error) {
	var list []byte
	n := 0
	var m wire.DocIndexInfo
	r := wire.NewReader(resp.Body)
	for ; r.Len() > 0; n++ {
		if wire.TakeDocIndexInfo(&r, &m); r.Err() != nil {
			break
		}
		if list, err = appendIndex(list, &m, resp3); err != nil {
			return b, err
		}
	}
	return append(appendArray(b, n), list...), r.Close()
}

// appendIndex appends what is known of an index.
func appendIndex(b []byte, m *wire.DocIndexInfo, resp3 bool) (_ []byte, err error) {
	flags := m.Spec.Flags
	b = appendBulk(appendBulk(appendMap(b, 11, resp3), "name"), m.Spec.Name)
	at, keys := bsoncore.AppendDocumentStart(nil)
	for _, f := range m.Spec.Fields {
		order := int32(1)
		if f.Desc {
			order = -1
		}
		keys = bsoncore.AppendInt32Element(keys, string(f.Path), order)
	}
	if keys, err = bsoncore.AppendDocumentEnd(keys, at); err != nil {
		return b, err
	}
	if b, err = appendJSONDoc(appendBulk(b, "keys"), keys); err != nil {
		return b, err
	}
	b = appendInt(appendBulk(b, "unique"), flagInt(flags&wire.DocIndexUnique != 0))
	b = appendInt(appendBulk(b, "sparse"), flagInt(flags&wire.DocIndexSparse != 0))
	if b = appendBulk(b, "ttl"); flags&wire.DocIndexTTL != 0 {
		b = appendInt(b, int64(m.Spec.TTL))
	} else {
		b = appendNull(b, resp3)
	}
	if b = appendBulk(b, "partial"); flags&wire.DocIndexPartial != 0 {
		if b, err = appendJSONDoc(b, m.Spec.Partial); err != nil {
			return b, err
		}
	} else {
		b = appendNull(b, resp3)
	}
	b = appendBulk(appendBulk(b, "state"), indexState(m.State))
	b = appendInt(appendBulk(b, "multikey"), flagInt(m.Multikey))
	b = appendInt(appendBulk(b, "entries"), int64(m.Entries))
	b = appendInt(appendBulk(b, "seen"), int64(m.Seen))
	return appendBulk(appendBulk(b, "reason"), m.Reason), nil
}

func flagInt(v bool) int64 {
	if v {
		return 1
	}
	return 0
}

func indexState(s wire.DocIndexState) string {
	switch s {
	case wire.DocIndexReady:
		return "ready"
	case wire.DocIndexBuilding:
		return "building"
	case wire.DocIndexFailed:
		return "failed"
	}
	return "unknown"
}
