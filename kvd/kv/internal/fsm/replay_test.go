package fsm

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/skshohagmiah/flin/pkg/replica/machinetest"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// entry is one command of a log.
type entry struct {
	op   wire.Op
	body []byte
	time int64
}

func randomLog(seed uint64, n int) (log []entry) {
	r := rand.New(rand.NewPCG(seed, 1))
	now := int64(1_000_000)
	for range n {
		now += int64(r.IntN(20))
		op, body := randomCommand(r)
		log = append(log, entry{op, body, now})
	}
	return log
}

func (b *bench) play(e entry) wire.Response {
	b.Now = e.time
	return b.apply(e.op, e.body, false)
}

func TestTheSameLogTwiceGivesTheSameStoreAndAnswers(t *testing.T) {
	for seed := range uint64(4) {
		log := randomLog(seed, 1500)
		memory := newBench(t, store.Options{Memory: true})
		disk := newBench(t, store.Options{Dir: t.TempDir()})
		for i, e := range log {
			a, b := memory.play(e), disk.play(e)
			if !machinetest.Equal(&a, &b) {
				t.Fatalf("seed %d: command %d (%v) was answered %+v by one and %+v by the other", seed, i, e.op, a, b)
			}
			if i%400 == 399 {
				<-disk.Store.Rotate()
			}
		}
		if memory.Hash() != disk.Hash() {
			t.Fatalf("seed %d: the stores differ:\n%s\nand\n%s", seed, memory.Dump(), disk.Dump())
		}
		memory.Close()
		disk.Close()
	}
}

func TestALogThatIsFedAgainFromTheLastFlushGivesTheSameStore(t *testing.T) {
	for seed := range uint64(3) {
		log := randomLog(100+seed, 900)
		whole := newBench(t, store.Options{Memory: true})
		for _, e := range log {
			whole.play(e)
		}
		dir := t.TempDir()
		machinetest.Refeed(t, seed, len(log), 300, func() machinetest.Life {
			b := newBench(t, store.Options{Dir: dir})
			return machinetest.Life{
				Store: b.Store,
				Begin: int(b.Index),
				Play:  func(i int) { b.play(log[i]) },
				End: func(last bool) {
					if last && whole.Hash() != b.Hash() {
						t.Fatalf("seed %d: the stores differ:\n%s\nand\n%s", seed, whole.Dump(), b.Dump())
					}
					b.Close() // what was not flushed is gone
				},
			}
		})
		whole.Close()
	}
}

// Every read sees what a plain map would hold. The model knows values, versions and expiries, nothing of the store.
func TestReadsAgreeWithAMap(t *testing.T) {
	type value struct {
		body    string
		version uint64
		expires int64
	}
	r := rand.New(rand.NewPCG(7, 7))
	b := newBench(t, store.Options{Dir: t.TempDir()})
	defer b.Close()
	b.Now = 1_000_000
	model := map[string]value{}
	desk := NewDesk(b.m, func() int64 { return b.Now })
	for i := range 3000 {
		b.Now += int64(r.IntN(10))
		for k, v := range model {
			if v.expires != 0 && v.expires <= b.Now {
				delete(model, k)
			}
		}
		key := fmt.Sprintf("k%d", r.IntN(20))
		switch r.IntN(6) {
		case 0, 1:
			m := wire.KVSet{Key: []byte(key), Value: fmt.Append(nil, i)}
			v := value{body: string(m.Value), version: b.Rev + 1}
			if r.IntN(2) == 0 {
				m.Expiry = wire.Expiry{Kind: wire.ExpiryIn, Ms: int64(1 + r.IntN(50))}
				v.expires = b.Now + m.Expiry.Ms
			}
			b.apply(wire.OpKVSet, m.Append(nil), false)
			model[key] = v
		case 2:
			ans := b.apply(wire.OpKVDel, (&wire.KVDel{Key: []byte(key)}).Append(nil), false)
			if _, was := model[key]; was != (ans.Num == 1) {
				t.Fatalf("step %d: deleting %s answered %d, there was one: %v", i, key, ans.Num, was)
			}
			delete(model, key)
		case 3:
			ans := b.apply(wire.OpKVPersist, (&wire.KVKey{Key: []byte(key)}).Append(nil), false)
			v, was := model[key]
			if want := was && v.expires != 0; want != (ans.Num == 1) {
				t.Fatalf("step %d: persist of %+v answered %d", i, v, ans.Num)
			} else if want {
				v.expires, v.version = 0, b.Rev
				model[key] = v
			}
		case 4:
			b.apply(wire.OpKVSweep, wire.AppendLimit(nil, 3), false)
			if r.IntN(50) == 0 {
				<-b.Store.Rotate()
			}
		case 5:
			b.apply(wire.OpKVExists, (&wire.KVKeys{}).Append(nil), true) // only time passes
			tx, late := desk.Read(b.m.ops.Row(wire.OpKVGet), (&wire.KVKey{Key: []byte(key)}).Append(nil), false)
			ans := tx.Answer()
			v, there := model[key]
			if late || there != (ans.Code == wire.OK) || there && (string(ans.Body) != v.body || ans.Rev != v.version || ans.Num != v.expires) {
				t.Fatalf("step %d at %d: get %s answered %+v (late %v), the map has %+v %v", i, b.Now, key, ans, late, v, there)
			}
			desk.Done(tx)
		}
	}
}
