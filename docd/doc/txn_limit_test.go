package doc

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestATransactionIsOpenForAMinute(t *testing.T) {
	now := int64(0)
	w := worlds.New(t, func(c *Config) { c.clock = func() int64 { return now } })
	w.numbered("c", 300)
	asked, swept := w.begin(), w.begin()
	cursor := asked.must(wire.OpDocFind, &wire.DocFind{Name: name("c"), Batch: 10})
	now = wire.MaxDocTransaction
	asked.insert("c", `{"_id": "new"}`)
	now++
	resp := asked.commit()
	answered(t, "too late", &resp, wire.NotFound, wire.DocNoSuchTransaction, tooOld)
	w.txns.sweep()
	swept.over(tooOld)
	resp = w.Do(wire.OpDocMore, &wire.DocMore{Cursor: uint64(cursor.Num)}, 0)
	answered(t, "its cursor", &resp, wire.NotFound, wire.DocCursorNotFound, "")
	same(t, "nothing is left of it", w.find("c", `{"_id": "new"}`))
}

func TestATransactionEndsWithItsServer(t *testing.T) {
	w := worlds.New(t, nil)
	w.numbered("c", 300)
	x := w.begin()
	x.insert("c", `{"_id": "new"}`)
	x.must(wire.OpDocFind, &wire.DocFind{Name: name("c"), Batch: 10})
	w.Stop() // the store tells whether somebody has it open still
	if n, held := w.txns.load(); n != 0 || held != 0 {
		t.Errorf("%d transactions hold %d bytes", n, held)
	}
	if _, err := w.txns.open(); !errors.Is(err, errStopping) {
		t.Errorf("behind the end one begins: %v", err)
	}
}

func TestATransactionDoesOneThingAtATime(t *testing.T) {
	w := worlds.New(t, nil)
	w.numbered("c", 300)
	x := w.begin()
	cursor := x.must(wire.OpDocFind, &wire.DocFind{Name: name("c"), Batch: 10})
	used, err := w.txns.take(x.id)
	if err != nil {
		t.Fatal(err)
	}
	for what, resp := range map[string]wire.Response{
		"a read":   x.do(wire.OpDocCount, &wire.DocFind{Name: name("c")}),
		"a write":  x.do(wire.OpDocDelete, &wire.DocUpdate{Name: name("c"), Filter: js(t, `{"_id": 1}`)}),
		"a commit": x.commit(),
		"a cursor": w.Do(wire.OpDocMore, &wire.DocMore{Cursor: uint64(cursor.Num)}, 0),
	} {
		answered(t, what, &resp, wire.Conflict, codeInUse, "in use")
	}
	w.txns.give(used, "")
	if got := w.rest(&cursor, 0); len(got) != 290 {
		t.Errorf("a cursor that was in use has %d documents left", len(got))
	}
	x.remove("c", `{"_id": 1}`, 0)
	// An abort does not wait: what is under way is the last.
	if used, err = w.txns.take(x.id); err != nil {
		t.Fatal(err)
	}
	if n := x.abort(); n != 1 {
		t.Errorf("%d aborted", n)
	}
	if n, _ := w.txns.load(); n != 1 {
		t.Error("a transaction ended while it was in use")
	}
	w.txns.give(used, "")
	x.over(aborted)
}

func TestAWriteThatIsWithdrawnIsNotCommitted(t *testing.T) {
	w := worlds.New(t, nil)
	x := w.begin()
	insert := wire.DocInsert{Name: name("c"), Docs: [][]byte{js(t, `{"_id": 1}`)}}
	r := &keeper{answers: make(chan wire.Response, 1)}
	used, err := w.txns.take(x.id)
	if err != nil {
		t.Fatal(err)
	}
	used.draft.fresh = func(*draftDoc) error {
		w.Cancel(r, 1)
		return nil
	}
	w.txns.give(used, "")
	w.Submit(wire.Request{Op: wire.OpDocIn, Tag: 1, Body: (&wire.DocIn{Txn: x.id, Op: wire.OpDocInsert, Body: insert.Append(nil)}).Append(nil)}, r)
	if resp := <-r.answers; resp.Code != wire.Canceled {
		t.Errorf("%v %s", resp.Code, resp.Body)
	}
	resp := x.commit()
	for resp.Code == wire.Conflict { // the write is under way still
		resp = x.commit()
	}
	answered(t, "the commit", &resp, wire.NotFound, wire.DocNoSuchTransaction, "withdrawn")
	same(t, "nothing is left of it", w.find("c", `{}`))
}

// keeper is a Replier that keeps an answer.
type keeper struct{ answers chan wire.Response }

