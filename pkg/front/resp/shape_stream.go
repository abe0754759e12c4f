package resp

import (
	"encoding/binary"

	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// encodeStream appends the reply of a command on topics that went well. It is called with the output locked.
func (s *slot) encodeStream(c *conn, b []byte, resp *wire.Response, resp3 bool) []byte {
	start := len(b)
	var err error
	switch s.shape {
	case shapePlace:
		if len(resp.Body) != wire.PlaceSize {
			return c.appendBadAnswer(b, wire.ErrTruncated)
		}
		b = appendInt(appendArray(b, 2), int64(int32(binary.BigEndian.Uint32(resp.Body))))
		return appendInt(b, int64(binary.BigEndian.Uint64(resp.Body[4:])))
	case shapeFetched, shapeConsumed:
		b, err = s.encodeRecords(b, resp, resp3)
	case shapeAssignment:
		b, err = encodeAssignment(b, resp)
	case shapeOffsets:
		b, err = encodeOffsets(b, resp, resp3)
	case shapeTopic:
		var m wire.TopicInfo
		if err = m.Decode(resp.Body); err == nil {
			b = appendTopic(b, &m, resp3)
		}
	case shapeLag:
		var m wire.GroupInfo
		if err = m.Decode(resp.Body); err == nil {
			b = appendLag(b, &m, resp3)
		}
	default: // the other shapes are not served here
	}
	if err != nil {
		return c.appendBadAnswer(b[:start], err)
	}
	return b
}

// encodeStreamFailure appends the reply of a command on topics that went otherwise.
func (s *slot) encodeStreamFailure(c *conn, b []byte, resp *wire.Response, resp3 bool) []byte {
	if resp.Code == wire.Canceled && (s.shape == shapeFetched || s.shape == shapeConsumed) {
		return c.appendEnded(b, resp, resp3, func(b []byte, _ bool) []byte { return appendArray(b, 0) })
	}
	return c.appendWireError(b, resp)
}

// encodeRecords appends the records of a fetch or a consume.
func (s *slot) encodeRecords(b []byte, resp *wire.Response, resp3 bool) ([]byte, error) {
	if resp.Num == 0 {
		return appendArray(b, 0), nil
	}
	if resp.Num < 0 || resp.Num > 1<<31 {
		return b, wire.ErrTruncated
	}
	b = appendArray(b, int(resp.Num))
	r := wire.NewReader(resp.Body)
	if s.shape == shapeConsumed {
		r.Uvarint() // the generation
	}
	e := recordEncoder{resp3: resp3}
	for r.Len() > 0 {
		if wire.TakeStreamSection(&r, &e.section); r.Err() != nil {
			break
		}
		var err error
		if b, err = e.encode(b); err != nil {
			return b, err
		}
	}
	if err := r.Close(); err != nil {
		return b, err
	}
	if e.n != resp.Num {
		return b, wire.ErrTruncated
	}
	return b, nil
}

// recordEncoder appends the records of sections.
type recordEncoder struct {
	section wire.StreamSection
	reader  record.Reader
	record  record.Record
	resp3   bool
	n       int64 // how many there were
}

func (e *recordEncoder) encode(b []byte) ([]byte, error) {
	for rest := e.section.Batches; len(rest) > 0; {
		batch, more, err := record.Next(rest)
		if err != nil {
			return b, err
		}
		rest = more
		if err := e.reader.Reset(batch); err != nil {
			return b, err
		}
		for {
			ok, err := e.reader.Next(&e.record)
			if err != nil {
				return b, err
			}
			if !ok || e.record.Offset >= e.section.To {
				break
			}
			if e.record.Offset >= e.section.From {
				b = e.append(b)
				e.n++
			}
		}
	}
	return b, nil
}

func (e *recordEncoder) append(b []byte) []byte {
	one := &e.record
	b = appendInt(appendArray(b, 6), int64(e.section.Partition))
	b = appendInt(appendInt(b, one.Offset), one.Timestamp)
	b = appendBulkOrNull(appendBulkOrNull(b, one.Key, e.resp3), one.Value, e.resp3)
	b = appendArray(b, 2*len(one.Headers))
	for _, h := range one.Headers {
		b = appendBulkOrNull(appendBulk(b, h.Name), h.Value, e.resp3)
	}
	return b
}

func appendBulkOrNull(b, p []byte, resp3 bool) []byte {
	if p == nil {
		return appendNull(b, resp3)
	}
	return appendBulk(b, p)
}

func encodeAssignment(b []byte, resp *wire.Response) ([]byte, error) {
	var m wire.StreamAssignment
	if err := m.Decode(resp.Body); err != nil {
		return b, err
	}
	b = appendArray(appendInt(appendArray(b, 2), int64(m.Generation)), len(m.Partitions))
	for _, p := range m.Partitions {
		b = appendInt(b, int64(p))
	}
	return b, nil
}

func encodeOffsets(b []byte, resp *wire.Response, resp3 bool) ([]byte, error) {
	n := 0
	var list []byte
	r := wire.NewReader(resp.Body)
	for ; r.Len() > 0; n++ {
		o := wire.TakeStreamOffset(&r)
		list = appendInt(appendInt(appendArray(list, 3), int64(o.Partition)), o.Offset)
		if o.Time < 0 {
			list = appendNull(list, resp3)
		} else {
			list = appendInt(list, o.Time)
		}
	}
	return append(appendArray(b, n), list...), r.Close()
}

// appendTopic appends what is known of a topic.
func appendTopic(b []byte, m *wire.TopicInfo, resp3 bool) []byte {
	b = appendBulk(appendBulk(appendMap(b, 7, resp3), "name"), m.Name)
	b = appendInt(appendBulk(b, "created"), m.Created)
	b = appendInt(appendBulk(b, "retention"), m.Settings.Retention)
	b = appendInt(appendBulk(b, "max-bytes"), m.Settings.MaxBytes)
	b = appendInt(appendBulk(b, "max-message"), int64(m.Settings.MaxMessage))
	b = appendBulk(appendBulk(b, "compression"), record.CompressionName(m.Settings.Compression))
	b = appendArray(appendBulk(b, "partitions"), len(m.Partitions))
	for i := range m.Partitions {
		p := &m.Partitions[i]
		b = appendInt(appendBulk(appendMap(b, 6, resp3), "partition"), int64(i))
		b = appendInt(appendBulk(b, "start"), p.Start)
		b = appendInt(appendBulk(b, "end"), p.End)
		b = appendInt(appendBulk(b, "bytes"), int64(p.Bytes))
		b = appendInt(appendBulk(b, "batches"), int64(p.Batches))
		b = appendInt(appendBulk(b, "newest"), p.Newest)
	}
	return b
}

func appendGroupSummary(b []byte, g *wire.GroupSummary, resp3 bool) []byte {
	b = appendBulk(appendBulk(appendMap(b, 5, resp3), "name"), g.Name)
	b = appendInt(appendBulk(b, "generation"), int64(g.Generation))
	b = appendInt(appendBulk(b, "members"), int64(g.Members))
	b = appendInt(appendBulk(b, "topics"), int64(g.Topics))
	return appendInt(appendBulk(b, "lag"), int64(g.Lag))
}

// appendLag appends how far a group is in a topic.
func appendLag(b []byte, m *wire.GroupInfo, resp3 bool) []byte {
	lag := int64(0)
	for i := range m.Partitions {
		lag += m.Partitions[i].Lag()
	}
	b = appendBulk(appendBulk(appendMap(b, 5, resp3), "group"), m.Name)
	b = appendInt(appendBulk(b, "generation"), int64(m.Generation))
	b = appendInt(appendBulk(b, "lag"), lag)
	b = appendArray(appendBulk(b, "members"), len(m.Members))
	for i := range m.Members {
		b = appendBulk(b, m.Members[i].Name)
	}
	b = appendArray(appendBulk(b, "partitions"), len(m.Partitions))
	for i := range m.Partitions {
		p := &m.Partitions[i]
		b = appendInt(appendBulk(appendMap(b, 6, resp3), "partition"), int64(p.Partition))
		b = appendBulk(b, "owner")
		if p.Owner > 0 && p.Owner <= uint64(len(m.Members)) {
			b = appendBulk(b, m.Members[p.Owner-1].Name)
		} else {
			b = appendNull(b, resp3)
		}
		b = appendInt(appendBulk(b, "committed"), p.Committed)
		b = appendInt(appendBulk(b, "start"), p.Start)
		b = appendInt(appendBulk(b, "end"), p.End)
		b = appendInt(appendBulk(b, "lag"), p.Lag())
	}
	return b
}
