package systest

import (
	coding "encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/skshohagmiah/flin/clients/go"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// docCanary makes a collection with documents and indexes that what follows must not harm. It returns the check that it did not.
func docCanary(t *testing.T, db *flin.DB, coll string) (unharmed func()) {
	t.Helper()
	docs := []flin.Document{
		{"_id": int32(1), "a": int32(1), "s": "text", "tags": []any{"x", "y"}, "u": "one"},
		{"_id": int32(2), "a": int32(2), "s": "more", "tags": []any{}, "u": "two", "deep": flin.Document{"b": int32(5)}},
	}
	if _, err := db.InsertMany(coll, docs); err != nil {
		t.Fatal(err)
	}
	for fields, opts := range map[string][]flin.IndexOption{"a": nil, "u": {flin.Unique()}, "tags": nil} {
		if _, err := db.CreateIndex(coll, []string{fields}, opts...); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		t.Helper()
		sameDocs(t, "all of "+coll, db.Query(coll), docs)
		verifyIndexes(t, db, coll, docs)
		if list, err := db.Indexes(coll); err != nil || len(list) != 4 {
			t.Errorf("there are %d indexes: %v", len(list), err)
		}
		if n, err := db.Query(coll).Hint("u_1").Count(); err != nil || n != 2 {
			t.Errorf("%d documents are counted: %v", n, err)
		}
	}
}

// mongoDenial is a request that must be refused with MongoDB's code.
type mongoDenial struct {
	name string
	call func() error
	is   error
	code uint32
	says []string
}

func refuseAsMongoDB(t *testing.T, all []mongoDenial) {
	t.Helper()
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			err := c.call()
			e, ok := errors.AsType[*flin.Error](err)
			if !ok || !errors.Is(err, c.is) || e.Sub != c.code {
				t.Fatalf("it is answered %v (%#v), not %v with code %d", err, e, c.is, c.code)
			}
			says(t, err.Error(), c.says...)
		})
	}
}

// nested is a document of so many levels.
func nested(levels int) flin.RawDocument {
	var doc []byte
	for i := levels - 1; i > 0; i-- {
		doc = append(coding.LittleEndian.AppendUint32(doc, uint32(5+8*i)), byte(bson.TypeEmbeddedDocument), 'a', 0)
	}
	return append(append(doc, 5, 0, 0, 0, 0), make([]byte, levels-1)...)
}

// sized is a document of so many bytes.
func sized(id int32, n int) flin.Document {
	doc := flin.Document{"_id": id, "key": int32(1000 - id), "p": ""}
	b, err := bson.Marshal(doc)
	if err != nil {
		panic(err) // it is the test's own
	}
	doc["p"] = strings.Repeat("p", n-len(b))
	return doc
}

