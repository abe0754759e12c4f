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
	kindEntry      = 'i' // iid, key, and unless the index is unique the key of the _id: see entry
	kindIndex      = 'k' // cid, iid: what is known of an index
	kindSize       = 'n' // cid: what there is in a collection and in each of its indexes
	kindTrash      = 'x' // kindDocument, cid, or kindEntry, iid: keys that are to be removed. The value is how far that is
)

var errDamaged = errors.New("doc: the store holds a record that cannot be read: restore this node from a replica or a backup")

// prefixSize is the bytes before the key of an _id, or of an entry.
const prefixSize = 1 + 8

// appendKey makes a key of numbers.
func appendKey(b []byte, kind byte, numbers ...uint64) []byte {
	b = append(b, kind)
	for _, n := range numbers {
		b = binary.BigEndian.AppendUint64(b, n)
	}
	return b
}

func appendNameKey(b []byte, db, name string) []byte {
	return append(append(append(append(b, kindCollection), db...), 0), name...)
}

// readNameKey takes a key of a collection apart.
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

// after makes of a prefix the first key behind all that begin with it, in place. A prefix of ours has a byte below 255: its
// first.
func after(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i]++; prefix[i] != 0 {
			return prefix[:i+1]
		}
	}
	return prefix
}
