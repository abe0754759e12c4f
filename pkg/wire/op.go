package wire

import "fmt"

// Op is an operation's number: the high byte names the engine, the low byte the operation. Numbers are never reused.
type Op uint16

// EngineID is the high byte of an Op.
type EngineID uint8

// The engines, and the pseudo engine that answers for a connection itself.
const (
	EngineKV     EngineID = 0x01
	EngineQueue  EngineID = 0x02
	EngineStream EngineID = 0x03
	EngineDoc    EngineID = 0x04
	EngineAdmin  EngineID = 0x7F
)

// Engine returns the engine that serves the operation.
func (op Op) Engine() EngineID { return EngineID(op >> 8) }

// String returns the operation's name as it appears in logs and metrics, or its number where it has none.
func (op Op) String() string {
	if name, ok := opNames[op]; ok {
		return name
	}
	return fmt.Sprintf("op-%#04x", uint16(op))
}

// String returns the engine's name as it appears in paths, subjects and metrics.
func (id EngineID) String() string {
	switch id {
	case EngineKV:
		return "kv"
	case EngineQueue:
		return "queue"
	case EngineStream:
		return "stream"
	case EngineDoc:
		return "doc"
	case EngineAdmin:
		return "admin"
	}
	return fmt.Sprintf("engine-%#02x", uint8(id))
}

// Operations on a connection. They are answered by the front and never reach an engine.
const (
	OpHello  Op = 0x7F01 // Hello → Welcome; must be the first frame
	OpPing   Op = 0x7F02 // body comes back
	OpCancel Op = 0x7F03 // withdraws the request whose id is in the body; has no answer of its own
	OpCredit Op = 0x7F04 // grants a streaming request more answers; has no answer of its own
)

// Operations of the key-value engine. The payload types are in kv.go, named after the operation.
const (
	OpKVSet       Op = 0x0101
	OpKVGet       Op = 0x0102
	OpKVDel       Op = 0x0103
	OpKVExists    Op = 0x0104
	OpKVIncr      Op = 0x0105
	OpKVDecr      Op = 0x0106
	OpKVIncrFloat Op = 0x0107
	OpKVAppend    Op = 0x0108
	OpKVGetRange  Op = 0x0109
	OpKVSetRange  Op = 0x010A
	OpKVGetDel    Op = 0x010B
	OpKVGetEx     Op = 0x010C
	OpKVExpire    Op = 0x010D
	OpKVPersist   Op = 0x010E
	OpKVStat      Op = 0x010F
	OpKVMSet      Op = 0x0110
	OpKVMGet      Op = 0x0111
	OpKVMDel      Op = 0x0112
	OpKVScan      Op = 0x0113
	OpKVCount     Op = 0x0114
	OpKVRandom    Op = 0x0115
	OpKVTxn       Op = 0x0116
	OpKVWatch     Op = 0x0117
	OpKVRename    Op = 0x0118
	OpKVCopy      Op = 0x0119
	OpKVFlush     Op = 0x011A
	OpKVSwap      Op = 0x011B
	OpKVSetBit    Op = 0x011C
	OpKVGetBit    Op = 0x011D
	OpKVBitCount  Op = 0x011E
	OpKVBitPos    Op = 0x011F
	OpKVBitOp     Op = 0x0120
	OpKVBitField  Op = 0x0121
	OpKVLCS       Op = 0x0122
	OpKVMove      Op = 0x0123
	OpKVStats     Op = 0x0124
	OpKVSweep     Op = 0x01F0 // proposed by the engine itself: removes what has expired
	OpKVCollect   Op = 0x01F1 // proposed by the engine itself: removes what a flushed database left
)