// Documents that may not be stored are refused with MongoDB's codes, and nothing happens.
func TestBadDocumentsAreRefused(t *testing.T) {
	s := start(t)
	client := newClient(t, s.addrs())
	db := client.DB
	unharmed := docCanary(t, db, "c")
	insert := func(doc any) func() error {
		return func() error { _, err := db.Insert("c", doc); return err }
	}
	raw := func(b ...byte) flin.RawDocument { return b }
	refuseAsMongoDB(t, []mongoDenial{
		{"an _id that is there", insert(flin.Document{"_id": 1}), flin.ErrExists, 11000, []string{"E11000", "default.c", "_id_", "1"}},
		{"an _id that is there as another type", insert(flin.Document{"_id": 1.0}), flin.ErrExists, 11000, []string{"_id_"}},
		{"a key of a unique index", insert(flin.Document{"_id": 3, "u": "two"}), flin.ErrExists, 11000, []string{"E11000", "u_1", `"two"`}},
		{"an array as _id", insert(flin.Document{"_id": []any{1}}), flin.ErrInvalid, 53, []string{"_id"}},
		{"an expression as _id", insert(flin.Document{"_id": bson.Regex{Pattern: "x"}}), flin.ErrInvalid, 53, []string{"_id"}},
		{"a dollar in _id", insert(flin.Document{"_id": flin.Document{"$a": 1}}), flin.ErrInvalid, 52, []string{"$a"}},
		{"a long _id", insert(flin.Document{"_id": strings.Repeat("x", 17_000)}), flin.ErrTooLarge, wire.DocKeyTooLong, []string{"_id", "16000"}},
		{"a long key", insert(flin.Document{"u": strings.Repeat("x", 50_000)}), flin.ErrTooLarge, wire.DocKeyTooLong, []string{"u_1", "48000"}},
		{"a dollar in front", insert(flin.Document{"$set": 1}), flin.ErrInvalid, 52, []string{"$set"}},
		{"too many levels", insert(nested(wire.MaxDocDepth + 2)), flin.ErrInvalid, 15, []string{"100"}},
		{"very many levels", insert(nested(100_000)), flin.ErrInvalid, 15, []string{"100"}},
		{"too many bytes", insert(sized(9, wire.MaxDocument+1)), flin.ErrTooLarge, 10334, []string{"16777217", "16777216"}},
		{"no document", insert(raw(5, 0, 0, 0, 1)), flin.ErrInvalid, 22, nil},
		{"a document that ends too early", insert(raw(12, 0, 0, 0, 0x10, 'a', 0, 1, 0, 0, 0, 1)), flin.ErrInvalid, 22, nil},
		{"an unknown type", insert(raw(9, 0, 0, 0, 0x77, 'a', 0, 1, 0)), flin.ErrInvalid, 22, nil},
		{"a string that says it is longer", insert(raw(14, 0, 0, 0, 2, 'a', 0, 0xff, 0xff, 0xff, 0x7f, 'x', 0, 0)), flin.ErrInvalid, 22, nil},
		{"a bool that is neither", insert(raw(9, 0, 0, 0, 8, 'a', 0, 7, 0)), flin.ErrInvalid, 22, nil},
		{"a collection of no name", func() error { _, err := db.Insert("", flin.Document{}); return err }, flin.ErrInvalid, wire.DocInvalidNamespace, []string{"empty"}},
		{"a dollar in the collection's name", func() error { _, err := db.Insert("a$b", flin.Document{}); return err }, flin.ErrInvalid, wire.DocInvalidNamespace, []string{"a$b"}},
		{"the server's own collection", func() error { _, err := db.Insert("system.users", flin.Document{}); return err }, flin.ErrInvalid, wire.DocInvalidNamespace, []string{"system."}},
		{"a long name", func() error { _, err := db.Insert(strings.Repeat("n", 201), flin.Document{}); return err }, flin.ErrInvalid, wire.DocInvalidNamespace, []string{"201", "200"}},
		{"a dot in the database's name", func() error { _, err := client.Database("a.b").Insert("c", flin.Document{}); return err }, flin.ErrInvalid, wire.DocInvalidNamespace, []string{"a.b"}},
		{"two of the same in a batch", func() error {
			_, err := db.Batch().Insert("c", flin.Document{"_id": 8}).Insert("c", flin.Document{"_id": 8}).Exec()
			return err
		}, flin.ErrExists, 11000, []string{"8"}},
		{"a batch that begins well", func() error {
			_, err := db.Batch().Insert("c", flin.Document{"_id": 8, "u": "eight"}).Update(db.Update("c").Where("_id", flin.Eq, 1).Set("a", 7)).
				Delete(db.Delete("c").Where("_id", flin.Eq, 2)).Insert("c", flin.Document{"u": "one"}).Exec()
			return err
		}, flin.ErrExists, 11000, []string{"u_1"}},
	})
	unharmed()
	_, err := db.InsertMany("many", []flin.Document{{"_id": 1}, {"_id": 2}, {"_id": 1}, {"$a": 1}, {"_id": 3}}, flin.Unordered())
	some, ok := errors.AsType[*flin.BulkError](err)
	if !ok || some.Inserted != 3 || len(some.Errors) != 2 || some.Errors[0].Index != 2 || some.Errors[0].Err.Sub != 11000 || some.Errors[1].Index != 3 || some.Errors[1].Err.Sub != 52 {
		t.Errorf("of five documents, two of them bad: %+v, %v", some, err)
	}
	legal := []flin.Document{
		{"_id": "dots", "a.b": int32(1), "c": flin.Document{"$d.e": int32(2), "": int32(3)}},
		{"_id": "levels", "a": flin.Document{"b": []any{flin.Document{"c": []any{[]any{"d"}}}}}},
		sized(16, wire.MaxDocument),
	}
	for _, doc := range legal {
		if _, err := db.Insert("legal", doc); err != nil {
			t.Errorf("%.80v: %v", doc, err)
		}
	}
	if _, err := db.Insert("deepest", nested(wire.MaxDocDepth)); err != nil {
		t.Errorf("a document of %d levels: %v", wire.MaxDocDepth, err)
	}
	s.kill()
	s.launch()
	sameDocs(t, "what may be stored", db.Query("legal"), legal)
	unharmed()
	stillServes(t, s)
	s.kill()
	verifyStopped(t, s)
}

