package web

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/front/slow"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// kvRequest is what the address of a key says.
type kvRequest struct {
	db     byte
	key    []byte
	expiry wire.Expiry
}

// kv serves one key: GET, HEAD, PUT and DELETE of /v1/kv/{key}.
func (s *Server) kv(w http.ResponseWriter, r *http.Request) {
	serve := map[string]func(http.ResponseWriter, *http.Request, *kvRequest) error{
		http.MethodGet: s.kvGet, http.MethodHead: s.kvHead, http.MethodPut: s.kvPut, http.MethodDelete: s.kvDelete,
	}[r.Method]
	if serve == nil {
		notAllowed(w, r, "GET, HEAD, PUT, DELETE")
		return
	}
	req, err := parseKV(r)
	if err == nil {
		err = serve(w, r, req)
	}
	var unmet *unmetError
	switch {
	case err == nil:
	case errors.As(err, &unmet):
		failAs(w, http.StatusPreconditionFailed, unmet.err)
	default:
		fail(w, err)
	}
}

// unmetError says that a condition in the request's header was not met.
type unmetError struct{ err *wire.Error }

func (e *unmetError) Error() string { return e.err.Error() }

func unmet(format string, args ...any) error {
	return &unmetError{wire.Errorf(wire.Conflict, format, args...)}
}

// parseKV reads the key, percent-encoded to the end of the path, and the query.
func parseKV(r *http.Request) (*kvRequest, error) {
	key, err := url.PathUnescape(strings.TrimPrefix(r.URL.EscapedPath(), kvPath))
	if err != nil {
		return nil, wire.Errorf(wire.Invalid, "the key in the path: %v", err)
	}
	if len(key) > wire.MaxKey {
		return nil, wire.Errorf(wire.TooLarge, "key of %d bytes is over the limit of %d", len(key), wire.MaxKey)
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, wire.Errorf(wire.Invalid, "the query: %v", err)
	}
	req := &kvRequest{key: []byte(key)}
	for name, values := range query {
		value := values[len(values)-1]
		switch {
		case name == "db":
			n, err := strconv.ParseUint(value, 10, 8)
			if err != nil || n >= wire.KVDatabases {
				return nil, wire.Errorf(wire.Invalid, "db is %q, must be 0 to %d", value, wire.KVDatabases-1)
			}
			req.db = byte(n)
		case name == "ttl" && r.Method == http.MethodPut:
			n, err := strconv.ParseInt(value, 10, 64)
			if err != nil || n < 1 {
				return nil, wire.Errorf(wire.Invalid, "ttl is %q, must be a number of milliseconds above 0", value)
			}
			req.expiry = wire.Expiry{Kind: wire.ExpiryIn, Ms: n}
		default:
			return nil, wire.Errorf(wire.Invalid, "%s of a key does not know the parameter %q", r.Method, name)
		}
	}
	return req, nil
}

// do asks the engine and gives it engineTimeout. The engine sees to that by itself; the context is for when it does not.
func (s *Server) do(ctx context.Context, op wire.Op, body []byte) (wire.Response, error) {
	ctx, cancel := context.WithTimeout(ctx, engineTimeout+time.Second)
	defer cancel()
	began := wire.Clock()
	resp, err := engine.Do(ctx, s.cfg.Engine, wire.Request{Op: op, Tag: 1, Deadline: began + int64(engineTimeout), Body: body})
	if c, ok := ctx.Value(connKey{}).(*conn); ok {
		s.cfg.Slow.Done(slow.MarkOf(op, slow.At(began), len(body)), c)
	}
	if wire.CodeOf(err) == wire.Canceled && errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = wire.Errorf(wire.Timeout, "not executed within %v", engineTimeout)
	}
	return resp, err
}

func (s *Server) kvGet(w http.ResponseWriter, r *http.Request, req *kvRequest) error {
	resp, err := s.do(r.Context(), wire.OpKVGet, (&wire.KVKey{DB: req.db, Key: req.key}).Append(nil))
	if err != nil {
		return err
	}
	done, err := describe(w, r, &resp)
	if done || err != nil {
		return err
	}
	if !s.cfg.Budget.Take(int64(len(resp.Body))) {
		return wire.Errorf(wire.Busy, "too many values are on their way to other clients; try again")
	}
	defer s.cfg.Budget.Give(int64(len(resp.Body)))
	w.Header().Set("Content-Length", strconv.Itoa(len(resp.Body)))
	_, _ = w.Write(resp.Body) // the client has gone
	return nil
}

func (s *Server) kvHead(w http.ResponseWriter, r *http.Request, req *kvRequest) error {
	resp, err := s.do(r.Context(), wire.OpKVStat, (&wire.KVKey{DB: req.db, Key: req.key}).Append(nil))
	if err != nil {
		return err
	}
	var stat wire.KVStat
	if err := stat.Decode(resp.Body); err != nil {
		return err
	}
	done, err := describe(w, r, &resp)
	if done || err != nil {
		return err
	}
	w.Header().Set("Content-Length", strconv.FormatUint(stat.Size, 10))
	return nil
}