// Operations of the queue engine. The payload types are in queue.go and the files beside it.
const (
	OpQueuePush    Op = 0x0220
	OpQueuePop     Op = 0x0221
	OpQueuePeek    Op = 0x0222
	OpQueueLen     Op = 0x0223
	OpQueueClear   Op = 0x0224
	OpQueueLease   Op = 0x0225
	OpQueueAck     Op = 0x0226
	OpQueueNack    Op = 0x0227
	OpQueueExtend  Op = 0x0228
	OpQueueReject  Op = 0x0229
	OpQueueInfo    Op = 0x022A
	OpQueueList    Op = 0x022B
	OpQueueCreate  Op = 0x022C
	OpQueueGet     Op = 0x022D
	OpQueueRemove  Op = 0x022E
	OpQueueDelete  Op = 0x022F
	OpQueueRedrive Op = 0x0230
	OpQueuePause   Op = 0x0231
	OpQueueResume  Op = 0x0232
	OpQueueTick    Op = 0x02F0 // proposed by the engine itself: what is due by time
	OpQueueReturn  Op = 0x02F1 // proposed by the engine itself: puts back what could not be handed over
	OpQueueCollect Op = 0x02F2 // proposed by the engine itself: removes what a cleared or deleted queue left
)

// Operations of the stream engine. The payload types are in stream.go and the files beside it.
const (
	OpStreamPublish     Op = 0x0330
	OpStreamConsume     Op = 0x0331
	OpStreamCommit      Op = 0x0332
	OpStreamCreate      Op = 0x0333
	OpStreamSubscribe   Op = 0x0334
	OpStreamUnsubscribe Op = 0x0335
	OpStreamOffsets     Op = 0x0336
	OpStreamFetch       Op = 0x0337
	OpStreamAppend      Op = 0x0338
	OpStreamProducer    Op = 0x0339
	OpStreamAlter       Op = 0x033A
	OpStreamDelete      Op = 0x033B
	OpStreamList        Op = 0x033C
	OpStreamInfo        Op = 0x033D
	OpStreamHeartbeat   Op = 0x033E
	OpStreamGroups      Op = 0x033F
	OpStreamGroup       Op = 0x0340
	OpStreamReset       Op = 0x0341
	OpStreamSeek        Op = 0x0342
	OpStreamDeleteGroup Op = 0x0343
	OpStreamEvict       Op = 0x03F0 // proposed by the engine itself: removes members that have stopped
	OpStreamRetain      Op = 0x03F1 // proposed by the engine itself: removes what is older or more than a topic keeps
	OpStreamExpire      Op = 0x03F2 // proposed by the engine itself: forgets offsets of empty groups, and idle producers
	OpStreamCollect     Op = 0x03F3 // proposed by the engine itself: removes what a deleted topic left
)

// Operations of the document engine. The payload types are in document.go and the files beside it.
const (
	OpDocInsert      Op = 0x0440
	OpDocFind        Op = 0x0441
	OpDocUpdate      Op = 0x0442
	OpDocDelete      Op = 0x0443
	OpDocIndex       Op = 0x0444
	OpDocMore        Op = 0x0445
	OpDocKill        Op = 0x0446
	OpDocCount       Op = 0x0447
	OpDocDistinct    Op = 0x0448
	OpDocAggregate   Op = 0x0449
	OpDocModify      Op = 0x044A
	OpDocExplain     Op = 0x044B
	OpDocCollections Op = 0x044C
	OpDocCreate      Op = 0x044D
	OpDocDrop        Op = 0x044E
	OpDocIndexes     Op = 0x044F
	OpDocDropIndex   Op = 0x0450
	OpDocWrite       Op = 0x0451
	OpDocStats       Op = 0x0452
	OpDocBegin       Op = 0x0453
	OpDocIn          Op = 0x0454
	OpDocCommit      Op = 0x0455
	OpDocAbort       Op = 0x0456
	OpDocWatch       Op = 0x0457
	OpDocFeed        Op = 0x0458
	OpDocApply       Op = 0x04F0 // proposed by the engine itself: writes of documents that it has looked up
	OpDocBuild       Op = 0x04F1 // proposed by the engine itself: a piece of an index that is being built
	OpDocExpire      Op = 0x04F2 // proposed by the engine itself: removes documents whose time by a TTL index has come
	OpDocCollect     Op = 0x04F3 // proposed by the engine itself: removes what dropped collections and indexes left
	OpDocTrim        Op = 0x04F4 // proposed by the engine itself: removes recorded changes that are kept no longer
)

