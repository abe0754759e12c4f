package driver

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"

	"github.com/skshohagmiah/flin/benchmarks/load"
)

// Document is what the benchmarks store: 10 fields, of which the strings are most.
type Document struct {
	ID      string  `bson:"_id" json:"_id"`
	UID     int64   `bson:"uid" json:"uid"`       // in no order, practically no two alike
	Rank    int64   `bson:"rank" json:"rank"`     // likewise, evenly from 0 to the greatest int64
	Visits  int64   `bson:"visits" json:"visits"` // what updates change
	Score   float64 `bson:"score" json:"score"`
	Active  bool    `bson:"active" json:"active"`
	Name    string  `bson:"name" json:"name"`
	Email   string  `bson:"email" json:"email"`
	Address string  `bson:"address" json:"address"`
	Text    string  `bson:"text" json:"text"` // fills the document up
}

// Bytes of what a document is made of.
const (
	nameSize    = 16
	emailSize   = 24
	addressSize = 64
	headSize    = 24 // of a value, what becomes numbers
	// bareDocument is what a document with empty strings takes as BSON: its frame, and for each field the type, the name and the
	// value.
	bareDocument = 5 + (5 + load.KeySize + 5) + (5 + 8) + (6 + 8) + (8 + 8) + (7 + 8) + (8 + 1) + (6 + 5) + (7 + 5) + (9 + 5) + (6 + 5)
	// MinDocument is the least size of a document.
	MinDocument = bareDocument + nameSize + emailSize + addressSize
)

// Documents makes the document of each number: the same for one seed and size always, with nothing in it that a compressor
// could use but that strings have 6 bits a byte. Safe for concurrent use.
type Documents struct {
	values *load.Values
	size   int
}

// NewDocuments returns the documents of size bytes, as BSON, that seed stands for.
func NewDocuments(seed uint64, size int) (*Documents, error) {
	if size < MinDocument {
		return nil, fmt.Errorf("documents of %d bytes: they take at least %d", size, MinDocument)
	}
	text := size - bareDocument
	return &Documents{values: load.NewValues(seed, headSize+(text*3+3)/4), size: size}, nil
}

// Size returns the bytes of each document as BSON. As JSON it has about as many.
func (m *Documents) Size() int { return m.size }

// Make returns document number n. It uses buf, and returns that for the next one.
func (m *Documents) Make(buf []byte, n uint64) (Document, []byte) {
	buf = m.values.Fill(buf, n)
	score := binary.LittleEndian.Uint64(buf[16:])
	rest := base64.RawURLEncoding.EncodeToString(buf[headSize:])[:m.size-bareDocument]
	cut := func(size int) (s string) {
		s, rest = rest[:size], rest[size:]
		return s
	}
	return Document{
		ID: load.Key(n), UID: m.uid(buf), Rank: int64(binary.LittleEndian.Uint64(buf[8:]) >> 1),
		Score: float64(score>>11) / (1 << 53), Active: score&1 == 1,
		Name: cut(nameSize), Email: cut(emailSize), Address: cut(addressSize), Text: rest,
	}, buf
}

// UID returns the uid of document number n, and buf as Make does.
func (m *Documents) UID(buf []byte, n uint64) (int64, []byte) {
	buf = m.values.Fill(buf, n)
	return m.uid(buf), buf
}

// uid reads a uid out of a value. The first word of a value differs from that of every other one.
func (m *Documents) uid(value []byte) int64 { return int64(binary.LittleEndian.Uint64(value) >> 1) }
