package flin

import (
	"bytes"
	"time"

	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Record is a record of a topic. What one call returns shares memory: Key, Value and the headers' values lie in the answer as it
// came, which stays as long as one of its records does. Copy what is kept for long.
type Record struct {
	Topic     string
	Partition int
	Offset    int64
	Timestamp time.Time // to the millisecond
	Key       []byte    // nil: there is none
	Value     []byte    // nil: there is none, which is not an empty one
	Headers   []Header  // nil: none
}

// Header is a name and a value that travel with a record.
type Header struct {
	Name  string
	Value []byte
}

// wireHeaders adds headers to list.
func wireHeaders(list []wire.Header, headers []Header) []wire.Header {
	for _, h := range headers {
		list = append(list, wire.Header{Name: []byte(h.Name), Value: h.Value})
	}
	return list
}

// fill sets m from what a record to be published says.
func (r *Record) fill(m *wire.StreamRecord) {
	if r.Key != nil {
		m.Flags |= wire.RecordKey
		m.Key = r.Key
	}
	if !r.Timestamp.IsZero() {
		m.Flags |= wire.RecordTime
		m.Time = max(r.Timestamp.UnixMilli(), 0)
	}
	if len(r.Headers) > 0 {
		m.Flags |= wire.RecordHeaders
		m.Headers = wireHeaders(make([]wire.Header, 0, len(r.Headers)), r.Headers)
	}
	if m.Value = r.Value; r.Value == nil {
		m.Flags |= wire.RecordNull
	}
}

// own gives the record memory of its own.
func (r *Record) own() {
	r.Key, r.Value = bytes.Clone(r.Key), bytes.Clone(r.Value)
	for i := range r.Headers { // their list is the record's own already
		r.Headers[i].Value = bytes.Clone(r.Headers[i].Value)
	}
}

// appendSection appends the records of a section of a topic.
func appendSection(list []Record, topic string, s *wire.StreamSection) ([]Record, error) {
	var rec record.Record
	r := record.Reader{Verify: true, Fresh: true} // what the records lie in belongs to those who get them
	for rest := s.Batches; len(rest) > 0; {
		b, more, err := record.Next(rest)
		if err != nil {
			return nil, err
		}
		rest = more
		if err := r.Reset(b); err != nil {
			return nil, err
		}
		for {
			ok, err := r.Next(&rec)
			if err != nil {
				return nil, err
			}
			if !ok || rec.Offset >= s.To {
				break
			}
			if rec.Offset < s.From {
				continue
			}
			list = append(list, Record{
				Topic: topic, Partition: int(s.Partition), Offset: rec.Offset, Timestamp: time.UnixMilli(rec.Timestamp),
				Key: rec.Key, Value: rec.Value, Headers: headersOf(rec.Headers),
			})
		}
	}
	return list, nil
}

func headersOf(headers []wire.Header) []Header {
	if len(headers) == 0 {
		return nil
	}
	list := make([]Header, len(headers))
	for i, h := range headers {
		list[i] = Header{Name: string(h.Name), Value: h.Value}
	}
	return list
}

// roomForRecords returns an empty list for the n records that an answer of so many bytes says it has.
func roomForRecords(n int64, bytes int) []Record {
	const smallest = 7 // bytes that a record takes at least; those that are compressed may take less
	return make([]Record, 0, max(0, min(n, int64(bytes/smallest)+1)))
}
