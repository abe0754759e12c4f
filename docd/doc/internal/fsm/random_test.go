package fsm

import (
	"fmt"
	"math/rand/v2"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/skshohagmiah/flin/pkg/replica/machinetest"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// player makes up commands: about few collections and documents, so that they meet.
type player struct {
	r   *rand.Rand
	now int64
}

func newPlayer(seed uint64) *player {
	return &player{r: rand.New(rand.NewPCG(seed, 7)), now: 1_000_000}
}

func (p *player) pick(list ...string) string { return list[p.r.IntN(len(list))] }

func (p *player) coll() wire.DocName { return name(p.pick("c", "c", "c", "u", "v")) }

func marshal(d any) []byte {
	b, err := bson.Marshal(d)
	if err != nil {
		panic(err)
	}
	return b
}

func idValue(id int) []byte {
	v := bson.RawValue{}
	v.Type, v.Value, _ = bson.MarshalValue(int32(id))
	return append([]byte{byte(v.Type)}, v.Value...)
}

// doc makes a document: b is what may be unique, a and n.x may be arrays, at is a date or not there.
func (p *player) doc(id int) []byte {
	d := bson.D{{Key: "_id", Value: int32(id)}, {Key: "b", Value: p.b()}}
	switch p.r.IntN(4) {
	case 0:
		d = append(d, bson.E{Key: "a", Value: bson.A{int32(p.r.IntN(5)), p.r.IntN(5), 2.5}})
	case 1:
		d = append(d, bson.E{Key: "a", Value: p.r.IntN(9)})
	case 2:
		d = append(d, bson.E{Key: "n", Value: bson.A{bson.D{{Key: "x", Value: p.r.IntN(3)}}, bson.D{{Key: "x", Value: "s"}}}})
	}
	if p.r.IntN(3) == 0 {
		d = append(d, bson.E{Key: "at", Value: bson.DateTime(p.now + int64(p.r.IntN(5000)) - 1000)})
	}
	if p.r.IntN(10) == 0 {
		d = append(d, bson.E{Key: "long", Value: string(make([]byte, 600+p.r.IntN(600)))})
	}
	return marshal(d)
}

func (p *player) b() int32 { return int32(p.r.IntN(300)) }

const ids = 60

// change makes up a write. versions has those of the documents of c.
func (p *player) change(a *wire.DocApply, versions map[int]uint64) {
	id := p.r.IntN(ids)
	ch := wire.DocChange{Kind: wire.DocChangeKind(1 + p.r.IntN(6)), Target: uint64(p.r.IntN(len(a.Targets))), Version: versions[id]}
	if p.r.IntN(10) == 0 {
		ch.Version++
	}
	switch ch.Kind {
	case wire.DocChangeInsert:
		ch.Doc = p.doc(id)
	case wire.DocChangePut:
		ch.ID, ch.Doc = idValue(id), p.doc(id)
	default:
		ch.ID, ch.Program = idValue(id), uint64(len(a.Programs))
		f, u := bson.D{}, bson.D{{Key: "$set", Value: bson.D{{Key: "b", Value: p.b()}}}}
		if p.r.IntN(4) == 0 {
			f = bson.D{{Key: "b", Value: bson.D{{Key: "$lt", Value: 150}}}}
		}
		if p.r.IntN(3) == 0 {
			u = append(u, bson.E{Key: "$push", Value: bson.D{{Key: "n", Value: bson.D{{Key: "x", Value: p.r.IntN(3)}}}}})
		}
		a.Programs = append(a.Programs, wire.DocProgram{Filter: marshal(f), Update: marshal(u)})
	}
	a.Changes = append(a.Changes, ch)
}

func (p *player) apply(versions map[int]uint64) *wire.DocApply {
	a := &wire.DocApply{Mode: wire.DocMode(p.r.IntN(3)), Targets: []wire.DocName{p.coll()}}
	if p.r.IntN(5) == 0 && string(a.Targets[0].Coll) != "v" {
		a.Targets = append(a.Targets, name("v"))
	}
	for range 1 + p.r.IntN(6) {
		p.change(a, versions)
	}
	return a
}

func (p *player) index() *wire.DocIndex {
	m := &wire.DocIndex{Name: p.coll()}
	switch p.r.IntN(7) {
	case 0:
		m.Spec = spec(wire.DocIndexUnique, "b")
	case 1:
		m.Spec = spec(0, "a", "-b")
	case 2:
		m.Spec = spec(wire.DocIndexSparse, "n.x")
	case 3:
		m.Spec = spec(wire.DocIndexTTL, p.pick("at", "-at"))
		m.Spec.TTL = uint64(p.r.IntN(4))
	case 4:
		m.Spec = spec(wire.DocIndexPartial, "-a")
		m.Spec.Partial = marshal(bson.D{{Key: "b", Value: bson.D{{Key: "$gt", Value: 100}}}})
	case 5:
		m.Spec = spec(wire.DocIndexUnique|wire.DocIndexSparse, "a")
	case 6:
		m.Spec = spec(0, "a", "n.x") // parallel arrays, for some documents
	}
	return m
}

// feed has a collection, or the database, recorded, or no longer.
func (p *player) feed() *wire.DocFeed {
	return &wire.DocFeed{Name: name(p.pick("c", "u", "v", "")), Off: p.r.IntN(3) == 0}
}

// next makes up a command that is no write of documents, or nil.
func (p *player) other() *command {
	var op wire.Op
	var m machinetest.Payload
	n := p.coll()
	switch k := p.r.IntN(100); {
	case k < 60:
		return nil
	case k < 68:
		op, m = wire.OpDocIndex, p.index()
	case k < 72:
		op, m = wire.OpDocDropIndex, &wire.DocDropIndex{Name: n, Index: []byte(p.pick("b_1", "a_1_b_-1", "n.x_1", "at_1", "a_-1", "a_1", "a_1_n.x_1", "*"))}
	case k < 83:
		op, m = wire.OpDocBuild, limit(1+p.r.IntN(15))
	case k < 84:
		op, m = wire.OpDocFeed, p.feed()
	case k < 86:
		op, m = wire.OpDocTrim, &wire.DocTrim{Before: p.now - int64(p.r.IntN(20_000)), Bytes: uint64(p.r.IntN(40_000)), Limit: uint64(1 + p.r.IntN(30))}
	case k < 91:
		op, m = wire.OpDocExpire, limit(1+p.r.IntN(8))
	case k < 96:
		op, m = wire.OpDocCollect, limit(1+p.r.IntN(20))
	case k < 97:
		op, m = wire.OpDocDrop, &n
	default:
		op, m = wire.OpDocCreate, &n
	}
	return &command{Op: op, Body: m.Append(nil)}
}

// versionsOf reads the versions of the documents of a collection.
func (b *bench) versionsOf(n wire.DocName) map[int]uint64 {
	list := map[int]uint64{}
	c := b.m.Collection(n.DB, n.Coll)
	for id := range ids {
		if c == nil {
			break
		}
		_, v, err := b.m.Get(c.ID, idOf(b.T, fmt.Sprint(id)), nil)
		if err != nil {
			b.T.Fatal(err)
		}
		list[id] = v
	}
	return list
}

// record plays n made-up entries and returns them.
func (p *player) record(b *bench, n int) (log []entry) {
	for range n {
		p.now += int64(p.r.IntN(300))
		e := entry{Time: p.now}
		for range 1 + p.r.IntN(3) {
			c := p.other()
			if c == nil {
				versions := map[int]uint64{}
				if p.r.IntN(4) == 0 {
					versions = b.versionsOf(name("c"))
				}
				c = &command{Op: wire.OpDocApply, Body: p.apply(versions).Append(nil)}
			}
			e.Cmds = append(e.Cmds, *c)
		}
		b.Now = e.Time
		e.Answers = b.Apply(e.Cmds...)
		log = append(log, e)
	}
	return log
}
