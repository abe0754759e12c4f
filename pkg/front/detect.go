package front

import (
	"bytes"
	"encoding/binary"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Verdict is what a connection's first bytes say of its protocol.
type Verdict uint8

// The verdicts. NeedMore is the only one that more bytes can change.
const (
	NeedMore Verdict = iota
	Native
	RESP
	HTTP  // HTTP/1.x
	H2C   // HTTP/2 with prior knowledge
	TLS   // a handshake
	Kafka // a request head
	Mongo // a message head
	Proxy // PROXY protocol v2: reserved
	Unknown
)

var verdictNames = [...]string{ // a table
	NeedMore: "silent", Native: "native", RESP: "resp", HTTP: "http", H2C: "h2c", TLS: "tls", Kafka: "kafka", Mongo: "mongo",
	Proxy: "proxy", Unknown: "unknown",
}

// String returns the verdict's name as it appears in logs and metrics.
func (v Verdict) String() string { return verdictNames[v] }

const (
	headSize = 16      // bytes that decide between the binary protocols
	maxLine  = 8 << 10 // bytes of a first line

	kafkaMinLen  = 10       // head of a request without its client id: key, version, correlation id, id length
	kafkaMaxLen  = 16 << 20 // a length that begins with a zero byte is below it
	kafkaMaxKey  = 92
	kafkaMaxVers = 20
	mongoMinLen  = 21 // message head, flags, and a section's kind
	mongoMaxLen  = 48_000_000
)

const proxySignature = "\r\n\r\n\x00\r\nQUIT\n"

// Detect says which protocol a client speaks whose first bytes are b. It never asks for bytes that a client of one of
// the protocols would not send before it has had an answer. The order of its questions matters: a MongoDB message may
// begin with any byte, since it begins with its length.
func Detect(b []byte) Verdict {
	if len(b) < 4 {
		return NeedMore
	}
	length := binary.LittleEndian.Uint32(b) // of a MongoDB message; its highest byte, b[3], is at most 2
	switch {
	case string(b[:4]) == wire.Magic:
		return Native
	case b[0] == '*' && (b[1] == '-' || isDigit(b[1])) && b[3] > 2:
		return RESP
	case b[0] == 0:
		if n := binary.BigEndian.Uint32(b); n >= kafkaMinLen && n < kafkaMaxLen {
			return detectKafka(b, int(n))
		}
	case b[0] == 0x16 && b[1] == 3 && b[2] <= 0x0F:
		return detectTLS(b)
	}
	switch {
	case b[3] <= 2 && length >= mongoMinLen && length <= mongoMaxLen:
		if len(b) < headSize {
			return NeedMore
		}
		if isMongo(b) {
			return Mongo
		}
		return Unknown
	case isText(b[:4]):
		return detectText(b)
	}
	return Unknown
}

// detectKafka judges a head that could be that of a Kafka request of n bytes. A MongoDB operation code in the place of
// the client id's length is neither -1 nor positive, so the two never overlap.
func detectKafka(b []byte, n int) Verdict {
	if len(b) < min(headSize, 4+n) {
		return NeedMore
	}
	if len(b) >= headSize && isMongo(b) {
		return Mongo
	}
	key, version := int16(binary.BigEndian.Uint16(b[4:])), int16(binary.BigEndian.Uint16(b[6:]))
	id := int(int16(binary.BigEndian.Uint16(b[12:])))
	if key >= 0 && key <= kafkaMaxKey && version >= 0 && version <= kafkaMaxVers && id >= -1 && id <= n-kafkaMinLen {
		return Kafka
	}
	return Unknown
}

func detectTLS(b []byte) Verdict {
	switch {
	case len(b) < headSize:
		return NeedMore
	case b[3] <= 2 && isMongo(b):
		return Mongo
	case b[5] == 1: // client hello
		return TLS
	}
	return Unknown
}

// isMongo reports whether a head has one of MongoDB's operation codes: OP_QUERY, OP_COMPRESSED, OP_MSG.
func isMongo(b []byte) bool {
	switch binary.LittleEndian.Uint32(b[12:]) {
	case 2004, 2012, 2013:
		return true
	}
	return false
}

// detectText tells HTTP from a line typed by hand, which is RESP's inline form. `GET foo` and `GET / HTTP/1.1` differ
// only at the end of the line.
func detectText(b []byte) Verdict {
	if b[0] == '\r' {
		if n := min(len(b), len(proxySignature)); string(b[:n]) == proxySignature[:n] {
			if n == len(proxySignature) {
				return Proxy
			}
			return NeedMore
		}
		return RESP // an empty line
	}
	word := b
	if i := bytes.IndexAny(b[:min(len(b), headSize)], " \t\r\n"); i >= 0 {
		word = b[:i]
	}
	if !beginsMethod(word, len(word) == len(b)) {
		return RESP
	}
	end := bytes.IndexByte(b, '\n')
	switch {
	case end >= 0 && end <= maxLine:
		return detectRequestLine(bytes.TrimSuffix(b[:end], []byte{'\r'}))
	case len(b) <= maxLine:
		return NeedMore
	case bytes.HasPrefix(b[len(word):], []byte(" /")): // a key in a path may be longer than a line
		return HTTP
	}
	return Unknown
}

// detectRequestLine judges a first line whose first word is an HTTP method.
func detectRequestLine(line []byte) Verdict {
	if bytes.HasPrefix(line, []byte("PRI * HTTP/2")) {
		return H2C
	}
	first, last := bytes.IndexByte(line, ' '), bytes.LastIndexByte(line, ' ')
	if first >= 0 && first < last && bytes.HasPrefix(line[last+1:], []byte("HTTP/")) {
		return HTTP
	}
	return RESP
}

var methods = []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PRI"} // a table

// beginsMethod reports whether word is an HTTP method, or, if it is open, may become one.
func beginsMethod(word []byte, open bool) bool {
	for _, m := range methods {
		if m == string(word) || open && len(word) < len(m) && m[:len(word)] == string(word) {
			return true
		}
	}
	return false
}

// isText reports whether p may be the beginning of a line. Bytes over 0x7F begin no command.
func isText(p []byte) bool {
	for _, c := range p {
		if (c < ' ' || c > '~') && c != '\r' && c != '\n' && c != '\t' {
			return false
		}
	}
	return true
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
