package fsm

import (
	"encoding/binary"
	"errors"
)

// The keys. The first byte says what a key holds; behind it come, big-endian, the numbers named here.
const (
	kindNumber = 'a' // the next qid
	kindDedup  = 'd' // qid, start of the bucket, revision: dedup ids of one entry
	kindChunk  = 'c' // qid, first id
	kindTrash  = 'g' // qid, or qid and start of a bucket: keys that are to be removed. The value is how far that is
	kindQueue  = 'q' // name: what is known of a queue
	kindRoster = 'r' // qid, first id: the index of a chunk with groups or delays once more, without the bodies
	kindState  = 's' // qid, first id: what has become of a chunk's messages
	kindTurn   = 't' // qid, group key: the group's turn
)

// ownKinds are the kinds of keys that a qid has, in the order in which they are collected.
var ownKinds = [...]byte{kindChunk, kindDedup, kindRoster, kindState, kindTurn}

var errDamaged = errors.New("queue: the store holds a record that cannot be read: restore this node from a replica or a backup")

// takeKey reads the numbers behind a key's first byte.
func takeKey(key []byte, numbers ...*uint64) error {
	key = key[1:]
	for _, n := range numbers {
		if len(key) < 8 {
			return errDamaged
		}
		*n = binary.BigEndian.Uint64(key)
		key = key[8:]
	}
	return nil
}
