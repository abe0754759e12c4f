package fsm

import (
	"encoding/binary"
	"errors"

	"github.com/skshohagmiah/flin/pkg/store/keys"
)

// The keys. The first byte says what a key holds; behind it come, big-endian, the numbers named here. A tid names a topic, a gid
// a group: the revision of the command that made it. Partitions are four bytes, all other numbers eight.
const (
	kindBatch     = 'b' // tid, partition, base offset: a record batch as it came
	kindGroup     = 'g' // name: what is known of a group
	kindMember    = 'm' // gid, name of the consumer
	kindOffset    = 'o' // tid, gid, partition: what is committed
	kindPartition = 'p' // tid, partition: where it starts and ends, once something has been removed
	kindProducer  = 'q' // tid, partition, producer id: its last batches
	kindShare     = 's' // tid, gid: who has subscribed to the topic, and who owns which partition
	kindTopic     = 't' // name: what is known of a topic
	kindTrash     = 'x' // tid, or tid and gid: keys that are to be removed. The value is how far that is
)

// topicKinds are the kinds of keys that a tid has, in the order in which they are collected.
var topicKinds = [...]byte{kindBatch, kindOffset, kindPartition, kindProducer, kindShare}

var errDamaged = errors.New("stream: the store holds a record that cannot be read: restore this node from a replica or a backup")

func appendNameKey(b []byte, kind byte, name string) []byte { return append(append(b, kind), name...) }

func appendMemberKey(b []byte, gid uint64, name string) []byte {
	return append(keys.Append(b, kindMember, gid), name...)
}

// appendPlaceKey makes a key of a partition. That of a batch or a producer goes on with a number.
func appendPlaceKey(b []byte, kind byte, tid uint64, partition int32) []byte {
	b = append(b, kind)
	b = binary.BigEndian.AppendUint64(b, tid)
	return binary.BigEndian.AppendUint32(b, uint32(partition))
}

func appendBatchKey(b []byte, tid uint64, partition int32, base int64) []byte {
	return binary.BigEndian.AppendUint64(appendPlaceKey(b, kindBatch, tid, partition), uint64(base))
}

func appendProducerKey(b []byte, tid uint64, partition int32, pid int64) []byte {
	return binary.BigEndian.AppendUint64(appendPlaceKey(b, kindProducer, tid, partition), uint64(pid))
}

func appendOffsetKey(b []byte, tid, gid uint64, partition int32) []byte {
	return binary.BigEndian.AppendUint32(keys.Append(b, kindOffset, tid, gid), uint32(partition))
}

// keyReader takes the numbers of a key, behind its first byte. After one that is missing all are zero, and ok is false.
type keyReader struct {
	rest []byte
	bad  bool
}

func readKey(key []byte) keyReader { return keyReader{rest: key[1:]} }

func (r *keyReader) number() uint64 {
	if len(r.rest) < 8 {
		r.bad, r.rest = true, nil
		return 0
	}
	n := binary.BigEndian.Uint64(r.rest)
	r.rest = r.rest[8:]
	return n
}

func (r *keyReader) partition() int32 {
	if len(r.rest) < 4 {
		r.bad, r.rest = true, nil
		return 0
	}
	n := binary.BigEndian.Uint32(r.rest)
	r.rest = r.rest[4:]
	return int32(n)
}

// close reports damage: a number that is missing, or bytes that are left over.
func (r *keyReader) close() error {
	if r.bad || len(r.rest) > 0 {
		return errDamaged
	}
	return nil
}