// Reply keeps the answer.
func (k *keeper) Reply(_ uint64, resp wire.Response) { k.answers <- resp }

func TestTransactionsAreBounded(t *testing.T) {
	w := worlds.New(t, func(c *Config) { c.Transactions, c.TransactionMemory = 2, 100_000 })
	a, b := w.begin(), w.begin()
	resp := w.Do(wire.OpDocBegin, nothing{}, 0)
	answered(t, "one too many", &resp, wire.Busy, 0, "2 transactions are open")
	long := strings.Repeat("x", 60_000)
	a.insert("c", fmt.Sprintf(`{"_id": 1, "x": %q}`, long))
	resp = b.do(wire.OpDocInsert, &wire.DocInsert{Name: name("c"), Docs: [][]byte{js(t, fmt.Sprintf(`{"_id": 2, "x": %q}`, long))}})
	answered(t, "too much", &resp, wire.Full, 0, "100000 bytes")
	a.commits()
	b.over("a write failed")
	if got := w.find("c", `{}`); len(got) != 1 {
		t.Errorf("%d documents", len(got))
	}
}

func TestATransactionThatIsTooLargeSaysSo(t *testing.T) {
	w := worlds.New(t, nil)
	x := w.begin()
	insert := wire.DocInsert{Name: name("c")}
	for range wire.MaxBatch {
		insert.Docs = append(insert.Docs, js(t, `{}`))
	}
	x.must(wire.OpDocInsert, &insert)
	insert.Docs = insert.Docs[:1]
	resp := x.must(wire.OpDocInsert, &insert)
	if m := result(t, &resp); len(m.Errors) != 1 || m.Errors[0].Code != wire.TooLarge || !strings.Contains(string(m.Errors[0].Msg), "more than 10000 documents") {
		t.Errorf("%+v", m)
	}
	x.over("a write failed")

	x = w.begin()
	insert.Docs = [][]byte{js(t, fmt.Sprintf(`{"x": %q}`, strings.Repeat("x", 9<<20)))}
	x.must(wire.OpDocInsert, &insert)
	resp = x.must(wire.OpDocInsert, &insert)
	if m := result(t, &resp); len(m.Errors) != 1 || m.Errors[0].Code != wire.TooLarge || !strings.Contains(string(m.Errors[0].Msg), "17825792 bytes") {
		t.Errorf("%+v", m)
	}
	x.over("a write failed")

	// What a commit adds to the key tree is only known there.
	for i := range 6 {
		w.index("wide", spec(0, fmt.Sprint("f", i)))
	}
	x = w.begin()
	insert.Name, insert.Docs = name("wide"), nil
	for range 9_000 {
		insert.Docs = append(insert.Docs, js(t, `{}`))
	}
	x.must(wire.OpDocInsert, &insert)
	resp = x.commit()
	answered(t, "too many keys", &resp, wire.TooLarge, 0, "key tree")
	same(t, "nothing is left of them", append(w.find("c", `{}`), w.find("wide", `{}`)...))
}

func TestOnlyDocumentsAreReadAndWrittenInATransaction(t *testing.T) {
	w := worlds.New(t, nil)
	x := w.begin()
	n := name("c")
	for op, m := range map[wire.Op]payload{
		wire.OpDocCreate: &n, wire.OpDocDrop: &n, wire.OpDocIndexes: &n,
		wire.OpDocIndex:   &wire.DocIndex{Name: n, Spec: spec(0, "a")},
		wire.OpDocExplain: &wire.DocExplain{Op: wire.OpDocFind, Body: (&wire.DocFind{Name: n}).Append(nil)},
		wire.OpDocWrite:   &wire.DocWrite{},
		wire.OpDocIn:      &wire.DocIn{Txn: x.id, Op: wire.OpDocFind, Body: (&wire.DocFind{Name: n}).Append(nil)},
	} {
		resp := x.do(op, m)
		answered(t, op.String(), &resp, wire.Invalid, wire.DocNotInTransaction, "cannot be part of a transaction")
	}
	// What is wrong with a read does not end it.
	resp := x.do(wire.OpDocFind, &wire.DocFind{Name: n, Filter: js(t, `{"$no": 1}`)})
	if resp.Code != wire.Invalid {
		t.Errorf("%v %s", resp.Code, resp.Body)
	}
	x.insert("c", `{"_id": 1}`)
	resp = x.do(wire.OpDocUpdate, &wire.DocUpdate{Name: n, Filter: js(t, `{}`), Update: js(t, `{"$inc": {"_id": "x"}}`)})
	if resp.Code != wire.Invalid {
		t.Errorf("%v %s", resp.Code, resp.Body)
	}
	x.over("a write failed")
}
