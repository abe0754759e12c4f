package fsm

import (
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Kind says how an operation is executed.
type Kind uint8

// The kinds of operations.
const (
	None  Kind = iota // the engine has no such operation
	Read              // answered by Machine.Read, or as an ordered read by Apply
	Write             // proposed for a client
	Own               // proposed by the engine itself, never for a client
)

// row is what is known of an operation.
type row struct {
	kind  Kind
	slow  bool // a read that may touch the disk or many queues
	frees bool // gives space back
	check func(m *Machine, p *payloads, body []byte) error
	run   func(m *Machine, c *replica.Command, ans *wire.Response) error
	read  func(m *Machine, p *payloads, body, buf []byte) (wire.Response, error)
}

// ops has the operations by their low byte.
var ops = [256]row{
	wire.OpQueuePush & 0xFF:    {kind: Write, check: checkPush, run: push},
	wire.OpQueuePop & 0xFF:     {kind: Write, frees: true, check: checkPop, run: pop},
	wire.OpQueuePeek & 0xFF:    {kind: Read, slow: true, check: checkPeek, read: peek},
	wire.OpQueueLen & 0xFF:     {kind: Read, check: checkName, read: length},
	wire.OpQueueClear & 0xFF:   {kind: Write, frees: true, check: checkName, run: clearQueue},
	wire.OpQueueLease & 0xFF:   {kind: Write, check: checkPop, run: pop},
	wire.OpQueueAck & 0xFF:     {kind: Write, frees: true, check: checkAck, run: ack},
	wire.OpQueueNack & 0xFF:    {kind: Write, check: checkNack, run: nack},
	wire.OpQueueExtend & 0xFF:  {kind: Write, check: checkExtend, run: extend},
	wire.OpQueueReject & 0xFF:  {kind: Write, check: checkNack, run: nack},
	wire.OpQueueInfo & 0xFF:    {kind: Read, check: checkName, read: info},
	wire.OpQueueList & 0xFF:    {kind: Read, slow: true, check: checkList, read: list},
	wire.OpQueueCreate & 0xFF:  {kind: Write, check: checkCreate, run: create},
	wire.OpQueueGet & 0xFF:     {kind: Read, slow: true, check: checkID, read: get},
	wire.OpQueueRemove & 0xFF:  {kind: Write, frees: true, check: checkID, run: remove},
	wire.OpQueueDelete & 0xFF:  {kind: Write, frees: true, check: checkName, run: deleteQueue},
	wire.OpQueueRedrive & 0xFF: {kind: Write, check: checkRedrive, run: redrive},
	wire.OpQueuePause & 0xFF:   {kind: Write, check: checkName, run: pause},
	wire.OpQueueResume & 0xFF:  {kind: Write, check: checkName, run: pause},
	wire.OpQueueTick & 0xFF:    {kind: Own, frees: true, check: checkLimit, run: tick},
	wire.OpQueueReturn & 0xFF:  {kind: Own, check: checkReturn, run: giveBack},
	wire.OpQueueCollect & 0xFF: {kind: Own, frees: true, check: checkLimit, run: collect},
}

// KindOf says what kind of operation op is.
func KindOf(op wire.Op) Kind {
	if op.Engine() != wire.EngineQueue {
		return None
	}
	return ops[byte(op)].kind
}
