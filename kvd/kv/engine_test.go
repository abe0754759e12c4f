package kv

import (
	"fmt"
	"testing"

	"github.com/skshohagmiah/flin/pkg/engine/enginetest"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// contract is what enginetest must know of this engine.
func contract() enginetest.Spec {
	counter := []byte("contract:counter")
	spec := enginetest.Spec{
		Ops: map[wire.Op][]wire.Code{
			wire.OpKVSet:       {wire.Exists, wire.NotFound, wire.Conflict},
			wire.OpKVGet:       {wire.NotFound},
			wire.OpKVDel:       {wire.Conflict},
			wire.OpKVExists:    nil,
			wire.OpKVIncr:      nil,
			wire.OpKVDecr:      nil,
			wire.OpKVIncrFloat: nil,
			wire.OpKVAppend:    nil,
			wire.OpKVGetRange:  nil,
			wire.OpKVSetRange:  {wire.OutOfRange},
			wire.OpKVGetDel:    {wire.NotFound},
			wire.OpKVGetEx:     {wire.NotFound},
			wire.OpKVExpire:    nil,
			wire.OpKVPersist:   nil,
			wire.OpKVStat:      {wire.NotFound},
			wire.OpKVMSet:      {wire.Exists},
			wire.OpKVMGet:      nil,
			wire.OpKVMDel:      nil,
			wire.OpKVScan:      nil,
			wire.OpKVCount:     nil,
			wire.OpKVRandom:    {wire.Empty},
			wire.OpKVTxn:       {wire.Conflict},
			wire.OpKVWatch:     {wire.Compacted},
			wire.OpKVRename:    {wire.NotFound},
			wire.OpKVCopy:      {wire.NotFound},
			wire.OpKVFlush:     nil,
			wire.OpKVSwap:      nil,
			wire.OpKVSetBit:    {wire.OutOfRange},
			wire.OpKVGetBit:    {wire.OutOfRange},
			wire.OpKVBitCount:  nil,
			wire.OpKVBitPos:    nil,
			wire.OpKVBitOp:     nil,
			wire.OpKVBitField:  {wire.OutOfRange},
			wire.OpKVLCS:       nil,
			wire.OpKVMove:      {wire.NotFound},
			wire.OpKVStats:     nil,
		},
		Own: []wire.Op{wire.OpKVSweep, wire.OpKVCollect},
		Write: func(n int) wire.Request {
			m := wire.KVSet{Key: counter, Value: fmt.Append(nil, n)}
			return wire.Request{Op: wire.OpKVSet, Body: m.Append(nil)}
		},
		Read: func() wire.Request {
			m := wire.KVKey{Key: counter}
			return wire.Request{Op: wire.OpKVGet, Body: m.Append(nil)}
		},
		Found: func(resp *wire.Response) (n int, err error) {
			if resp.Code == wire.NotFound {
				return 0, nil
			}
			_, err = fmt.Sscan(string(resp.Body), &n)
			return n, err
		},
		Stream: func() wire.Request {
			m := wire.KVWatch{Prefix: counter}
			return wire.Request{Op: wire.OpKVWatch, Body: m.Append(nil)}
		},
		Told: func(resp *wire.Response) (n int, err error) {
			r := wire.NewReader(resp.Body)
			for r.Len() > 0 {
				wire.TakeKVEvent(&r)
				n++
			}
			return n, r.Err()
		},
		Large: func(i int, b []byte) (write, read wire.Request) {
			key := fmt.Append(nil, "contract:large:", i)
			set, get := wire.KVSet{Key: key, Value: b}, wire.KVKey{Key: key}
			return wire.Request{Op: wire.OpKVSet, Body: set.Append(nil)}, wire.Request{Op: wire.OpKVGet, Body: get.Append(nil)}
		},
	}
	a, b := []byte("sample:a"), []byte("sample:b")
	sample := func(op wire.Op, m payload) {
		spec.Samples = append(spec.Samples, wire.Request{Op: op, Body: m.Append(nil)})
	}
	sample(wire.OpKVSet, &wire.KVSet{DB: 3, Key: a, Value: []byte("12"), Flags: wire.SetReturnOld})
	sample(wire.OpKVGet, &wire.KVKey{DB: 3, Key: a})
	sample(wire.OpKVExists, &wire.KVKeys{DB: 3, Keys: [][]byte{a, b}})
	sample(wire.OpKVIncr, &wire.KVIncr{DB: 3, Key: a, By: 2})
	sample(wire.OpKVDecr, &wire.KVIncr{DB: 3, Key: a, By: 2})
	sample(wire.OpKVIncrFloat, &wire.KVPair{DB: 3, Key: a, Value: []byte("0")})
	sample(wire.OpKVAppend, &wire.KVPair{DB: 3, Key: a, Value: []byte("3")})
	sample(wire.OpKVGetRange, &wire.KVRange{DB: 3, Key: a, End: 1})
	sample(wire.OpKVSetRange, &wire.KVRange{DB: 3, Key: a, Start: 1, Value: []byte("4")})
	sample(wire.OpKVGetEx, &wire.KVExpire{DB: 3, Key: a, Expiry: wire.Expiry{Kind: wire.ExpiryIn, Ms: 1e6}})
	sample(wire.OpKVExpire, &wire.KVExpire{DB: 3, Key: a, Expiry: wire.Expiry{Kind: wire.ExpiryIn, Ms: 1e6}})
	sample(wire.OpKVPersist, &wire.KVKey{DB: 3, Key: a})
	sample(wire.OpKVStat, &wire.KVKey{DB: 3, Key: a})
	sample(wire.OpKVMSet, &wire.KVMSet{DB: 3, Pairs: []wire.KVPair{{Key: a, Value: a}, {Key: b, Value: b}}})
	sample(wire.OpKVMGet, &wire.KVKeys{DB: 3, Keys: [][]byte{a, b}})
	sample(wire.OpKVScan, &wire.KVScan{DB: 3, Prefix: []byte("s")})
	sample(wire.OpKVCount, &wire.KVDB{DB: 3})
	sample(wire.OpKVRandom, &wire.KVDB{DB: 3})
	incr := wire.KVIncr{DB: 3, Key: []byte("sample:n"), By: 1}
	sample(wire.OpKVTxn, &wire.KVTxn{
		Compares: []wire.KVCompare{{DB: 3, Key: []byte("sample:none")}},
		Ops:      []wire.KVOp{{Op: wire.OpKVIncr, Body: incr.Append(nil)}},
	})
	sample(wire.OpKVCopy, &wire.KVCopy{DB: 3, DstDB: 3, Src: a, Dst: []byte("sample:c")})
	sample(wire.OpKVRename, &wire.KVCopy{DB: 3, DstDB: 3, Src: []byte("sample:c"), Dst: []byte("sample:d")})
	sample(wire.OpKVMove, &wire.KVCopy{DB: 3, DstDB: 4, Src: []byte("sample:d"), Dst: []byte("sample:d")})
	sample(wire.OpKVSetBit, &wire.KVBit{DB: 3, Key: b, Offset: 9, Bit: 1})
	sample(wire.OpKVGetBit, &wire.KVBit{DB: 3, Key: b, Offset: 9})
	sample(wire.OpKVBitCount, &wire.KVBitScan{DB: 3, Key: b})
	sample(wire.OpKVBitPos, &wire.KVBitScan{DB: 3, Key: b, Bit: 1})
	sample(wire.OpKVBitOp, &wire.KVBitOp{DB: 3, Kind: wire.BitXor, Dst: []byte("sample:x"), Srcs: [][]byte{a, b}})
	sample(wire.OpKVBitField, &wire.KVBitField{DB: 3, Key: b, Ops: []wire.BitFieldOp{{Kind: wire.BitFieldIncr, Bits: 8, Value: 1}}})
	sample(wire.OpKVLCS, &wire.KVLCS{DB: 3, A: a, B: b})
	sample(wire.OpKVGetDel, &wire.KVKey{DB: 3, Key: a})
	sample(wire.OpKVDel, &wire.KVDel{DB: 3, Key: b})
	sample(wire.OpKVMDel, &wire.KVKeys{DB: 3, Keys: [][]byte{a, b}})
	sample(wire.OpKVSwap, &wire.KVDB{DB: 3, Other: 4})
	sample(wire.OpKVFlush, &wire.KVDB{DB: 3})
	sample(wire.OpKVStats, &wire.KVKey{})
	return spec
}

func TestTheEngineKeepsItsContract(t *testing.T) {
	worlds.Contract(t, contract())
}
