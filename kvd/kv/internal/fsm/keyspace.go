package fsm

import (
	"slices"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// keyspace says which generation of keys each database shows. Emptying a database gives it a new generation, swapping
// two exchanges theirs; what the old generation left is garbage, which collect removes piece by piece.
//
// A keyspace that has been published is never changed: readers tell by its address that nothing has moved.
type keyspace struct {
	moving   bool // a command that changes generations is being committed: look again
	next     uint64
	gens     [wire.KVDatabases]uint64
	prefixes [wire.KVDatabases][]byte // genPrefix of each
	garbage  []genRange               // in order, disjoint, not touching
}

// genRange is the generations from lo up to, not including, hi.
type genRange struct{ lo, hi uint64 }

const keyspaceVersion = 1

// firstKeyspace is that of a store which has never been flushed: it is not written anywhere.
func firstKeyspace() *keyspace {
	ks := &keyspace{next: wire.KVDatabases + 1}
	for db := range ks.gens {
		ks.setGen(db, uint64(db)+1)
	}
	return ks
}

func (ks *keyspace) setGen(db int, gen uint64) {
	ks.gens[db], ks.prefixes[db] = gen, genPrefix(gen)
}

// clone returns a copy that may be changed.
func (ks *keyspace) clone() *keyspace {
	c := *ks
	c.moving = false
	c.garbage = slices.Clone(ks.garbage)
	return &c
}

// empty gives the database a new generation and makes the old one garbage.
func (ks *keyspace) empty(db int) {
	ks.discard(ks.gens[db])
	ks.setGen(db, ks.next)
	ks.next++
}

func (ks *keyspace) swap(a, b int) {
	ga, gb := ks.gens[a], ks.gens[b]
	ks.setGen(a, gb)
	ks.setGen(b, ga)
}

// discard adds a generation to the garbage. Ranges are merged, so that there are never more of them than databases and
// one, however often databases are emptied.
func (ks *keyspace) discard(gen uint64) {
	i, _ := slices.BinarySearchFunc(ks.garbage, gen, func(r genRange, g uint64) int {
		if r.hi < g {
			return -1
		}
		return 1
	})
	switch {
	case i < len(ks.garbage) && ks.garbage[i].hi == gen:
		ks.garbage[i].hi++
		if i+1 < len(ks.garbage) && ks.garbage[i+1].lo == gen+1 {
			ks.garbage[i].hi = ks.garbage[i+1].hi
			ks.garbage = slices.Delete(ks.garbage, i+1, i+2)
		}
	case i < len(ks.garbage) && ks.garbage[i].lo == gen+1:
		ks.garbage[i].lo = gen
	default:
		ks.garbage = slices.Insert(ks.garbage, i, genRange{gen, gen + 1})
	}
}

// database returns the database that shows the generation, -1 if none does.
func (ks *keyspace) database(gen uint64) int { return slices.Index(ks.gens[:], gen) }

func (ks *keyspace) append(b []byte) []byte {
	b = wire.AppendUvarint(append(b, keyspaceVersion), ks.next)
	for _, g := range ks.gens {
		b = wire.AppendUvarint(b, g)
	}
	b = wire.AppendUvarint(b, uint64(len(ks.garbage)))
	for _, r := range ks.garbage {
		b = wire.AppendUvarint(wire.AppendUvarint(b, r.lo), r.hi)
	}
	return b
}

func decodeKeyspace(p []byte) (*keyspace, error) {
	r := wire.NewReader(p)
	if v := r.Byte(); v != keyspaceVersion && r.Err() == nil {
		return nil, wire.Errorf(wire.Internal, "the table of databases has format %d, this program knows %d: use the newer program", v, keyspaceVersion)
	}
	ks := &keyspace{next: r.Uvarint()}
	for db := range ks.gens {
		ks.setGen(db, r.Uvarint())
	}
	for n := r.Count(1 << 20); n > 0; n-- {
		ks.garbage = append(ks.garbage, genRange{r.Uvarint(), r.Uvarint()})
	}
	if err := r.Close(); err != nil {
		return nil, wire.Errorf(wire.Internal, "the table of databases cannot be read (%v): restore this node from a replica or a backup", err)
	}
	return ks, nil
}
