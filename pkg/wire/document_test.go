package wire

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

// What the golden payloads of the document engine are made of.
var (
	people   = DocName{DB: []byte("default"), Coll: []byte("people")}
	pets     = DocName{DB: []byte("default"), Coll: []byte("pets.all")}
	document = []byte{12, 0, 0, 0, 0x10, 'a', 0, 1, 0, 0, 0, 0}
	none     = []byte{}
	docID    = []byte{0x10, 7, 0, 0, 0}
	byName   = DocIndexSpec{Name: []byte("name_1_born_-1"), Fields: []DocIndexField{{Path: []byte("name")}, {Path: []byte("born"), Desc: true}}}
	byAge    = DocIndexSpec{Name: none, Fields: []DocIndexField{{Path: []byte("at")}}, Flags: DocIndexUnique | DocIndexTTL | DocIndexPartial, TTL: 3600, Partial: document}
	results  = DocResult{
		Inserted: 3, Matched: 300, Modified: 2, Deleted: 1, IDs: []DocID{{Index: 0, Value: docID}, {Index: 300, Value: docID}},
		Errors: []DocError{{Index: 1, Code: Exists, Sub: 11000, Msg: []byte("E11000 duplicate key error")}},
	}
)

// docPayloads are the golden payloads of the document engine, as payloads are those of the others.
var docPayloads = []struct {
	name string
	m    message
}{
	{"DocName", &people},
	{"DocList", &DocList{DB: none, After: DocName{DB: none, Coll: none}}},
	{"DocList/page", &DocList{DB: people.DB, After: people, Limit: 1000}},
	{"DocIndex", &DocIndex{Name: people, Spec: byName}},
	{"DocIndex/all", &DocIndex{Name: people, Spec: byAge}},
	{"DocDropIndex", &DocDropIndex{Name: people, Index: byName.Name}},
	{"DocFind", &DocFind{Name: people, Filter: none, Project: none, Sort: none, Hint: none, Field: none}},
	{"DocFind/all", &DocFind{
		Name: people, Flags: DocFindSingle, Filter: document, Project: document, Sort: document, Hint: byName.Name, Field: []byte("a.b"), Skip: 300, Limit: 10, Batch: 5,
	}},
	{"DocAggregate", &DocAggregate{Name: people, Flags: DocFindSingle, Pipeline: document, Hint: none, Batch: 300}},
	{"DocMore", &DocMore{Cursor: 1 << 40, Batch: 300}},
	{"DocKill", &DocKill{Cursors: []uint64{1, 1 << 40}}},
	{"DocExplain", &DocExplain{Op: OpDocFind, Execute: true, Body: (&DocFind{Name: people}).Append(nil)}},
	{"DocInsert", &DocInsert{Name: people, Docs: [][]byte{document}}},
	{"DocInsert/unordered", &DocInsert{Name: people, Flags: DocUnordered, Docs: [][]byte{document, document}}},
	{"DocUpdate", &DocUpdate{Name: people, Flags: DocMulti, Filter: document, Update: document, ArrayFilters: none, Hint: none, Sort: none, Project: none}},
	{"DocUpdate/all", &DocUpdate{
		Name: people, Flags: DocUpsert | DocReturnNew, Filter: document, Update: document, ArrayFilters: document, Hint: byName.Name, Sort: document, Project: document,
	}},
	{"DocWrite", &DocWrite{Writes: []DocWriteOp{
		{Op: OpDocInsert, DocUpdate: DocUpdate{Name: people, Filter: none, Update: document, ArrayFilters: none, Hint: none, Sort: none, Project: none}},
		{Op: OpDocDelete, DocUpdate: DocUpdate{Name: pets, Filter: document, Update: none, ArrayFilters: none, Hint: none, Sort: none, Project: none}},
	}}},
	{"DocTxn", &DocTxn{Txn: 1 << 40}},
	{"DocIn", &DocIn{Txn: 300, Op: OpDocFind, Body: (&DocFind{Name: people}).Append(nil)}},
	{"DocWatch", &DocWatch{Name: people}},
	{"DocWatch/database", &DocWatch{Name: DocName{DB: people.DB, Coll: none}, Rev: 300, Event: 2}},
	{"DocFeed", &DocFeed{Name: people, Off: true}},
	{"DocTrim", &DocTrim{Before: 1_900_000_000_000, Bytes: 1 << 30, Limit: 300}},
	{"DocResult", &results},
	{"DocModified", &DocModified{Result: DocResult{Matched: 1, Modified: 1, IDs: []DocID{}, Errors: []DocError{}}, Doc: document}},
	{"DocApply", &DocApply{
		Mode: DocIndividual, Return: DocReturnAfter, Targets: []DocName{people, pets},
		Programs: []DocProgram{{Filter: document, Update: document, ArrayFilters: none}, {Filter: none, Update: none, ArrayFilters: document}},
		Changes: []DocChange{
			{Kind: DocChangeInsert, Doc: document},
			{Kind: DocChangePut, Target: 1, ID: docID, Version: 300, Doc: document},
			{Kind: DocChangeUpdate, ID: docID, Program: 1},
			{Kind: DocChangeUpsert, ID: docID},
			{Kind: DocChangeRemove, ID: docID, Version: 300},
			{Kind: DocChangeDelete, Target: 1, ID: docID, Program: 1},
		},
	}},
}

