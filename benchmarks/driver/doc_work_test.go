package driver

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/skshohagmiah/flin/benchmarks/load"
)

// memoryDocs is a collection in memory that can be told to do wrong.
type memoryDocs struct {
	mu     sync.Mutex
	byID   map[string]Document
	byUID  map[int64]string
	lose   bool // one document is acknowledged and not kept
	mangle bool // what is found is not as it was inserted
	stingy bool // less is found than there is
	mixed  bool // a range is in no order
}

func newMemoryDocs() *memoryDocs {
	return &memoryDocs{byID: map[string]Document{}, byUID: map[int64]string{}}
}

func (m *memoryDocs) Index(string) error { return nil }

func (m *memoryDocs) Insert(d *Document) error { return m.InsertMany([]Document{*d}) }

func (m *memoryDocs) InsertMany(list []Document) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, d := range list {
		if _, ok := m.byID[d.ID]; ok {
			return fmt.Errorf("document %q is there already", d.ID)
		}
		if m.lose {
			m.lose = false
			continue
		}
		m.byID[d.ID], m.byUID[d.UID] = d, d.ID
	}
	return nil
}

func (m *memoryDocs) FindID(id string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, ok := m.byID[id]
	if !ok {
		return nil, &MissingError{id}
	}
	return m.travel(d)
}

// travel returns a document as it is found.
func (m *memoryDocs) travel(d Document) ([]byte, error) {
	if m.mangle {
		d.Score++
	}
	if m.stingy {
		d.Text = ""
	}
	return json.Marshal(d)
}

func (m *memoryDocs) FindUID(uid int64) ([]byte, error) {
	m.mu.Lock()
	id, ok := m.byUID[uid]
	m.mu.Unlock()
	if !ok {
		return nil, missingUID(uid)
	}
	return m.FindID(id)
}

func (m *memoryDocs) Range(from, to int64, n int) (list [][]byte, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	var found []Document
	for _, d := range m.byID {
		if d.Rank >= from && d.Rank < to {
			found = append(found, d)
		}
	}
	slices.SortFunc(found, func(a, b Document) int { return cmp.Compare(a.Rank, b.Rank) })
	if m.mixed {
		slices.Reverse(found)
	}
	if m.stingy {
		n--
	}
	for _, d := range found[:min(n, len(found))] {
		raw, err := json.Marshal(d)
		if err != nil {
			return nil, err
		}
		list = append(list, raw)
	}
	return list, nil
}

func (m *memoryDocs) UpdateUID(uid, visits int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, ok := m.byID[m.byUID[uid]]
	if !ok {
		return missingUID(uid)
	}
	d.Visits = visits
	m.byID[d.ID] = d
	return nil
}

func (m *memoryDocs) DeleteID(id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	d, ok := m.byID[id]
	if !ok {
		return &MissingError{id}
	}
	delete(m.byID, id)
	delete(m.byUID, d.UID)
	return nil
}

func (m *memoryDocs) Count() (uint64, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return uint64(len(m.byID)), nil
}

func (m *memoryDocs) Decode(raw []byte) (d Document, err error) {
	err = json.Unmarshal(raw, &d)
	return d, err
}

func (m *memoryDocs) Close() error { return nil }

func newDocWork(t *testing.T, docs Docs) *DocWork {
	t.Helper()
	maker, err := NewDocuments(1, 1024)
	if err != nil {
		t.Fatal(err)
	}
	return &DocWork{Docs: docs, Make: maker}
}

func TestDocumentsAreOfTheirSizeAndNeverAlike(t *testing.T) {
	for _, size := range []int{MinDocument, MinDocument + 1, 1024, 4096} {
		maker, err := NewDocuments(1, size)
		if err != nil {
			t.Fatal(err)
		}
		uids, ranks, texts := map[int64]bool{}, map[int64]bool{}, map[string]bool{}
		const n = 5000
		var buf []byte
		var sum float64
		for i := range uint64(n) {
			var d Document
			d, buf = maker.Make(buf, i)
			raw, err := bson.Marshal(d.fields())
			if err != nil || len(raw) != size {
				t.Fatalf("document %d of size %d has %d bytes: %v", i, size, len(raw), err)
			}
			var back Document
			if err := bson.Unmarshal(raw, &back); err != nil || back != d {
				t.Fatalf("document %+v is read as %+v: %v", d, back, err)
			}
			var uid int64
			if uid, buf = maker.UID(buf, i); uid != d.UID || uid < 0 || d.Rank < 0 {
				t.Fatalf("document %d has uid %d or %d, rank %d", i, uid, d.UID, d.Rank)
			}
			uids[d.UID], ranks[d.Rank], texts[d.Name+d.Email] = true, true, true
			sum += float64(d.Rank) / (1 << 63)
		}
		if len(uids) != n || len(ranks) != n || len(texts) != n {
			t.Errorf("of %d documents %d uids, %d ranks and %d strings differ", n, len(uids), len(ranks), len(texts))
		}
		if mean := sum / n; mean < .45 || mean > .55 {
			t.Errorf("ranks do not lie evenly: their mean is at %v", mean)
		}
	}
	if _, err := NewDocuments(1, MinDocument-1); err == nil {
		t.Error("a document is smaller than its fields")
	}
}

