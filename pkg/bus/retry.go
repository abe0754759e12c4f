package bus

import "github.com/skshohagmiah/flin/pkg/wire"

// repeatable are the operations that change nothing, so that they may be sent again when it is not known whether they were
// executed. A write is not among them even if a second time leaves what the first has left: another client's write may
// have come between, and would be undone. A find or an aggregation that is sent again may leave a cursor behind, which goes by
// itself; what reads on with a cursor or hands something out may not be sent again.
var repeatable = map[wire.Op]bool{
	wire.OpKVGet: true, wire.OpKVExists: true, wire.OpKVGetRange: true, wire.OpKVStat: true, wire.OpKVMGet: true,
	wire.OpKVScan: true, wire.OpKVCount: true, wire.OpKVRandom: true, wire.OpKVGetBit: true, wire.OpKVBitCount: true,
	wire.OpKVBitPos: true, wire.OpKVLCS: true, wire.OpKVStats: true,

	wire.OpQueuePeek: true, wire.OpQueueLen: true, wire.OpQueueInfo: true, wire.OpQueueList: true, wire.OpQueueGet: true,

	wire.OpStreamFetch: true, wire.OpStreamOffsets: true, wire.OpStreamList: true, wire.OpStreamInfo: true,
	wire.OpStreamGroups: true, wire.OpStreamGroup: true, wire.OpStreamHeartbeat: true,

	wire.OpDocFind: true, wire.OpDocCount: true, wire.OpDocDistinct: true, wire.OpDocAggregate: true, wire.OpDocExplain: true,
	wire.OpDocCollections: true, wire.OpDocIndexes: true, wire.OpDocStats: true,
}

// lostWith is the answer to a request that was on its way when its link ended, for the given reason.
func lostWith(req *wire.Request, reason string) wire.Response {
	switch {
	case req.Op.Streams():
		return wire.Failf(wire.Unavailable, "the stream is over: %s", reason)
	case repeatable[req.Op]:
		return wire.Failf(wire.Unavailable, "%v was not answered: %s", req.Op, reason)
	}
	return wire.Failf(wire.OutcomeUnknown, "%v may or may not have been executed: %s", req.Op, reason)
}
