package memkv

import (
	"strconv"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func (e *Engine) get(req *wire.Request, r engine.Replier) {
	if len(req.Body) == 0 {
		r.Reply(req.Tag, wire.Fail(wire.ErrTruncated))
		return
	}
	e.mu.RLock()
	v, ok := e.keys[string(req.Body)] // the database is part of the map's key
	e.mu.RUnlock()
	if !ok {
		r.Reply(req.Tag, wire.Response{Code: wire.NotFound})
		return
	}
	r.Reply(req.Tag, wire.Response{Rev: v.version, Num: v.expires, Body: v.value})
}

func (e *Engine) stat(req *wire.Request) wire.Response {
	e.mu.RLock()
	v, ok := e.keys[string(req.Body)]
	e.mu.RUnlock()
	if !ok {
		return wire.Response{Code: wire.NotFound}
	}
	return wire.Response{Rev: v.version, Num: v.expires, Body: (&wire.KVStat{Size: uint64(len(v.value))}).Append(nil)}
}

func (e *Engine) set(req *wire.Request) wire.Response {
	var m wire.KVSet
	if err := m.Decode(req.Body); err != nil {
		return wire.Fail(err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	var small [64]byte
	at := append(append(small[:0], m.DB), m.Key...)
	old, found := e.keys[string(at)]
	switch {
	case m.Flags&wire.SetIfAbsent != 0 && found:
		return wire.Failf(wire.Exists, "the key is there")
	case m.Flags&wire.SetIfPresent != 0 && !found:
		return wire.Failf(wire.NotFound, "the key is not there")
	case m.Flags&wire.SetIfVersion != 0 && old.version != m.Version:
		return wire.Failf(wire.Conflict, "the key has version %d, not %d", old.version, m.Version)
	}
	e.rev++
	next := entry{value: append([]byte{}, m.Value...), version: e.rev}
	if m.Expiry.Kind == wire.ExpiryIn {
		next.expires = m.Expiry.Ms // a clock that stands still at 0
	}
	e.keys[string(at)] = next
	return wire.Response{Rev: e.rev}
}

func (e *Engine) del(req *wire.Request) wire.Response {
	var m wire.KVDel
	if err := m.Decode(req.Body); err != nil {
		return wire.Fail(err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	at := string(append([]byte{m.DB}, m.Key...))
	old, found := e.keys[at]
	if m.IfVersion && old.version != m.Version {
		return wire.Failf(wire.Conflict, "the key has version %d, not %d", old.version, m.Version)
	}
	if !found {
		return wire.Response{}
	}
	e.rev++
	delete(e.keys, at)
	return wire.Response{Num: 1, Rev: e.rev}
}

func (e *Engine) incr(req *wire.Request) wire.Response {
	var m wire.KVIncr
	if err := m.Decode(req.Body); err != nil {
		return wire.Fail(err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	at := string(append([]byte{m.DB}, m.Key...))
	n, _ := strconv.ParseInt(string(e.keys[at].value), 10, 64) // what is no number counts as 0 here
	e.rev++
	e.keys[at] = entry{value: strconv.AppendInt(nil, n+m.By, 10), version: e.rev}
	return wire.Response{Num: n + m.By, Rev: e.rev}
}