// describe writes what is known of a key beside its value, and judges the conditions of a read. It is done if the
// client has the value already.
func describe(w http.ResponseWriter, r *http.Request, resp *wire.Response) (done bool, err error) {
	h := w.Header()
	h.Set("ETag", etag(resp.Rev))
	h.Set("Content-Type", "application/octet-stream")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Cache-Control", "no-cache") // may be kept, must be asked for with If-None-Match
	if resp.Num != 0 {
		h.Set("Flin-Expires", strconv.FormatInt(resp.Num, 10)) // milliseconds since 1970
	}
	if match := r.Header.Get("If-Match"); match != "" && !matches(match, resp.Rev, false) {
		return false, unmet("the key has version %d, not %s (If-Match)", resp.Rev, match)
	}
	if match := r.Header.Get("If-None-Match"); match != "" && matches(match, resp.Rev, true) {
		w.WriteHeader(http.StatusNotModified)
		return true, nil
	}
	return false, nil
}

func (s *Server) kvPut(w http.ResponseWriter, r *http.Request, req *kvRequest) error {
	m := wire.KVSet{DB: req.db, Expiry: req.expiry, Key: req.key}
	ifMatch, ifNone := r.Header.Get("If-Match"), r.Header.Get("If-None-Match")
	var err error
	switch {
	case ifMatch != "" && ifNone != "":
		return wire.Errorf(wire.Invalid, "If-Match and If-None-Match exclude one another")
	case ifMatch == "*":
		m.Flags = wire.SetIfPresent
	case ifMatch != "":
		m.Flags = wire.SetIfVersion
		if m.Version, err = version(ifMatch); err != nil {
			return err
		}
	case ifNone == "*":
		m.Flags = wire.SetIfAbsent
	case ifNone != "":
		return wire.Errorf(wire.Invalid, "If-None-Match of a PUT is %q, must be *", ifNone)
	}
	value, release, err := s.body(w, r)
	if err != nil {
		return err
	}
	defer release()
	m.Value = value
	resp, err := s.do(r.Context(), wire.OpKVSet, m.Append(nil))
	switch code := wire.CodeOf(err); {
	case err == nil:
		w.Header().Set("ETag", etag(resp.Rev))
		w.WriteHeader(http.StatusNoContent)
		return nil
	case code == wire.Conflict && ifMatch != "" || code == wire.NotFound && ifMatch != "" || code == wire.Exists && ifNone != "":
		return &unmetError{&wire.Error{Code: code, Msg: err.Error()}}
	}
	return err
}

func (s *Server) kvDelete(w http.ResponseWriter, r *http.Request, req *kvRequest) error {
	m := wire.KVDel{DB: req.db, Key: req.key}
	ifMatch := r.Header.Get("If-Match")
	if r.Header.Get("If-None-Match") != "" {
		return wire.Errorf(wire.Invalid, "If-None-Match of a DELETE has no meaning")
	}
	if ifMatch != "" && ifMatch != "*" {
		var err error
		if m.Version, err = version(ifMatch); err != nil {
			return err
		}
		m.IfVersion = true
	}
	resp, err := s.do(r.Context(), wire.OpKVDel, m.Append(nil))
	switch code := wire.CodeOf(err); {
	case code == wire.Conflict && ifMatch != "" || code == wire.NotFound && ifMatch != "":
		return &unmetError{&wire.Error{Code: code, Msg: err.Error()}}
	case err != nil:
		return err
	case resp.Num == 0 && ifMatch != "":
		return unmet("the key is not there (If-Match)")
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// body reads the value. release gives back what the Budget granted for it.
func (s *Server) body(w http.ResponseWriter, r *http.Request) (value []byte, release func(), err error) {
	limit := int64(s.cfg.MaxValue)
	if r.ContentLength > limit {
		return nil, nil, wire.Errorf(wire.TooLarge, "value of %d bytes is over the limit of %d (-max-value)", r.ContentLength, limit)
	}
	size := r.ContentLength
	if size < 0 {
		size = limit
	}
	if !s.cfg.Budget.Take(size) {
		return nil, nil, wire.Errorf(wire.Busy, "too many values are on their way from other clients; try again")
	}
	release = func() { s.cfg.Budget.Give(size) }
	value, err = io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	if err == nil {
		return value, release, nil
	}
	release()
	if _, long := errors.AsType[*http.MaxBytesError](err); long {
		return nil, nil, wire.Errorf(wire.TooLarge, "the value is over the limit of %d bytes (-max-value)", limit)
	}
	return nil, nil, wire.Errorf(wire.Invalid, "reading the value: %v", err)
}
