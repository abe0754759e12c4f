package driver

import (
	"errors"
	"fmt"

	"go.mongodb.org/mongo-driver/v2/bson"

	flin "github.com/skshohagmiah/flin/clients/go"
)

// FlinDocs opens Flin's own client, left at its defaults.
func FlinDocs(addr string) (Docs, error) {
	opts := flin.DefaultOptions(addr)
	opts.Name = "benchmark"
	c, err := flin.NewClient(opts)
	if err != nil {
		return nil, err
	}
	if err := c.DB.CreateCollection(docsName); err != nil {
		_ = c.Close() // the first failure is what counts
		return nil, fmt.Errorf("make a collection on %s: %w", addr, err)
	}
	return &flinDocs{c: c, raw: flin.CollectionOf[flin.RawDocument](c.DB, docsName)}, nil
}

type flinDocs struct {
	c   *flin.Client
	raw *flin.Collection[flin.RawDocument]
}

func (f *flinDocs) Index(field string) error {
	_, err := f.c.DB.CreateIndex(docsName, []string{field})
	return err
}

// fields returns a document as the client takes it with the least work.
func (d *Document) fields() flin.D {
	return flin.D{
		{Key: "_id", Value: d.ID},
		{Key: "uid", Value: d.UID},
		{Key: "rank", Value: d.Rank},
		{Key: "visits", Value: d.Visits},
		{Key: "score", Value: d.Score},
		{Key: "active", Value: d.Active},
		{Key: "name", Value: d.Name},
		{Key: "email", Value: d.Email},
		{Key: "address", Value: d.Address},
		{Key: "text", Value: d.Text},
	}
}

func (f *flinDocs) Insert(d *Document) error {
	_, err := f.c.DB.Insert(docsName, d.fields())
	return err
}

func (f *flinDocs) InsertMany(list []Document) error {
	docs := make([]flin.D, len(list))
	for i := range list {
		docs[i] = list[i].fields()
	}
	_, err := f.c.DB.InsertMany(docsName, docs)
	return err
}

func (f *flinDocs) FindID(id string) ([]byte, error) {
	raw, err := f.raw.Get(id)
	if errors.Is(err, flin.ErrNotFound) {
		return nil, &MissingError{id}
	}
	return raw, err
}

func (f *flinDocs) FindUID(uid int64) ([]byte, error) {
	raw, err := f.raw.Query().Where(FieldUID, flin.Eq, uid).First()
	if errors.Is(err, flin.ErrNotFound) {
		return nil, missingUID(uid)
	}
	return raw, err
}

func (f *flinDocs) Range(from, to int64, n int) ([][]byte, error) {
	docs, err := f.raw.Query().Where(FieldRank, flin.Gte, from).Where(FieldRank, flin.Lt, to).OrderBy(FieldRank, flin.Asc).Take(n).Exec()
	list := make([][]byte, len(docs))
	for i, raw := range docs {
		list[i] = raw
	}
	return list, err
}

func (f *flinDocs) UpdateUID(uid, visits int64) error {
	result, err := f.c.DB.Update(docsName).Where(FieldUID, flin.Eq, uid).Set("visits", visits).One().Exec()
	if err == nil && result.Matched != 1 {
		err = missingUID(uid)
	}
	return err
}

func (f *flinDocs) DeleteID(id string) error {
	result, err := f.c.DB.Delete(docsName).Where("_id", flin.Eq, id).One().Exec()
	if err == nil && result.Deleted != 1 {
		err = &MissingError{id}
	}
	return err
}

func (f *flinDocs) Count() (uint64, error) {
	n, err := f.c.DB.Query(docsName).Count()
	return uint64(n), err
}

func (f *flinDocs) Decode(raw []byte) (d Document, err error) {
	err = bson.Unmarshal(raw, &d)
	return d, err
}

func (f *flinDocs) Close() error { return f.c.Close() }

func missingUID(uid int64) error { return &MissingError{fmt.Sprintf("uid %d", uid)} }
