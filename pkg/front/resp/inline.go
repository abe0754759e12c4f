package resp

import "bytes"

// nextInline finds a command in a line of text, as next does.
func (p *parser) nextInline(buf []byte) (int, error) {
	end := bytes.IndexByte(buf, '\n')
	if end < 0 {
		if len(buf) > maxLine {
			return 0, protocolError("too big inline request")
		}
		return 0, nil
	}
	line := buf[:end]
	if end > 0 && line[end-1] == '\r' {
		line = line[:end-1]
	}
	p.inline = p.inline[:0]
	if cap(p.inline) < len(line) {
		p.inline = make([]byte, 0, len(line)) // never grown below: arguments already found lie in it
	}
	for {
		for len(line) > 0 && isSpace(line[0]) {
			line = line[1:]
		}
		if len(line) == 0 || line[0] == 0 {
			return end + 1, nil
		}
		start := len(p.inline)
		rest, ok := p.word(line)
		if !ok {
			return 0, protocolError("unbalanced quotes in request")
		}
		p.args = append(p.args, p.inline[start:len(p.inline):len(p.inline)])
		line = rest
	}
}

// word appends the word at the front of line to inline, without its quotes, and returns what is behind it. It is false
// where a quote is not closed, or is closed in the middle of a word.
func (p *parser) word(line []byte) ([]byte, bool) {
	var quote byte
	for {
		var c byte
		if len(line) > 0 {
			c = line[0]
		}
		switch {
		case quote == 0:
			switch {
			case len(line) == 0 || isSpace(c) || c == 0:
				return line, true
			case c == '"' || c == '\'':
				quote = c
			default:
				p.inline = append(p.inline, c)
			}
		case len(line) == 0 || c == 0:
			return nil, false
		case c == quote:
			return line[1:], len(line) == 1 || isSpace(line[1])
		case c == '\\' && quote == '"' && len(line) > 1:
			n := p.escape(line)
			line = line[n:]
			continue
		case c == '\\' && quote == '\'' && len(line) > 1 && line[1] == '\'':
			p.inline = append(p.inline, '\'')
			line = line[2:]
			continue
		default:
			p.inline = append(p.inline, c)
		}
		line = line[1:]
	}
}

// escape appends what the backslash at the front of line stands for, and returns how much of line that took.
func (p *parser) escape(line []byte) int {
	if line[1] == 'x' && len(line) > 3 {
		hi, ok1 := hexDigit(line[2])
		lo, ok2 := hexDigit(line[3])
		if ok1 && ok2 {
			p.inline = append(p.inline, hi<<4|lo)
			return 4
		}
	}
	c := line[1]
	switch c {
	case 'n':
		c = '\n'
	case 'r':
		c = '\r'
	case 't':
		c = '\t'
	case 'b':
		c = '\b'
	case 'a':
		c = '\a'
	}
	p.inline = append(p.inline, c)
	return 2
}

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func hexDigit(c byte) (byte, bool) {
	switch {
	case c >= '0' && c <= '9':
		return c - '0', true
	case c >= 'a' && c <= 'f':
		return c - 'a' + 10, true
	case c >= 'A' && c <= 'F':
		return c - 'A' + 10, true
	}
	return 0, false
}
