package fsm

import (
	"errors"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
	"github.com/skshohagmiah/flin/pkg/wire"
)

var (
	errRead   = &wire.Error{Code: wire.Invalid, Msg: "an ordered read cannot write"}
	errNone   = &wire.Error{Code: wire.Invalid, Sub: uint32(value.BadValue), Msg: "a batch has at least one element"}
	errNoID   = &wire.Error{Code: wire.Invalid, Sub: uint32(value.BadValue), Msg: "a document that is to be stored has an _id"}
	errIDDrop = &wire.Error{Code: wire.Invalid, Sub: uint32(value.InvalidOptions), Msg: "the index of _id cannot be dropped"}

	errLarge = &wire.Error{Code: wire.TooLarge, Msg: "the writes of one command are more than the limits of 50000 keys, 8388608 bytes in the key tree or 33554432 bytes of documents: write fewer at once"}
)

// WireError returns an error as it travels: what is wrong by MongoDB's rules gets our code beside theirs. Other errors are
// returned as they are.
func WireError(err error) error {
	e, ok := errors.AsType[*value.Error](err)
	if !ok {
		return err
	}
	return &wire.Error{Code: codeOf(e.Code), Sub: uint32(e.Code), Msg: e.Msg}
}

// codeOf returns our code for one of MongoDB's.
func codeOf(code int32) wire.Code {
	switch code {
	case value.DuplicateKey:
		return wire.Exists
	case value.BSONObjectTooLarge, value.MemoryLimit, value.CannotBuildIndexKeys, wire.DocKeyTooLong:
		return wire.TooLarge
	case value.CommandNotSupported, value.InvalidPipelineOperator, value.UnknownStage:
		return wire.Unsupported
	}
	return wire.Invalid
}

// answerOf returns an error that is an answer. Any other is a fault.
func answerOf(err error) (*wire.Error, bool) {
	return errors.AsType[*wire.Error](WireError(err))
}

func sub(code wire.Code, mongo uint32, format string, args ...any) *wire.Error {
	err := wire.Errorf(code, format, args...)
	err.Sub = mongo
	return err
}

func errNoCollection(n *wire.DocName) *wire.Error {
	return sub(wire.NotFound, wire.DocNamespaceNotFound, "collection %s.%s is not there", n.DB, n.Coll)
}

func errNoIndex(c *Collection, name []byte) *wire.Error {
	return sub(wire.NotFound, wire.DocIndexNotFound, "collection %s.%s has no index %q", c.DB, c.Name, name)
}

func errConflict(c *wire.DocName, id bsoncore.Value) *wire.Error {
	return sub(wire.Conflict, wire.DocWriteConflict, "document %s of collection %s.%s has changed since it was read: try again", shown(id), c.DB, c.Coll)
}

func errIDTooLong(n int) *wire.Error {
	return sub(wire.TooLarge, wire.DocKeyTooLong, "an _id whose key has %d bytes is over the limit of %d", n, wire.MaxDocID)
}

func errKeyTooLong(ix *Index, n int) *wire.Error {
	return sub(wire.TooLarge, wire.DocKeyTooLong, "a key of %d bytes in index %s is over the limit of %d: leave long values out of indexes", n, ix.Name, wire.MaxDocIndexKey)
}

// errDuplicate is MongoDB's text, which clients read the index and the key from.
func errDuplicate(c *Collection, index, key string) *wire.Error {
	return sub(wire.Exists, uint32(value.DuplicateKey), "E11000 duplicate key error collection: %s.%s index: %s dup key: { %s }", c.DB, c.Name, index, key)
}

// keyText shows what a document has in the fields of an index.
func keyText(doc bsoncore.Document, fields []value.KeyField) string {
	var b strings.Builder
	for i, f := range fields {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(f.Path)
		b.WriteString(": ")
		if v, ok := value.Lookup(doc, f.Path); ok {
			b.WriteString(shown(v))
		} else {
			b.WriteString("null")
		}
	}
	return b.String()
}

// shown returns a value for people: numbers as they are, others as extended JSON.
func shown(v bsoncore.Value) string {
	if n, ok := v.Int32OK(); ok {
		return strconv.FormatInt(int64(n), 10)
	}
	if n, ok := v.Int64OK(); ok {
		return strconv.FormatInt(n, 10)
	}
	if f, ok := v.DoubleOK(); ok {
		return strconv.FormatFloat(f, 'g', -1, 64)
	}
	return value.Text(v)
}

func errTooMany(what string, limit int) *wire.Error {
	return wire.Errorf(wire.Full, "there are %d %s, as many as there may be: drop some", limit, what)
}

// over says that a number is above its limit.
func over(what string, n, limit uint64) *wire.Error {
	return wire.Errorf(wire.Invalid, "%s of %d is over the limit of %d", what, n, limit)
}
