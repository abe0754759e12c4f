package fsm

import (
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Kind says how an operation is executed.
type Kind uint8

// The kinds of operations.
const (
	None   Kind = iota // the engine has no such operation
	Read               // answered by Machine.Read, or as an ordered read by Apply
	Write              // proposed for a client
	Own                // proposed by the engine itself, never for a client
	Engine             // answered by the engine, with the help of the machine; never proposed but as an ordered read, which only waits
)

// row is what is known of an operation.
type row struct {
	kind  Kind
	slow  bool // a read that may touch the disk or many topics
	frees bool // gives space back
	check func(m *Machine, p *payloads, body []byte) error
	run   func(m *Machine, c *replica.Command, ans *wire.Response) error
	read  func(m *Machine, p *payloads, body, buf []byte) (wire.Response, error)
}

// ops has the operations by their low byte.
var ops = [256]row{
	wire.OpStreamPublish & 0xFF:     {kind: Engine, check: checkPublish},
	wire.OpStreamConsume & 0xFF:     {kind: Engine, check: checkConsume},
	wire.OpStreamCommit & 0xFF:      {kind: Write, check: checkCommit, run: commitOffsets},
	wire.OpStreamCreate & 0xFF:      {kind: Write, check: checkCreate, run: createTopic},
	wire.OpStreamSubscribe & 0xFF:   {kind: Write, check: checkSubscribe, run: subscribe},
	wire.OpStreamUnsubscribe & 0xFF: {kind: Write, frees: true, check: checkUnsubscribe, run: unsubscribe},
	wire.OpStreamOffsets & 0xFF:     {kind: Read, slow: true, check: checkOffsets, read: lookUp},
	wire.OpStreamFetch & 0xFF:       {kind: Engine, check: checkFetch},
	wire.OpStreamAppend & 0xFF:      {kind: Write, check: checkAppend, run: appendBatch},
	wire.OpStreamProducer & 0xFF:    {kind: Write, check: checkNothing, run: newProducer},
	wire.OpStreamAlter & 0xFF:       {kind: Write, check: checkAlter, run: alterTopic},
	wire.OpStreamDelete & 0xFF:      {kind: Write, frees: true, check: checkTopic, run: deleteTopic},
	wire.OpStreamList & 0xFF:        {kind: Read, slow: true, check: checkList, read: listTopics},
	wire.OpStreamInfo & 0xFF:        {kind: Read, check: checkTopic, read: topicInfo},
	wire.OpStreamHeartbeat & 0xFF:   {kind: Engine, check: checkHeartbeat},
	wire.OpStreamGroups & 0xFF:      {kind: Read, slow: true, check: checkList, read: listGroups},
	wire.OpStreamGroup & 0xFF:       {kind: Read, slow: true, check: checkGroupName, read: groupInfo},
	wire.OpStreamReset & 0xFF:       {kind: Write, check: checkReset, run: resetOffsets},
	wire.OpStreamSeek & 0xFF:        {kind: Engine, check: checkSeek},
	wire.OpStreamDeleteGroup & 0xFF: {kind: Write, frees: true, check: checkGroupName, run: deleteGroup},
	wire.OpStreamEvict & 0xFF:       {kind: Own, frees: true, check: checkEvict, run: evict},
	wire.OpStreamRetain & 0xFF:      {kind: Own, frees: true, check: checkLimit, run: retain},
	wire.OpStreamExpire & 0xFF:      {kind: Own, frees: true, check: checkLimit, run: expire},
	wire.OpStreamCollect & 0xFF:     {kind: Own, frees: true, check: checkLimit, run: collect},
}

// KindOf says what kind of operation op is.
func KindOf(op wire.Op) Kind {
	if op.Engine() != wire.EngineStream {
		return None
	}
	return ops[byte(op)].kind
}