// docLists are the golden lists.
var docLists = []struct {
	name string
	body []byte
}{
	{"collections", AppendDocCollectionInfo(nil, &DocCollectionInfo{Name: people, ID: 1024, Created: 1_900_000_000_000, Documents: 300, Bytes: 1 << 30, Indexes: 2})},
	{"indexes", AppendDocIndexInfo(
		AppendDocIndexInfo(nil, &DocIndexInfo{Spec: byName, ID: 1025, State: DocIndexBuilding, Multikey: true, Entries: 300, Seen: 299}),
		&DocIndexInfo{Spec: byAge, ID: 1026, State: DocIndexFailed, Reason: []byte("why")},
	)},
	{"events", AppendDocEvent(
		AppendDocEvent(nil, &DocEvent{Kind: DocEventUpdate, Rev: 300, Event: 1, Time: 1_900_000_000_000, Name: people, ID: docID, Doc: document}),
		&DocEvent{Kind: DocEventDrop, Rev: 300, Event: 2, Time: 1_900_000_000_000, Name: pets},
	)},
}

func TestTheBytesOfDocumentsAreThoseOfTheirGoldenFile(t *testing.T) {
	const path = "testdata/document.txt"
	var b strings.Builder
	for _, p := range docPayloads {
		fmt.Fprintf(&b, "payload %s %x\n", p.name, p.m.Append(nil))
	}
	for _, l := range docLists {
		fmt.Fprintf(&b, "list %s %x\n", l.name, l.body)
	}
	if *rewrite {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
	lines := map[string][]byte{}
	for line := range strings.Lines(string(want)) {
		f := strings.Fields(line)
		if lines[f[0]+" "+f[1]], err = hex.DecodeString(f[2]); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range docPayloads {
		m := reflect.New(reflect.TypeOf(p.m).Elem()).Interface().(message) // it is one of them
		if err := m.Decode(lines["payload "+p.name]); err != nil || fmt.Sprintf("%+v", m) != fmt.Sprintf("%+v", p.m) {
			t.Errorf("%s: got %+v, want %+v (%v)", p.name, m, p.m, err)
		}
	}
}

func TestListsOfTheDocumentEngineAreReadAsTheyWereWritten(t *testing.T) {
	r := NewReader(docLists[1].body)
	var i DocIndexInfo
	TakeDocIndexInfo(&r, &i)
	if i.ID != 1025 || i.State != DocIndexBuilding || !i.Multikey || i.Entries != 300 || len(i.Spec.Fields) != 2 || !i.Spec.Fields[1].Desc {
		t.Errorf("%+v", i)
	}
	TakeDocIndexInfo(&r, &i)
	if err := r.Close(); err != nil || i.ID != 1026 || i.Multikey || string(i.Reason) != "why" || i.Spec.TTL != 3600 || !bytes.Equal(i.Spec.Partial, document) || len(i.Spec.Fields) != 1 {
		t.Errorf("%+v %v", i, err)
	}
	r = NewReader(docLists[0].body)
	var c DocCollectionInfo
	TakeDocCollectionInfo(&r, &c)
	if err := r.Close(); err != nil || string(c.Name.Coll) != "people" || c.Documents != 300 || c.Bytes != 1<<30 || c.Indexes != 2 || c.ID != 1024 {
		t.Errorf("%+v %v", c, err)
	}
	r = NewReader(docLists[2].body)
	var ev DocEvent
	TakeDocEvent(&r, &ev)
	if ev.Kind != DocEventUpdate || ev.Rev != 300 || ev.Event != 1 || ev.Time != 1_900_000_000_000 || string(ev.Name.Coll) != "people" || !bytes.Equal(ev.ID, docID) || !bytes.Equal(ev.Doc, document) {
		t.Errorf("%+v", ev)
	}
	TakeDocEvent(&r, &ev)
	if err := r.Close(); err != nil || ev.Kind != DocEventDrop || ev.Event != 2 || string(ev.Name.Coll) != "pets.all" || len(ev.ID) != 0 || len(ev.Doc) != 0 {
		t.Errorf("%+v %v", ev, err)
	}
	e := results.Errors[0].Err()
	if e, ok := errors.AsType[*Error](e); !ok || e.Code != Exists || e.Sub != 11000 {
		t.Error(e)
	}
}

func TestATruncatedPayloadOfTheDocumentEngineIsRefused(t *testing.T) {
	for _, p := range docPayloads {
		full := p.m.Append(nil)
		m := reflect.New(reflect.TypeOf(p.m).Elem()).Interface().(message) // it is one of them
		for n := range full {
			if err := m.Decode(full[:n]); err == nil && !bytes.Equal(m.Append(nil), full[:n]) {
				t.Errorf("%s: %d of %d bytes were taken for %+v", p.name, n, len(full), m)
			}
		}
	}
}

func TestAWriteThatPointsBesideItsTablesIsRefused(t *testing.T) {
	for says, m := range map[string]*DocApply{
		"collection 1 of 1":  {Targets: []DocName{people}, Changes: []DocChange{{Kind: DocChangeInsert, Target: 1}}},
		"program 0 of 0":     {Targets: []DocName{people}, Changes: []DocChange{{Kind: DocChangeDelete}}},
		"no write of kind 0": {Targets: []DocName{people}, Changes: []DocChange{{}}},
		"no write of kind 7": {Targets: []DocName{people}, Changes: []DocChange{{Kind: 7}}},
		"limit of 10000":     {Changes: make([]DocChange, MaxBatch+1)},
		"limit of 1000":      {Targets: make([]DocName, MaxDocTargets+1)},
	} {
		if err := new(DocApply).Decode(m.Append(nil)); err == nil || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v", says, err)
		}
	}
}

func TestNamesOfCollectionsAreMongoDBs(t *testing.T) {
	long := strings.Repeat("n", MaxDocCollection)
	for _, good := range [][2]string{{"default", "people"}, {"a-b_c", "a.b c/ü:*"}, {strings.Repeat("d", MaxDocDatabase), long}} {
		if err := (&DocName{DB: []byte(good[0]), Coll: []byte(good[1])}).Check(); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for _, bad := range [][3]string{
		{"", "c", "empty"},
		{"d", "", "empty"},
		{"a.b", "c", "database"},
		{"a b", "c", "space"},
		{"d", "a$b", "$"},
		{"d", "a\x00", "NUL"},
		{"d", ".a", "dot"},
		{"d", "a.", "dot"},
		{"d", "system.users", "system."},
		{"d", long + "n", "201 bytes is over the limit of 200"},
		{strings.Repeat("d", 64), "c", "64 bytes is over the limit of 63"},
	} {
		err := (&DocName{DB: []byte(bad[0]), Coll: []byte(bad[1])}).Check()
		e, ok := errors.AsType[*Error](err)
		if !ok || e.Code != Invalid || e.Sub != DocInvalidNamespace || !strings.Contains(err.Error(), bad[2]) {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

// FuzzDocuments does for the payloads of the document engine what FuzzPayloads does for the others.
func FuzzDocuments(f *testing.F) {
	for i, p := range docPayloads {
		f.Add(uint8(i), p.m.Append(nil))
	}
	for i, l := range docLists {
		f.Add(uint8(len(docPayloads)+i), l.body)
	}
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		for _, take := range []func(*Reader){
			func(r *Reader) { TakeDocIndexInfo(r, new(DocIndexInfo)) }, func(r *Reader) { TakeDocCollectionInfo(r, new(DocCollectionInfo)) }, func(r *Reader) { TakeDocError(r) },
		} {
			for r := NewReader(b); r.Err() == nil && r.Len() > 0; {
				before := r.Len()
				if take(&r); r.Err() == nil && r.Len() >= before {
					t.Fatal("an element of no bytes")
				}
			}
		}
		p := docPayloads[int(which)%len(docPayloads)]
		m := reflect.New(reflect.TypeOf(p.m).Elem()).Interface().(message) // it is one of them
		if m.Decode(b) != nil {
			return
		}
		again := reflect.New(reflect.TypeOf(p.m).Elem()).Interface().(message) // the same
		once := m.Append(nil)
		if err := again.Decode(once); err != nil || !bytes.Equal(again.Append(nil), once) {
			t.Fatalf("%s: %+v, then %+v: %v", p.name, m, again, err)
		}
	})
}
