package resp

import "strconv"

// The functions below append one value in the protocol's notation. Those that take resp3 write what version 3 has a
// type of its own for as version 2 says it where resp3 is false.

func appendSimple(b []byte, s string) []byte {
	b = append(b, '+')
	b = append(b, s...)
	return append(b, '\r', '\n')
}

func appendOK(b []byte) []byte { return append(b, "+OK\r\n"...) }

func appendInt(b []byte, n int64) []byte {
	b = append(b, ':')
	b = strconv.AppendInt(b, n, 10)
	return append(b, '\r', '\n')
}

// appendHead appends a type's byte with a length or a count.
func appendHead(b []byte, kind byte, n int) []byte {
	b = append(b, kind)
	if n < 10 {
		return append(b, '0'+byte(n), '\r', '\n')
	}
	b = strconv.AppendUint(b, uint64(n), 10)
	return append(b, '\r', '\n')
}

func appendBulk[T []byte | string](b []byte, p T) []byte {
	b = appendHead(b, '$', len(p))
	b = append(b, p...)
	return append(b, '\r', '\n')
}

func appendArray(b []byte, n int) []byte { return appendHead(b, '*', n) }

func appendPush(b []byte, n int) []byte { return appendHead(b, '>', n) }

func appendMap(b []byte, n int, resp3 bool) []byte {
	if resp3 {
		return appendHead(b, '%', n)
	}
	return appendHead(b, '*', 2*n)
}

func appendSet(b []byte, n int, resp3 bool) []byte {
	if resp3 {
		return appendHead(b, '~', n)
	}
	return appendHead(b, '*', n)
}

func appendNull(b []byte, resp3 bool) []byte {
	if resp3 {
		return append(b, "_\r\n"...)
	}
	return append(b, "$-1\r\n"...)
}

func appendNullArray(b []byte, resp3 bool) []byte {
	if resp3 {
		return append(b, "_\r\n"...)
	}
	return append(b, "*-1\r\n"...)
}

// appendVerbatim appends text that is meant for people.
func appendVerbatim(b []byte, text string, resp3 bool) []byte {
	if !resp3 {
		return appendBulk(b, text)
	}
	b = appendHead(b, '=', len(text)+4)
	b = append(b, "txt:"...)
	b = append(b, text...)
	return append(b, '\r', '\n')
}

// appendError appends an error. A message cannot hold line ends: they become spaces, those at its end go.
func appendError[T []byte | string](b []byte, prefix string, msg T) []byte {
	b = append(b, '-')
	b = append(b, prefix...)
	if prefix != "" && len(msg) > 0 {
		b = append(b, ' ')
	}
	for len(msg) > 0 && (msg[len(msg)-1] == '\r' || msg[len(msg)-1] == '\n') {
		msg = msg[:len(msg)-1]
	}
	start := len(b)
	b = append(b, msg...)
	for i := start; i < len(b); i++ {
		if b[i] == '\r' || b[i] == '\n' {
			b[i] = ' '
		}
	}
	return append(b, '\r', '\n')
}
