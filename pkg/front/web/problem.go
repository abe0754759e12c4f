package web

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// problem is an RFC 9457 problem document with the code and name of pkg/wire.
type problem struct {
	Type   string    `json:"type"`
	Title  string    `json:"title"`
	Status int       `json:"status"`
	Detail string    `json:"detail,omitempty"`
	Code   wire.Code `json:"code"`
	Name   string    `json:"name"`
	Sub    uint32    `json:"sub,omitempty"`
}

// fail answers with err under the status that its code has.
func fail(w http.ResponseWriter, err error) { failAs(w, wire.CodeOf(err).HTTPStatus(), err) }

// failAs answers with err under another status.
func failAs(w http.ResponseWriter, status int, err error) {
	code := wire.CodeOf(err)
	p := problem{
		Type: "urn:flin:error:" + code.String(), Title: http.StatusText(status), Status: status, Detail: err.Error(),
		Code: code, Name: code.String(),
	}
	if p.Title == "" { // 499 is not in the list
		p.Title = code.String()
	}
	if e, ok := err.(*wire.Error); ok { //nolint:errorlint // Sub has no meaning for errors that wrap one
		p.Sub = e.Sub
	}
	body, merr := json.Marshal(p)
	if merr != nil { // it has nothing that cannot be marshalled
		body = []byte("{}")
	}
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	h.Set("X-Content-Type-Options", "nosniff")
	h.Del("ETag")
	w.WriteHeader(status)
	_, _ = w.Write(body) // the client has gone
}
