package flin

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// IndexOption is a property of an index.
type IndexOption interface{ index(m *indexSpec) }

// indexSpec is an index to be made.
type indexSpec struct {
	wire.DocIndexSpec
	err error
}

type indexFunc func(m *indexSpec)

func (f indexFunc) index(m *indexSpec) { f(m) }

// Unique makes an index refuse a document that has a key in common with another; a field that is missing counts as null.
func Unique() IndexOption {
	return indexFunc(func(m *indexSpec) { m.Flags |= wire.DocIndexUnique })
}

// Sparse leaves documents out of an index that have none of its fields.
func Sparse() IndexOption {
	return indexFunc(func(m *indexSpec) { m.Flags |= wire.DocIndexSparse })
}

// Partial leaves documents out of an index that do not meet all of the conditions.
func Partial(conditions ...Condition) IndexOption {
	return indexFunc(func(m *indexSpec) {
		m.Flags |= wire.DocIndexPartial
		filter, err := appendFilter(nil, conditions)
		if m.Partial = filter; err != nil {
			m.err = err
		}
	})
}

// IndexName names an index; without it the name is made of the fields, as in status_1_created_-1.
func IndexName(name string) IndexOption {
	return indexFunc(func(m *indexSpec) { m.Name = []byte(name) })
}

// index makes documents go so long after the date in the index's only field, to the second.
func (t TTLOption) index(m *indexSpec) {
	m.Flags |= wire.DocIndexTTL
	m.TTL = uint64(max(t.d, 0) / time.Second)
}

// CreateIndex makes an index of fields, of which those that are written behind a minus descend, and returns its name. The collection is
// made if it is not there. One that is there just so is no error; the name or the fields of another one are ErrExists.
//
//	name, err := client.DB.CreateIndex("users", []string{"status", "-created_at"}, flin.Unique())
//
// Writes go on while an index is built. CreateIndex returns when it is ready, or with the reason why it cannot be, such as
// ErrExists for two documents with the same key in a unique one. It waits as long as that takes, unless its context ends before.
func (db *DB) CreateIndex(coll string, fields []string, opts ...IndexOption) (string, error) {
	var spec indexSpec
	for _, f := range fields {
		path, desc := strings.CutPrefix(f, "-")
		spec.Fields = append(spec.Fields, wire.DocIndexField{Path: []byte(path), Desc: desc})
	}
	for _, o := range opts {
		o.index(&spec)
	}
	if spec.err != nil {
		return "", spec.err
	}
	m := &wire.DocIndex{Name: db.docName(coll), Spec: spec.DocIndexSpec}
	for {
		resp, err := db.ask(wire.OpDocIndex, repeats, m)
		if err == nil {
			return string(resp.Body), nil
		}
		late := errors.Is(err, ErrTimeout) || errors.Is(err, ErrOutcomeUnknown)
		if !late || db.client.ctx.Err() != nil || !db.building(coll, &m.Spec) {
			return "", err
		}
	}
}

// building reports whether an index is being built.
func (db *DB) building(coll string, spec *wire.DocIndexSpec) bool {
	name := indexName(spec)
	list, err := db.Indexes(coll)
	return err == nil && slices.ContainsFunc(list, func(i IndexInfo) bool { return i.Name == name && i.State == IndexBuilding })
}

// indexName returns the name that an index has.
func indexName(spec *wire.DocIndexSpec) string {
	if len(spec.Name) > 0 {
		return string(spec.Name)
	}
	var b strings.Builder
	for i, f := range spec.Fields {
		if i > 0 {
			b.WriteByte('_')
		}
		b.Write(f.Path)
		if f.Desc {
			b.WriteString("_-1")
		} else {
			b.WriteString("_1")
		}
	}
	return b.String()
}

// DropIndex removes an index by its name, or with * all but that of _id; ErrNotFound if there is none.
func (db *DB) DropIndex(coll, name string) error {
	_, err := db.ask(wire.OpDocDropIndex, once, &wire.DocDropIndex{Name: db.docName(coll), Index: []byte(name)})
	return err
}

// IndexState says how far an index is.
type IndexState = wire.DocIndexState

// The states of an index.
const (
	IndexReady    = wire.DocIndexReady
	IndexBuilding = wire.DocIndexBuilding
	IndexFailed   = wire.DocIndexFailed // IndexInfo.Reason says why; it can only be dropped or made anew
)

// IndexInfo is what is known of an index.
type IndexInfo struct {
	Name     string
	Fields   []string // those that descend behind a minus
	Unique   bool
	Sparse   bool
	Expires  bool          // documents go TTL after the date in the field
	TTL      time.Duration // with Expires
	Partial  Document      // nil: all documents are in it
	State    IndexState
	Multikey bool   // a document has had several keys in it
	Entries  int64  // keys of all documents
	Seen     int64  // of a build: documents that have been gone through
	Reason   string // of a failed one
}

// Indexes returns the indexes of a collection, that of _id first; ErrNotFound if there is no such collection.
func (db *DB) Indexes(coll string) ([]IndexInfo, error) {
	name := db.docName(coll)
	resp, err := db.ask(wire.OpDocIndexes, reads, &name)
	if err != nil {
		return nil, err
	}
	var list []IndexInfo
	r := wire.NewReader(resp.Body)
	for r.Len() > 0 {
		info, err := takeIndexInfo(&r)
		if err != nil {
			return nil, badAnswer(wire.OpDocIndexes, err)
		}
		list = append(list, info)
	}
	return list, nil
}

func takeIndexInfo(r *wire.Reader) (info IndexInfo, err error) {
	var m wire.DocIndexInfo
	if wire.TakeDocIndexInfo(r, &m); r.Err() != nil {
		return info, r.Err()
	}
	flags := m.Spec.Flags
	info = IndexInfo{
		Name: string(m.Spec.Name), Unique: flags&wire.DocIndexUnique != 0, Sparse: flags&wire.DocIndexSparse != 0,
		Expires: flags&wire.DocIndexTTL != 0, TTL: time.Duration(min(m.Spec.TTL, wire.MaxDocTTL)) * time.Second, State: m.State,
		Multikey: m.Multikey, Entries: int64(m.Entries), Seen: int64(m.Seen), Reason: string(m.Reason),
	}
	for _, f := range m.Spec.Fields {
		path := string(f.Path)
		if f.Desc {
			path = "-" + path
		}
		info.Fields = append(info.Fields, path)
	}
	if flags&wire.DocIndexPartial != 0 {
		var d decoder
		info.Partial, err = d.document(m.Spec.Partial, 0)
	}
	return info, err
}
