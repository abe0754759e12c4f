package resp

import (
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// fakeEngine keeps keys in a map. It serves the operations that the tests of this package need; what the operations
// mean is tested against the real engine. Writes are answered by a goroutine of their own, reads at once unless they
// are ordered: the front sees both orders of events.
type fakeEngine struct {
	mu      sync.Mutex
	rev     uint64
	dbs     [wire.KVDatabases]map[string]fakeValue
	watches map[uint64]fakeWatch
	queue   chan func()
	done    chan struct{}
	queues  *fakeQueues // serves the queue and the stream engine's operations; nil: they are not
}

type fakeValue struct {
	rev     uint64
	expires int64
	body    string
}

type fakeWatch struct{ r wire.Replier }

func newFakeEngine() *fakeEngine {
	e := &fakeEngine{watches: make(map[uint64]fakeWatch), queue: make(chan func(), 1<<16), done: make(chan struct{})}
	for i := range e.dbs {
		e.dbs[i] = make(map[string]fakeValue)
	}
	go func() {
		defer close(e.done)
		for fn := range e.queue {
			fn()
		}
	}()
	return e
}

func (e *fakeEngine) close() {
	close(e.queue)
	<-e.done
}

func (e *fakeEngine) Submit(req wire.Request, r wire.Replier) {
	if engine := req.Op.Engine(); (engine == wire.EngineQueue || engine == wire.EngineStream || engine == wire.EngineDoc) && e.queues != nil {
		e.queues.submit(req, r)
		return
	}
	if req.Op == wire.OpKVWatch {
		e.mu.Lock()
		e.watches[req.Tag] = fakeWatch{r}
		e.mu.Unlock()
		r.Reply(req.Tag, wire.Response{More: true})
		return
	}
	if fakeReads(req.Op) && req.Flags&wire.FlagOrdered == 0 {
		e.mu.Lock()
		resp := e.run(req.Op, req.Body)
		e.mu.Unlock()
		r.Reply(req.Tag, resp)
		return
	}
	req.Body = append([]byte(nil), req.Body...)
	e.queue <- func() {
		e.mu.Lock()
		e.rev++
		resp := e.run(req.Op, req.Body)
		e.mu.Unlock()
		r.Reply(req.Tag, resp)
	}
}

func (e *fakeEngine) Cancel(r wire.Replier, tag uint64) {
	if e.queues != nil {
		e.queues.cancel(r, tag)
	}
	e.mu.Lock()
	w, ok := e.watches[tag]
	delete(e.watches, tag)
	e.mu.Unlock()
	if ok && w.r == r {
		r.Reply(tag, wire.Failf(wire.Canceled, "canceled"))
	}
}

func (e *fakeEngine) Credit(wire.Replier, uint64, int) {}

func fakeReads(op wire.Op) bool {
	switch op {
	case wire.OpKVGet, wire.OpKVMGet, wire.OpKVStat, wire.OpKVExists, wire.OpKVScan, wire.OpKVCount, wire.OpKVStats,
		wire.OpKVRandom:
		return true
	}
	return false
}

// event tells the watches of a change. Replies never wait, so it may be called with the lock held by a goroutine of
// its own order.
func (e *fakeEngine) event(kind wire.EventKind, db byte, key string) {
	body := wire.AppendKVEvent(nil, &wire.KVEvent{Kind: kind, DB: db, Rev: e.rev, Key: []byte(key)})
	for tag, w := range e.watches {
		w.r.Reply(tag, wire.Response{More: true, Rev: e.rev, Body: body})
	}
}

func (e *fakeEngine) put(db byte, key, value string, expires int64) {
	e.dbs[db][key] = fakeValue{e.rev, expires, value}
	e.event(wire.EventSet, db, key)
}

var fakeMissing = wire.Failf(wire.NotFound, "no such key")

func (e *fakeEngine) run(op wire.Op, body []byte) wire.Response {
	switch op {
	case wire.OpKVGet, wire.OpKVStat, wire.OpKVGetDel:
		v, ok := e.dbs[body[0]][string(body[1:])]
		if !ok {
			return fakeMissing
		}
		if op == wire.OpKVStat {
			st := wire.KVStat{Size: uint64(len(v.body))}
			return wire.Response{Rev: v.rev, Num: v.expires, Body: st.Append(nil)}
		}
		if op == wire.OpKVGetDel {
			delete(e.dbs[body[0]], string(body[1:]))
			e.event(wire.EventDelete, body[0], string(body[1:]))
		}
		return wire.Response{Rev: v.rev, Num: v.expires, Body: []byte(v.body)}
	case wire.OpKVSet:
		return e.set(body)
	case wire.OpKVDel, wire.OpKVMDel:
		return e.del(op, body)
	case wire.OpKVIncr, wire.OpKVDecr:
		return e.incr(op, body)
	case wire.OpKVMGet, wire.OpKVExists, wire.OpKVMSet:
		return e.many(op, body)
	case wire.OpKVTxn:
		return e.txn(body)
	case wire.OpKVFlush:
		for db := range e.dbs {
			if body[0] == byte(db) || body[0] == wire.AllDatabases {
				clear(e.dbs[db])
				e.event(wire.EventFlush, byte(db), "")
			}
		}
		return wire.Response{Rev: e.rev}
	case wire.OpKVScan:
		return e.scan(body)
	case wire.OpKVCount:
		return wire.Response{Num: int64(len(e.dbs[body[0]]))}
	case wire.OpKVStats:
		return wire.Response{Body: []byte("db0.keys " + strconv.Itoa(len(e.dbs[0])) + "\ndb0.expires 0\n")}
	}
	return wire.Failf(wire.Unsupported, "%v is not served here", op)
}

func (e *fakeEngine) set(body []byte) wire.Response {
	var m wire.KVSet
	if err := m.Decode(body); err != nil {
		return wire.Fail(err)
	}
	old, ok := e.dbs[m.DB][string(m.Key)]
	resp := wire.Response{Rev: e.rev}
	if m.Flags&wire.SetReturnOld != 0 && ok {
		resp.Num, resp.Body = 1, []byte(old.body)
	}
	if ok && m.Flags&wire.SetIfAbsent != 0 || !ok && m.Flags&wire.SetIfPresent != 0 {
		if m.Flags&wire.SetReturnOld != 0 {
			resp.Rev = 0
			return resp
		}
		return wire.Failf(wire.Exists, "unmet")
	}
	expires := int64(0)
	switch m.Expiry.Kind {
	case wire.ExpiryIn:
		expires = time.Now().UnixMilli() + m.Expiry.Ms
	case wire.ExpiryAt:
		expires = m.Expiry.Ms
	default:
	}
	e.put(m.DB, string(m.Key), string(m.Value), expires)
	return resp
}

func (e *fakeEngine) del(op wire.Op, body []byte) wire.Response {
	var keys [][]byte
	if op == wire.OpKVDel {
		var m wire.KVDel
		if err := m.Decode(body); err != nil {
			return wire.Fail(err)
		}
		keys = [][]byte{m.Key}
	} else {
		var m wire.KVKeys
		if err := m.Decode(body); err != nil {
			return wire.Fail(err)
		}
		keys = m.Keys
	}
	resp := wire.Response{Rev: e.rev}
	for _, k := range keys {
		if _, ok := e.dbs[body[0]][string(k)]; ok {
			delete(e.dbs[body[0]], string(k))
			e.event(wire.EventDelete, body[0], string(k))
			resp.Num++
		}
	}
	return resp
}

func (e *fakeEngine) incr(op wire.Op, body []byte) wire.Response {
	var m wire.KVIncr
	if err := m.Decode(body); err != nil {
		return wire.Fail(err)
	}
	n := int64(0)
	if v, ok := e.dbs[m.DB][string(m.Key)]; ok {
		var err error
		if n, err = strconv.ParseInt(v.body, 10, 64); err != nil {
			return wire.Failf(wire.Invalid, "value is not an integer or out of range")
		}
	}
	if op == wire.OpKVDecr {
		m.By = -m.By
	}
	n += m.By
	e.put(m.DB, string(m.Key), strconv.FormatInt(n, 10), 0)
	return wire.Response{Rev: e.rev, Num: n}
}

func (e *fakeEngine) many(op wire.Op, body []byte) wire.Response {
	if op == wire.OpKVMSet {
		var m wire.KVMSet
		if err := m.Decode(body); err != nil {
			return wire.Fail(err)
		}
		for _, p := range m.Pairs {
			e.put(m.DB, string(p.Key), string(p.Value), 0)
		}
		return wire.Response{Rev: e.rev}
	}
	var m wire.KVKeys
	if err := m.Decode(body); err != nil {
		return wire.Fail(err)
	}
	var resp wire.Response
	for _, k := range m.Keys {
		v, ok := e.dbs[m.DB][string(k)]
		if ok {
			resp.Num++
		}
		if op == wire.OpKVMGet {
			resp.Body = wire.AppendKVEntry(resp.Body, &wire.KVEntry{Version: v.rev, Value: []byte(v.body)})
		}
	}
	if op == wire.OpKVMGet {
		resp.Num = 0
	}
	return resp
}

func (e *fakeEngine) txn(body []byte) wire.Response {
	var m wire.KVTxn
	if err := m.Decode(body); err != nil {
		return wire.Fail(err)
	}
	for i, c := range m.Compares {
		if e.dbs[c.DB][string(c.Key)].rev != c.Version {
			return wire.Response{Code: wire.Conflict, Num: int64(i)}
		}
	}
	resp := wire.Response{Rev: e.rev}
	for _, o := range m.Ops {
		one := e.run(o.Op, o.Body)
		resp.Body = wire.AppendKVResult(resp.Body, &one)
	}
	return resp
}

func (e *fakeEngine) scan(body []byte) wire.Response {
	var m wire.KVScan
	if err := m.Decode(body); err != nil {
		return wire.Fail(err)
	}
	var keys []string
	for k := range e.dbs[m.DB] {
		if m.Flags&wire.ScanAfter == 0 || strings.Compare(k, string(m.After)) > 0 {
			keys = append(keys, k)
		}
	}
	slices.Sort(keys)
	var resp wire.Response
	last := ""
	var list []byte
	for i, k := range keys {
		if uint64(i) == m.Limit {
			resp.Num = 1
			break
		}
		last = k
		if len(m.Match) == 0 || matchGlob(string(m.Match), k) {
			list = wire.AppendKVEntry(list, &wire.KVEntry{Version: 1, Key: []byte(k)})
		}
	}
	resp.Body = append(wire.AppendString(nil, last), list...)
	return resp
}
