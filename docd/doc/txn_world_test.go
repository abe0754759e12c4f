package doc

import (
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// tx is a transaction of a test.
type tx struct {
	w  *world
	id uint64
}

type nothing struct{}

func (nothing) Append(b []byte) []byte { return b }

func (w *world) begin() *tx {
	w.T.Helper()
	return &tx{w, uint64(w.Must(wire.OpDocBegin, nothing{}).Num)}
}

func (x *tx) do(op wire.Op, m payload) wire.Response {
	x.w.T.Helper()
	return x.w.Do(wire.OpDocIn, &wire.DocIn{Txn: x.id, Op: op, Body: m.Append(nil)}, 0)
}

func (x *tx) must(op wire.Op, m payload) wire.Response {
	x.w.T.Helper()
	resp := x.do(op, m)
	if err := resp.Err(); err != nil {
		x.w.T.Fatalf("%v in a transaction: %v", op, err)
	}
	return resp
}

func (x *tx) insert(coll string, docs ...string) wire.DocResult {
	x.w.T.Helper()
	m := wire.DocInsert{Name: name(coll)}
	for _, d := range docs {
		m.Docs = append(m.Docs, js(x.w.T, d))
	}
	resp := x.must(wire.OpDocInsert, &m)
	return result(x.w.T, &resp)
}

func (x *tx) update(coll, filter, update string, flags wire.DocWriteFlags) wire.DocResult {
	x.w.T.Helper()
	resp := x.must(wire.OpDocUpdate, x.updating(coll, filter, update, flags))
	return result(x.w.T, &resp)
}

func (x *tx) updating(coll, filter, update string, flags wire.DocWriteFlags) *wire.DocUpdate {
	return &wire.DocUpdate{Name: name(coll), Flags: flags, Filter: js(x.w.T, filter), Update: js(x.w.T, update)}
}

func (x *tx) remove(coll, filter string, flags wire.DocWriteFlags) uint64 {
	x.w.T.Helper()
	resp := x.must(wire.OpDocDelete, &wire.DocUpdate{Name: name(coll), Flags: flags, Filter: js(x.w.T, filter)})
	m := result(x.w.T, &resp)
	return m.Deleted
}

// all returns what a find gives, from all batches.
func (x *tx) all(m *wire.DocFind) (docs []string) {
	x.w.T.Helper()
	resp := x.must(wire.OpDocFind, m)
	return append(texts(x.w.T, resp.Body), x.w.rest(&resp, m.Batch)...)
}

// rest returns the documents that a cursor has left.
func (w *world) rest(resp *wire.Response, batch uint64) (docs []string) {
	w.T.Helper()
	for resp.Num != 0 {
		*resp = w.Must(wire.OpDocMore, &wire.DocMore{Cursor: uint64(resp.Num), Batch: batch})
		docs = append(docs, texts(w.T, resp.Body)...)
	}
	return docs
}

func (x *tx) find(coll, filter string) []string {
	x.w.T.Helper()
	return x.all(&wire.DocFind{Name: name(coll), Filter: js(x.w.T, filter)})
}

func (x *tx) aggregate(coll, pipeline string) []string {
	x.w.T.Helper()
	resp := x.must(wire.OpDocAggregate, &wire.DocAggregate{Name: name(coll), Pipeline: js(x.w.T, pipeline)})
	return append(texts(x.w.T, resp.Body), x.w.rest(&resp, 0)...)
}

func (x *tx) commit() wire.Response {
	x.w.T.Helper()
	return x.w.Do(wire.OpDocCommit, &wire.DocTxn{Txn: x.id}, 0)
}

// commits commits and returns how many documents were written.
func (x *tx) commits() int64 {
	x.w.T.Helper()
	return x.w.Must(wire.OpDocCommit, &wire.DocTxn{Txn: x.id}).Num
}

func (x *tx) abort() int64 {
	x.w.T.Helper()
	return x.w.Must(wire.OpDocAbort, &wire.DocTxn{Txn: x.id}).Num
}

// answered checks how something was refused.
func answered(t *testing.T, what string, resp *wire.Response, code wire.Code, sub uint32, says string) {
	t.Helper()
	if resp.Code != code || resp.Sub != sub || !strings.Contains(string(resp.Body), says) {
		t.Errorf("%s: %v %d %q, want %v %d %q", what, resp.Code, resp.Sub, resp.Body, code, sub, says)
	}
}

// over checks that a transaction is not open any more.
func (x *tx) over(says string) {
	x.w.T.Helper()
	t := x.w.T.(*testing.T)
	t.Helper()
	resp := x.do(wire.OpDocFind, &wire.DocFind{Name: name("c")})
	answered(t, "an operation behind the end", &resp, wire.NotFound, wire.DocNoSuchTransaction, says)
	resp = x.commit()
	answered(t, "a commit behind the end", &resp, wire.NotFound, wire.DocNoSuchTransaction, says)
	if n := x.abort(); n != 0 {
		t.Errorf("an abort behind the end has aborted %d", n)
	}
	if n, held := x.w.txns.load(); n != 0 || held != 0 {
		t.Errorf("%d transactions hold %d bytes", n, held)
	}
}