var opNames = map[Op]string{
	OpHello: "hello", OpPing: "ping", OpCancel: "cancel", OpCredit: "credit",
	OpKVSet: "set", OpKVGet: "get", OpKVDel: "del", OpKVExists: "exists", OpKVIncr: "incr", OpKVDecr: "decr",
	OpKVIncrFloat: "incrfloat", OpKVAppend: "append", OpKVGetRange: "getrange", OpKVSetRange: "setrange",
	OpKVGetDel: "getdel", OpKVGetEx: "getex", OpKVExpire: "expire", OpKVPersist: "persist", OpKVStat: "stat",
	OpKVMSet: "mset", OpKVMGet: "mget", OpKVMDel: "mdel", OpKVScan: "scan", OpKVCount: "count",
	OpKVRandom: "random", OpKVTxn: "txn", OpKVWatch: "watch", OpKVRename: "rename", OpKVCopy: "copy",
	OpKVFlush: "flush", OpKVSwap: "swap", OpKVSetBit: "setbit", OpKVGetBit: "getbit", OpKVBitCount: "bitcount",
	OpKVBitPos: "bitpos", OpKVBitOp: "bitop", OpKVBitField: "bitfield", OpKVLCS: "lcs", OpKVMove: "move",
	OpKVStats: "stats", OpKVSweep: "sweep", OpKVCollect: "collect",
	OpQueuePush: "queue-push", OpQueuePop: "queue-pop", OpQueuePeek: "queue-peek", OpQueueLen: "queue-len", OpQueueClear: "queue-clear", OpQueueLease: "queue-lease", OpQueueAck: "queue-ack", OpQueueNack: "queue-nack", OpQueueExtend: "queue-extend", OpQueueReject: "queue-reject", OpQueueInfo: "queue-info", OpQueueList: "queue-list", OpQueueCreate: "queue-create", OpQueueGet: "queue-get", OpQueueRemove: "queue-remove", OpQueueDelete: "queue-delete", OpQueueRedrive: "queue-redrive", OpQueuePause: "queue-pause", OpQueueResume: "queue-resume",
	OpQueueTick: "queue-tick", OpQueueReturn: "queue-return", OpQueueCollect: "queue-collect",
	OpStreamPublish: "stream-publish", OpStreamConsume: "stream-consume", OpStreamCommit: "stream-commit", OpStreamCreate: "stream-create", OpStreamSubscribe: "stream-subscribe", OpStreamUnsubscribe: "stream-unsubscribe", OpStreamOffsets: "stream-offsets", OpStreamFetch: "stream-fetch", OpStreamAppend: "stream-append", OpStreamProducer: "stream-producer",
	OpStreamAlter: "stream-alter", OpStreamDelete: "stream-delete", OpStreamList: "stream-list", OpStreamInfo: "stream-info", OpStreamHeartbeat: "stream-heartbeat", OpStreamGroups: "stream-groups", OpStreamGroup: "stream-group", OpStreamReset: "stream-reset", OpStreamSeek: "stream-seek", OpStreamDeleteGroup: "stream-delete-group",
	OpStreamEvict: "stream-evict", OpStreamRetain: "stream-retain", OpStreamExpire: "stream-expire", OpStreamCollect: "stream-collect",
	OpDocInsert: "doc-insert", OpDocFind: "doc-find", OpDocUpdate: "doc-update", OpDocDelete: "doc-delete", OpDocIndex: "doc-index", OpDocMore: "doc-more", OpDocKill: "doc-kill", OpDocCount: "doc-count", OpDocDistinct: "doc-distinct", OpDocAggregate: "doc-aggregate",
	OpDocModify: "doc-modify", OpDocExplain: "doc-explain", OpDocCollections: "doc-collections", OpDocCreate: "doc-create", OpDocDrop: "doc-drop", OpDocIndexes: "doc-indexes", OpDocDropIndex: "doc-dropindex", OpDocWrite: "doc-write", OpDocStats: "doc-stats", OpDocBegin: "doc-begin", OpDocIn: "doc-in", OpDocCommit: "doc-commit", OpDocAbort: "doc-abort", OpDocWatch: "doc-watch", OpDocFeed: "doc-feed",
	OpDocApply: "doc-apply", OpDocBuild: "doc-build", OpDocExpire: "doc-expire", OpDocCollect: "doc-collect", OpDocTrim: "doc-trim",
}