func TestDocumentsAreInsertedFoundChangedAndDeletedOnce(t *testing.T) {
	docs := newMemoryDocs()
	w := newDocWork(t, docs)
	for _, op := range []func(*load.Worker) load.Op{w.Fill(100, 900), times(20, w.Insert())} {
		if _, err := load.Run(t.Context(), load.Config{Workers: 5, Op: op}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.CheckCount(); err != nil || w.Inserted() != 1000 {
		t.Fatalf("%d documents are inserted: %v", w.Inserted(), err)
	}
	for name, op := range map[string]func(*load.Worker) load.Op{"_id": w.FindID(), "uid": w.FindUID(), "update": w.UpdateUID(), "range": w.Range()} {
		if res, err := run(t, op); err != nil || res.Keys != 1000 {
			t.Errorf("%s: %d calls, %v", name, res.Keys, err)
		}
	}
	changed := 0
	for _, d := range docs.byID {
		if d.Visits != 0 {
			changed++
		}
	}
	if changed < 500 {
		t.Errorf("1000 updates at random have changed %d documents of 1000", changed)
	}
	if _, err := run(t, w.FindUID()); err != nil {
		t.Errorf("after updates: %v", err)
	}
	res, err := load.Run(t.Context(), load.Config{Workers: 5, Op: w.DeleteID()})
	if err != nil || res.Keys != 1000 || len(docs.byID) != 0 {
		t.Errorf("%d of 1000 are deleted, %d are left: %v", res.Keys, len(docs.byID), err)
	}
	if err := w.CheckCount(); err != nil {
		t.Error(err)
	}
}

func TestACollectionThatDoesWrongFailsTheRun(t *testing.T) {
	finds := func(w *DocWork) []func(*load.Worker) load.Op {
		return []func(*load.Worker) load.Op{w.FindID(), w.FindUID()}
	}
	ranges := func(w *DocWork) []func(*load.Worker) load.Op { return []func(*load.Worker) load.Op{w.Range()} }
	for says, c := range map[string]struct {
		spoil func(*memoryDocs)
		ops   func(*DocWork) []func(*load.Worker) load.Op
	}{
		"is not as it was inserted": {func(m *memoryDocs) { m.mangle = true }, finds},
		"its strings alone have":    {func(m *memoryDocs) { m.stingy = true }, finds},
		"9 documents came":          {func(m *memoryDocs) { m.stingy = true }, ranges},
		"out of order":              {func(m *memoryDocs) { m.mixed = true }, ranges},
		"is missing": {func(m *memoryDocs) { clear(m.byID) }, func(w *DocWork) []func(*load.Worker) load.Op {
			return append(finds(w), w.UpdateUID(), w.DeleteID())
		}},
	} {
		docs := newMemoryDocs()
		w := newDocWork(t, docs)
		if _, err := load.Run(t.Context(), load.Config{Workers: 1, Op: w.Fill(100, 1000)}); err != nil {
			t.Fatal(err)
		}
		c.spoil(docs)
		for i, op := range c.ops(w) {
			if _, err := run(t, op); err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("operation %d: want %q, got %v", i, says, err)
			}
		}
	}
	docs := newMemoryDocs()
	docs.lose = true
	w := newDocWork(t, docs)
	if _, err := load.Run(t.Context(), load.Config{Workers: 1, Op: w.Fill(100, 1000)}); err != nil {
		t.Fatal(err)
	}
	if err := w.CheckCount(); err == nil || !strings.Contains(err.Error(), "the server has 999") {
		t.Errorf("a document was lost: %v", err)
	}
}
