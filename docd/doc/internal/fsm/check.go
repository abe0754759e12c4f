package fsm

import (
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// payloads are what bodies are decoded into, used again and again.
type payloads struct {
	insert    wire.DocInsert
	find      wire.DocFind
	update    wire.DocUpdate
	write     wire.DocWrite
	aggregate wire.DocAggregate
	more      wire.DocMore
	kill      wire.DocKill
	explain   wire.DocExplain
	index     wire.DocIndex
	drop      wire.DocDropIndex
	name      wire.DocName
	list      wire.DocList
	apply     wire.DocApply
	watch     wire.DocWatch
	feed      wire.DocFeed
	trim      wire.DocTrim
	in        wire.DocIn
	txn       wire.DocTxn
}

// Check reports what is wrong with a payload before it is proposed or served: that it cannot be decoded, names, sizes, bounds, BSON
// that is malformed, documents that may not be stored. What filters, updates and pipelines mean is for who compiles them, and what
// depends on what is there is judged when the command is applied. Any goroutine may call it; body is on loan.
func (m *Machine) Check(op wire.Op, body []byte) error {
	if KindOf(op) == None {
		return wire.Errorf(wire.Unsupported, "the document engine has no operation %v", op)
	}
	p := m.pool.Get().(*payloads) //nolint:forcetypeassert // the pool holds nothing else
	err := WireError(ops[byte(op)].check(p, body))
	clear(p.insert.Docs) // they share memory with the payload
	clear(p.write.Writes)
	p.in.Body = nil
	forget(&p.apply)
	m.pool.Put(p)
	return err
}

func checkInsert(p *payloads, body []byte) error {
	if err := p.insert.Decode(body); err != nil {
		return err
	}
	if err := p.insert.Name.Check(); err != nil {
		return err
	}
	if len(p.insert.Docs) == 0 {
		return errNone
	}
	return nil // each document is judged by itself: CheckDocument
}

// CheckDocument reports what keeps a document from being inserted. That there is an _id is for the caller to see to, who makes one.
func CheckDocument(doc []byte) error { return WireError(value.Check(doc)) }

// optional checks documents, or arrays, that may be left out.
func optional(docs ...[]byte) error {
	for _, d := range docs {
		if len(d) == 0 {
			continue
		}
		if err := value.Valid(d); err != nil {
			return err
		}
	}
	return nil
}

func checkFind(p *payloads, body []byte) error {
	f := &p.find
	if err := f.Decode(body); err != nil {
		return err
	}
	if err := f.Name.Check(); err != nil {
		return err
	}
	return optional(f.Filter, f.Project, f.Sort)
}

func checkUpdate(p *payloads, body []byte) error {
	if err := p.update.Decode(body); err != nil {
		return err
	}
	return checkOneUpdate(&p.update)
}

func checkOneUpdate(u *wire.DocUpdate) error {
	if err := u.Name.Check(); err != nil {
		return err
	}
	return optional(u.Filter, u.Update, u.ArrayFilters, u.Sort, u.Project)
}

func checkWrite(p *payloads, body []byte) error {
	if err := p.write.Decode(body); err != nil {
		return err
	}
	if len(p.write.Writes) == 0 {
		return errNone
	}
	for i := range p.write.Writes {
		w := &p.write.Writes[i]
		switch w.Op {
		case wire.OpDocInsert, wire.OpDocUpdate, wire.OpDocDelete:
		default:
			return wire.Errorf(wire.Invalid, "operation %v is none of a batch of writes: those insert, update or delete", w.Op)
		}
		if err := checkOneUpdate(&w.DocUpdate); err != nil {
			return err
		}
	}
	return nil
}

func checkAggregate(p *payloads, body []byte) error {
	if err := p.aggregate.Decode(body); err != nil {
		return err
	}
	if err := p.aggregate.Name.Check(); err != nil {
		return err
	}
	return optional(p.aggregate.Pipeline)
}

func checkMore(p *payloads, body []byte) error { return p.more.Decode(body) }
func checkKill(p *payloads, body []byte) error { return p.kill.Decode(body) }

func checkExplain(p *payloads, body []byte) error {
	if err := p.explain.Decode(body); err != nil {
		return err
	}
	switch p.explain.Op {
	case wire.OpDocFind, wire.OpDocCount, wire.OpDocDistinct:
		return checkFind(p, p.explain.Body)
	case wire.OpDocAggregate:
		return checkAggregate(p, p.explain.Body)
	case wire.OpDocUpdate, wire.OpDocDelete, wire.OpDocModify:
		return checkUpdate(p, p.explain.Body)
	}
	return wire.Errorf(wire.Invalid, "operation %v cannot be explained", p.explain.Op)
}

func checkIndex(p *payloads, body []byte) error {
	if err := p.index.Decode(body); err != nil {
		return err
	}
	if err := p.index.Name.Check(); err != nil {
		return err
	}
	return checkSpec(&p.index.Spec)
}

func checkDropIndex(p *payloads, body []byte) error {
	if err := p.drop.Decode(body); err != nil {
		return err
	}
	if err := p.drop.Name.Check(); err != nil {
		return err
	}
	if string(p.drop.Index) == idIndex {
		return errIDDrop
	}
	return nil
}

func checkName(p *payloads, body []byte) error {
	if err := p.name.Decode(body); err != nil {
		return err
	}
	return p.name.Check()
}

func checkDrop(p *payloads, body []byte) error {
	if err := p.name.Decode(body); err != nil {
		return err
	}
	return checkWide(&p.name)
}

// checkWide checks the name of a collection or, with an empty Coll, of a database.
func checkWide(n *wire.DocName) error {
	if len(n.Coll) == 0 {
		return wire.CheckDocDatabase(n.DB)
	}
	return n.Check()
}

func checkWatch(p *payloads, body []byte) error {
	if err := p.watch.Decode(body); err != nil {
		return err
	}
	return checkWide(&p.watch.Name)
}

func checkFeed(p *payloads, body []byte) error {
	if err := p.feed.Decode(body); err != nil {
		return err
	}
	return checkWide(&p.feed.Name)
}

func checkTrim(p *payloads, body []byte) error { return p.trim.Decode(body) }

func checkList(p *payloads, body []byte) error {
	if err := p.list.Decode(body); err != nil {
		return err
	}
	if p.list.Limit > wire.MaxDocList {
		return over("the length of a list", p.list.Limit, wire.MaxDocList)
	}
	if len(p.list.DB) > 0 {
		return wire.CheckDocDatabase(p.list.DB)
	}
	return nil
}

func checkLimit(_ *payloads, body []byte) error {
	_, err := wire.TakeLimit(body, 1)
	return err
}

// checkApply judges what the engine has put together: all but the documents, which it has checked.
func checkApply(p *payloads, body []byte) error {
	a := &p.apply
	if err := a.Decode(body); err != nil {
		return err
	}
	if len(a.Changes) == 0 {
		return errNone
	}
	for i := range a.Targets {
		if err := a.Targets[i].Check(); err != nil {
			return err
		}
	}
	return nil
}
