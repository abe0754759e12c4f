package update

import (
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// compileReplacement checks a document that is to be put in the place of others.
func compileReplacement(doc bsoncore.Document, arrayFilters []bsoncore.Document) (*Update, error) {
	if len(arrayFilters) > 0 {
		return nil, value.Errorf(value.FailedToParse, "arrayFilters may not be specified for replacement-style updates")
	}
	if err := value.Check(doc); err != nil {
		return nil, err
	}
	return &Update{replacement: doc}, nil
}

// replace appends the replacement. The _id of the document stays, with its very bytes where the replacement has an equal
// one, and _id comes first.
func (u *Update) replace(dst []byte, doc bsoncore.Document) []byte {
	id, _ := value.Get(doc, "_id")
	own, ok := value.Get(u.replacement, "_id")
	if ok && (id.Type == 0 || !value.Equal(id, own)) {
		id = own // a difference is refused by the caller
	}
	start, dst := value.Begin(dst)
	if id.Type != 0 {
		dst = value.AppendElement(dst, "_id", id)
	}
	for r := value.Read(u.replacement); r.Next(); {
		if string(r.Name) != "_id" {
			dst = value.AppendElement(dst, r.Name, r.Value)
		}
	}
	return value.End(dst, start)
}
