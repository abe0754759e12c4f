package fsm

import (
	"fmt"
	"math/rand/v2"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// randomCommand makes a command over few keys, so that commands meet.
func randomCommand(r *rand.Rand) (wire.Op, []byte) {
	db := byte(r.IntN(3))
	key := func() []byte { return fmt.Appendf(nil, "key:%d", r.IntN(12)) }
	value := func() []byte {
		switch r.IntN(4) {
		case 0:
			return fmt.Append(nil, r.IntN(1000))
		case 1:
			return make([]byte, 400+r.IntN(1200))
		}
		return []byte("value")
	}
	expiry := func() wire.Expiry {
		switch r.IntN(4) {
		case 0:
			return wire.Expiry{Kind: wire.ExpiryIn, Ms: int64(1 + r.IntN(300))}
		case 1:
			return wire.Expiry{Kind: wire.ExpiryKeep}
		}
		return wire.Expiry{}
	}
	switch r.IntN(18) {
	case 0, 1, 2, 3:
		return wire.OpKVSet, (&wire.KVSet{DB: db, Key: key(), Value: value(), Expiry: expiry(), Flags: wire.SetFlags(r.IntN(16))}).Append(nil)
	case 4:
		return wire.OpKVDel, (&wire.KVDel{DB: db, Key: key()}).Append(nil)
	case 5:
		return wire.OpKVIncr, (&wire.KVIncr{DB: db, Key: key(), By: int64(r.IntN(9))}).Append(nil)
	case 6:
		return wire.OpKVAppend, (&wire.KVPair{DB: db, Key: key(), Value: value()}).Append(nil)
	case 7:
		return wire.OpKVMSet, (&wire.KVMSet{DB: db, IfAbsent: r.IntN(2) == 0, Pairs: []wire.KVPair{{Key: key(), Value: value()}, {Key: key(), Value: value()}}}).Append(nil)
	case 8:
		return wire.OpKVMDel, (&wire.KVKeys{DB: db, Keys: [][]byte{key(), key()}}).Append(nil)
	case 9:
		e := wire.Expiry{Kind: wire.ExpiryIn, Ms: int64(r.IntN(300))}
		return wire.OpKVExpire, (&wire.KVExpire{DB: db, Key: key(), Expiry: e}).Append(nil)
	case 10:
		return wire.OpKVPersist, (&wire.KVKey{DB: db, Key: key()}).Append(nil)
	case 11:
		m := wire.KVCopy{DB: db, DstDB: byte(r.IntN(3)), Replace: r.IntN(2) == 0, Src: key(), Dst: key()}
		return []wire.Op{wire.OpKVRename, wire.OpKVCopy, wire.OpKVMove}[r.IntN(3)], m.Append(nil)
	case 12:
		return wire.OpKVSetBit, (&wire.KVBit{DB: db, Key: key(), Offset: uint64(r.IntN(9000)), Bit: 1}).Append(nil)
	case 13:
		return wire.OpKVSweep, wire.AppendLimit(nil, 1+r.IntN(4))
	case 14:
		return wire.OpKVCollect, wire.AppendLimit(nil, 1+r.IntN(4))
	case 15:
		if r.IntN(6) > 0 {
			return wire.OpKVGetDel, (&wire.KVKey{DB: db, Key: key()}).Append(nil)
		}
		if r.IntN(2) == 0 {
			return wire.OpKVSwap, (&wire.KVDB{DB: db, Other: byte(r.IntN(3))}).Append(nil)
		}
		return wire.OpKVFlush, (&wire.KVDB{DB: db}).Append(nil)
	case 16:
		return wire.OpKVGetEx, (&wire.KVExpire{DB: db, Key: key(), Expiry: expiry()}).Append(nil)
	}
	var m wire.KVTxn
	for range 1 + r.IntN(4) {
		if op, body := randomCommand(r); op != wire.OpKVTxn {
			m.Ops = append(m.Ops, wire.KVOp{Op: op, Body: body})
		}
	}
	return wire.OpKVTxn, m.Append(nil)
}
