package resp

import "bytes"

const (
	maxLine    = 64 << 10 // bytes of an inline command, or of a line with a count or a length
	maxArgs    = 1 << 20  // arguments of a command; each costs memory before anybody has looked at it
	keepArgs   = 1 << 10  // room for arguments that a connection keeps between commands
	unauthArgs = 10       // arguments of a command from a client that has not shown its password
	unauthBulk = 16 << 10 // bytes of such an argument
)

// protocolError is a violation after which nothing that the client sends can be understood.
type protocolError string

// Error returns the text as Redis says it.
func (e protocolError) Error() string { return "Protocol error: " + string(e) }

// span is where an argument lies, counted from the request's first byte.
type span struct{ off, len int }

// parser finds commands in a connection's input. It remembers how far it has come in an unfinished one, so that a
// command that comes in a thousand pieces is not read a thousand times.
type parser struct {
	args    [][]byte // of the command that next found; they lie in the buffer that next was given, or in inline
	spans   []span
	inline  []byte // the unquoted arguments of an inline command
	pos     int    // where to go on in an unfinished command
	left    int    // arguments of it that are still to come; 0: between commands
	bulk    int    // length of the argument under way; -1: its length has not been read
	maxBulk int    // bytes of an argument
	unauth  bool   // the client has not shown its password
}

// next looks for a command at the front of buf, which begins with the first byte that no command has consumed. It
// returns how many bytes the command takes, with args set (empty where the client sent nothing to do); 0 if it has
// not come whole.
func (p *parser) next(buf []byte) (int, error) {
	pos := p.pos
	if p.left == 0 {
		p.args = p.args[:0]
		if len(buf) == 0 {
			return 0, nil
		}
		if buf[0] != '*' {
			return p.nextInline(buf)
		}
		n, end, err := lineNumber(buf, 1, "too big mbulk count string")
		switch {
		case err != nil:
			return 0, err
		case end == 0:
			return 0, nil
		case !n.ok || n.v > maxArgs:
			return 0, protocolError("invalid multibulk length")
		case n.v > unauthArgs && p.unauth:
			return 0, protocolError("unauthenticated multibulk length")
		case n.v <= 0:
			return end, nil
		}
		p.left, p.bulk, pos = int(n.v), -1, end
		p.spans = p.spans[:0]
	}
	for ; p.left > 0; p.left-- {
		if p.bulk < 0 {
			if pos >= len(buf) {
				p.pos = pos
				return 0, nil
			}
			n, end, err := lineNumber(buf, pos+1, "too big bulk count string")
			switch {
			case err != nil:
				return 0, err
			case end == 0:
				p.pos = pos
				return 0, nil
			case buf[pos] != '$':
				return 0, protocolError("expected '$', got '" + string(buf[pos:pos+1]) + "'")
			case !n.ok || n.v < 0 || n.v > int64(p.maxBulk):
				return 0, protocolError("invalid bulk length")
			case n.v > unauthBulk && p.unauth:
				return 0, protocolError("unauthenticated bulk length")
			}
			p.bulk, pos = int(n.v), end
		}
		if len(buf)-pos < p.bulk+2 {
			p.pos = pos
			return 0, nil
		}
		p.spans = append(p.spans, span{pos, p.bulk})
		pos += p.bulk + 2
		p.bulk = -1
	}
	for _, s := range p.spans {
		p.args = append(p.args, buf[s.off:s.off+s.len:s.off+s.len])
	}
	p.pos = 0
	return pos, nil
}

// shrink gives back the room of an unusually long command, unless it is still coming.
func (p *parser) shrink() {
	if p.left == 0 {
		p.args, p.spans, p.inline = nil, nil, nil
	}
}

// number is a number on a line of its own; ok is false where the line holds something else.
type number struct {
	v  int64
	ok bool
}

// lineNumber reads the number between buf[from] and the next line end, behind which end lies. end is 0 if the line has
// not come whole; a line that grows too long without an end is the error tooLong.
func lineNumber(buf []byte, from int, tooLong protocolError) (n number, end int, err error) {
	v, i := int64(0), from
	for i < len(buf) && i < from+9 && buf[i]-'0' <= 9 {
		v = v*10 + int64(buf[i]-'0')
		i++
	}
	if i+1 < len(buf) && buf[i] == '\r' && i > from && (buf[from] != '0' || i == from+1) {
		return number{v, true}, i + 2, nil
	}
	if from > len(buf) {
		from = len(buf)
	}
	cr := bytes.IndexByte(buf[from:], '\r')
	if cr < 0 {
		if len(buf)-from > maxLine {
			return number{}, 0, tooLong
		}
		return number{}, 0, nil
	}
	if from+cr+1 >= len(buf) {
		return number{}, 0, nil
	}
	v, ok := parseInt(buf[from : from+cr])
	return number{v, ok}, from + cr + 2, nil
}
