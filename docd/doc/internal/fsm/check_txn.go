package fsm

import "github.com/skshohagmiah/flin/pkg/wire"

func checkBegin(_ *payloads, body []byte) error {
	r := wire.NewReader(body)
	return r.Close()
}

func checkTxn(p *payloads, body []byte) error { return p.txn.Decode(body) }

// checkIn judges an operation of a transaction: those that read or write documents may be such.
func checkIn(p *payloads, body []byte) error {
	if err := p.in.Decode(body); err != nil {
		return err
	}
	switch p.in.Op {
	case wire.OpDocInsert:
		return checkInsert(p, p.in.Body)
	case wire.OpDocFind, wire.OpDocCount, wire.OpDocDistinct:
		return checkFind(p, p.in.Body)
	case wire.OpDocAggregate:
		return checkAggregate(p, p.in.Body)
	case wire.OpDocUpdate, wire.OpDocDelete, wire.OpDocModify:
		return checkUpdate(p, p.in.Body)
	}
	return sub(wire.Invalid, wire.DocNotInTransaction, "operation %v cannot be part of a transaction: those insert, find, count, update, delete and the like", p.in.Op)
}
