package doc

import (
	"crypto/rand"
	"encoding/binary"
	"sync/atomic"
	"time"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// objectIDs makes ObjectIDs: seconds since 1970, five bytes that this process has alone, and a counter.
type objectIDs struct {
	process [5]byte
	count   atomic.Uint32
}

func newObjectIDs() *objectIDs {
	g := &objectIDs{}
	var b [8]byte
	_, _ = rand.Read(b[:]) // it never fails
	copy(g.process[:], b[:5])
	g.count.Store(uint32(b[5])<<16 | uint32(b[6])<<8 | uint32(b[7]))
	return g
}

// next returns one that nobody has had.
func (g *objectIDs) next() bsoncore.Value {
	var id [12]byte
	n := g.count.Add(1)
	binary.BigEndian.PutUint32(id[:], uint32(time.Now().Unix()))
	copy(id[4:], g.process[:])
	id[9], id[10], id[11] = byte(n>>16), byte(n>>8), byte(n)
	return bsoncore.Value{Type: value.ObjectID, Data: id[:]}
}