// Filters, updates, pipelines and indexes that make no sense are refused with MongoDB's codes, and nothing happens.
func TestBadDocumentRequestsAreRefused(t *testing.T) {
	s := start(t)
	db := newClient(t, s.addrs()).DB
	unharmed := docCanary(t, db, "c")
	find := func(filter string) func() error {
		return func() error {
			_, err := db.Query("c").Filter(flin.FilterDoc(extended(t, filter))).Exec()
			return err
		}
	}
	update := func(filter, update string) func() error {
		return func() error {
			_, err := db.Update("c").Filter(flin.FilterDoc(extended(t, filter))).Doc(extended(t, update)).Exec()
			return err
		}
	}
	aggregate := func(pipeline string) func() error {
		return func() error {
			stages := extended(t, `{"p": `+pipeline+`}`)[0].Value
			for _, err := range db.Aggregate("c", stages) {
				return err
			}
			return nil
		}
	}
	index := func(fields []string, opts ...flin.IndexOption) func() error {
		return func() error { _, err := db.CreateIndex("c", fields, opts...); return err }
	}
	bomb := strings.Repeat("(a{0,1000}){0,1000}", 3)
	refuseAsMongoDB(t, []mongoDenial{
		{"an unknown operator", find(`{"a": {"$foo": 1}}`), flin.ErrInvalid, 2, []string{"$foo"}},
		{"an unknown operator at the top", find(`{"$foo": [1]}`), flin.ErrInvalid, 2, []string{"$foo"}},
		{"an unknown operator on _id", find(`{"_id": {"$foo": 1}}`), flin.ErrInvalid, 2, []string{"$foo"}},
		{"an $and of nothing", find(`{"$and": []}`), flin.ErrInvalid, 2, []string{"$and"}},
		{"an $in without an array", find(`{"a": {"$in": 5}}`), flin.ErrInvalid, 2, []string{"$in"}},
		{"a $size of a text", find(`{"tags": {"$size": "x"}}`), flin.ErrInvalid, 2, []string{"$size"}},
		{"an expression that is none", find(`{"s": {"$regex": "(a"}}`), flin.ErrInvalid, 51091, nil},
		{"an expression that looks back", find(`{"s": {"$regex": "(a)\\1"}}`), flin.ErrInvalid, 51091, nil},
		{"an expression that looks ahead", find(`{"s": {"$regex": "a(?=b)"}}`), flin.ErrInvalid, 51091, nil},
		{"an expression that explodes", find(`{"s": {"$regex": "` + bomb + `"}}`), flin.ErrInvalid, 51091, nil},
		{"a filter of many levels", func() error { _, err := db.Query("c").Filter(flin.FilterDoc(nested(500))).Exec(); return err }, flin.ErrInvalid, 15, []string{"100"}},
		{"a filter that is no document", func() error {
			_, err := db.Query("c").Filter(flin.FilterDoc(flin.RawDocument{6, 0, 0, 0, 9, 0})).Exec()
			return err
		}, flin.ErrInvalid, 22, nil},
		{"a projection of both kinds", func() error {
			_, err := db.Query("c").Project(flin.D{{Key: "a", Value: 1}, {Key: "s", Value: 0}}).Exec()
			return err
		}, flin.ErrInvalid, 31254, []string{"s"}},
		{"an index that is not there", func() error { _, err := db.Query("c").Hint("nothing").Exec(); return err }, flin.ErrInvalid, 2, []string{"nothing"}},
		{"another _id", update(`{"_id": 1}`, `{"$set": {"_id": 5}}`), flin.ErrInvalid, 66, []string{"_id"}},
		{"another _id by a replacement", update(`{"a": 1}`, `{"_id": 5, "a": 1}`), flin.ErrInvalid, 66, []string{"_id"}},
		{"no _id any more", update(`{"a": 1}`, `{"$unset": {"_id": ""}}`), flin.ErrInvalid, 66, []string{"_id"}},
		{"an unknown change", update(`{"a": 1}`, `{"$foo": {"b": 1}}`), flin.ErrInvalid, 9, []string{"$foo"}},
		{"an operator among fields", update(`{"a": 1}`, `{"b": 1, "$set": {"c": 1}}`), flin.ErrInvalid, 52, []string{"$set"}},
		{"a text that is counted up", update(`{"a": 1}`, `{"$inc": {"s": 1}}`), flin.ErrInvalid, 14, []string{"s"}},
		{"a text that is added", update(`{"a": 1}`, `{"$inc": {"a": "x"}}`), flin.ErrInvalid, 14, []string{"increment", "x"}},
		{"a push to a number", update(`{"a": 1}`, `{"$push": {"a": 1}}`), flin.ErrInvalid, 2, []string{"a"}},
		{"a path through a number", update(`{"a": 1}`, `{"$set": {"a.b": 1}}`), flin.ErrInvalid, 28, []string{"a"}},
		{"two changes of one field", update(`{"a": 1}`, `{"$set": {"b": 1}, "$inc": {"b": 1}}`), flin.ErrInvalid, 40, []string{"b"}},
		{"a field of no name", update(`{"a": 1}`, `{"$set": {"": 1}}`), flin.ErrInvalid, 56, nil},
		{"a place without a match", update(`{"a": 1}`, `{"$set": {"tags.$": 1}}`), flin.ErrInvalid, 2, []string{"positional"}},
		{"a filter of elements that is missing", update(`{"a": 1}`, `{"$set": {"tags.$[x]": 1}}`), flin.ErrInvalid, 2, []string{"x"}},
		{"a key that is another's", update(`{"a": 1}`, `{"$set": {"u": "two"}}`), flin.ErrExists, 11000, []string{"u_1"}},
		{"an upsert of a key that is another's", func() error {
			_, err := db.Update("c").Where("a", flin.Eq, 9).Upsert().Set("u", "two").Exec()
			return err
		}, flin.ErrExists, 11000, []string{"u_1"}},
		{"a document that grows too large", update(`{"a": 1}`, `{"$set": {"p": "`+strings.Repeat("p", 9<<20)+`", "q": "`+strings.Repeat("q", 8<<20)+`"}}`), flin.ErrTooLarge, 10334, []string{"16777216"}},
		{"an unknown stage", aggregate(`[{"$foo": {}}]`), flin.ErrUnsupported, 40324, []string{"$foo"}},
		{"an unknown accumulator", aggregate(`[{"$group": {"_id": null, "n": {"$foo": 1}}}]`), flin.ErrInvalid, 15952, []string{"$foo"}},
		{"a group without _id", aggregate(`[{"$group": {"n": {"$sum": 1}}}]`), flin.ErrInvalid, 15955, []string{"_id"}},
		{"a limit of nothing", aggregate(`[{"$limit": 0}]`), flin.ErrInvalid, 15958, []string{"limit"}},
		{"a stage of two", aggregate(`[{"$limit": 1, "$skip": 1}]`), flin.ErrInvalid, 40323, nil},
		{"a division by nothing", aggregate(`[{"$project": {"x": {"$divide": [1, 0]}}}]`), flin.ErrInvalid, 2, []string{"zero"}},
		{"an index of nothing", index(nil), flin.ErrInvalid, 67, nil},
		{"an index of no name", index([]string{""}), flin.ErrInvalid, 67, nil},
		{"an index of too many fields", index(manyFields(wire.MaxDocIndexFields + 1)), flin.ErrInvalid, 67, []string{"33", "32", "fields"}},
		{"an index of a dollar", index([]string{"$a"}), flin.ErrInvalid, 67, []string{"$a"}},
		{"an index of one field twice", index([]string{"b", "-b"}), flin.ErrInvalid, 67, []string{"b"}},
		{"an index that expires by two fields", index([]string{"b", "d"}, flin.TTL(1)), flin.ErrInvalid, 67, nil},
		{"an index of a bad part", index([]string{"b"}, flin.Partial(flin.FilterDoc(flin.Document{"a": flin.Document{"$foo": 1}}))), flin.ErrInvalid, 2, []string{"$foo"}},
		{"an index sparse and partial", index([]string{"b"}, flin.Sparse(), flin.Partial(flin.Where("a", flin.Gt, 1))), flin.ErrInvalid, 67, nil},
		{"an index that is there, with other options", index([]string{"a"}, flin.Unique()), flin.ErrExists, wire.DocIndexKeySpecs, []string{"a_1"}},
		{"an index that is there under another name", index([]string{"a"}, flin.IndexName("other")), flin.ErrExists, wire.DocIndexOptions, []string{"a_1"}},
		{"a name that is another's", index([]string{"b"}, flin.IndexName("a_1")), flin.ErrExists, wire.DocIndexKeySpecs, []string{"a_1"}},
		{"no such index to drop", func() error { return db.DropIndex("c", "nothing") }, flin.ErrNotFound, 27, []string{"nothing"}},
		{"the index of _id", func() error { return db.DropIndex("c", "_id_") }, flin.ErrInvalid, 72, []string{"_id"}},
		{"no such collection", func() error { _, err := db.Stats("nothing"); return err }, flin.ErrNotFound, 26, []string{"nothing"}},
	})
	unharmed()
	s.kill()
	s.launch()
	unharmed()
	stillServes(t, s)
}

// manyFields are the names of so many fields.
func manyFields(n int) (fields []string) {
	for i := range n {
		fields = append(fields, fmt.Sprint("f", i))
	}
	return fields
}
