package people

import (
	"bytes"
	"encoding/json"
	"unicode/utf8"
)

// line appends v to the answer as a line of JSON. false: there is no room behind other lines, and nothing was appended.
func (c *call) line(v any) (bool, error) {
	text, err := encode(v)
	if err != nil {
		return false, err
	}
	return c.appendLine(text)
}

// appendLine is line for a text. A line for which there would not even be room without others is an error.
func (c *call) appendLine(text []byte) (bool, error) {
	if len(c.body) == 0 {
		return true, c.give(text)
	}
	if len(c.body)+1+len(text) > c.room() {
		return false, nil
	}
	c.body = append(append(c.body, '\n'), text...)
	return true, nil
}

// encode returns v as JSON on one line, with <, > and & as they are.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(b.Bytes(), []byte("\n")), nil
}

// say returns bytes as JSON can say them: as text or, where they are none, raw, which encoding/json writes in base64.
func say(p []byte) (text *string, raw []byte) {
	if !utf8.Valid(p) {
		return nil, p
	}
	s := string(p)
	return &s, nil
}
