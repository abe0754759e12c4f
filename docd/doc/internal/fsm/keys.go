package fsm

import (
	"encoding/binary"
	"errors"
	"strings"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// The keys. The first byte says what a key holds; behind it come the numbers named here, of eight bytes, big-endian. A cid names
// a collection, an iid an index: numbers of the command that made it (see tx.number).
const (
	kindCollection = 'c' // database, NUL, name: what is known of a collection
	kindDocument   = 'd' // cid, key of the _id: a document. The head is its version
	kindChange     = 'e' // revision, number of its last event: a chunk of recorded changes
	kindFeed       = 'f' // database, NUL, name or nothing: since which revision the changes of these are recorded
	kindEntry      = 'i' // iid, key, and unless the index is unique the key of the _id: see entry
	kindIndex      = 'k' // cid, iid: what is known of an index
	kindSize       = 'n' // cid: what there is in a collection and in each of its indexes
	kindRecord     = 'r' // how much is recorded of changes
	kindTrash      = 'x' // kindDocument, cid, or kindEntry, iid: keys that are to be removed. The value is how far that is
)

var errDamaged = errors.New("doc: the store holds a record that cannot be read: restore this node from a replica or a backup")

// prefixSize is the bytes before the key of an _id, or of an entry.
const prefixSize = 1 + 8

func appendNameKey(b []byte, db, name string) []byte { return appendName(b, kindCollection, db, name) }

func appendName(b []byte, kind byte, db, name string) []byte {
	return append(append(append(append(b, kind), db...), 0), name...)
}

// readNameKey takes a key of a collection, or of a feed, apart.
func readNameKey(key []byte) (db, name string, err error) {
	db, name, ok := strings.Cut(string(key[1:]), "\x00")
	if !ok {
		return "", "", errDamaged
	}
	return db, name, nil
}

// readNumber reads the number at the beginning of what follows a key's first byte.
func readNumber(key []byte) (n uint64, rest []byte, err error) {
	if len(key) < 8 {
		return 0, nil, errDamaged
	}
	return binary.BigEndian.Uint64(key), key[8:], nil
}

// AppendID appends the key of an _id: what Get, Scan and the entries of indexes call id.
func AppendID(b []byte, id bsoncore.Value) []byte { return value.AppendKey(b, id, false) }
