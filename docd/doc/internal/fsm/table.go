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
	frees bool // gives space back
	check func(p *payloads, body []byte) error
	run   func(m *Machine, c *replica.Command, ans *wire.Response) error
	read  func(m *Machine, p *payloads, buf []byte) (wire.Response, error)
}

// ops has the operations by their low byte.
var ops = [256]row{
	wire.OpDocInsert & 0xFF:      {kind: Engine, check: checkInsert},
	wire.OpDocFind & 0xFF:        {kind: Engine, check: checkFind},
	wire.OpDocUpdate & 0xFF:      {kind: Engine, check: checkUpdate},
	wire.OpDocDelete & 0xFF:      {kind: Engine, frees: true, check: checkUpdate},
	wire.OpDocIndex & 0xFF:       {kind: Write, check: checkIndex, run: createIndex},
	wire.OpDocMore & 0xFF:        {kind: Engine, check: checkMore},
	wire.OpDocKill & 0xFF:        {kind: Engine, check: checkKill},
	wire.OpDocCount & 0xFF:       {kind: Engine, check: checkFind},
	wire.OpDocDistinct & 0xFF:    {kind: Engine, check: checkFind},
	wire.OpDocAggregate & 0xFF:   {kind: Engine, check: checkAggregate},
	wire.OpDocModify & 0xFF:      {kind: Engine, check: checkUpdate},
	wire.OpDocExplain & 0xFF:     {kind: Engine, check: checkExplain},
	wire.OpDocCollections & 0xFF: {kind: Read, check: checkList, read: listCollections},
	wire.OpDocCreate & 0xFF:      {kind: Write, check: checkName, run: createCollection},
	wire.OpDocDrop & 0xFF:        {kind: Write, frees: true, check: checkDrop, run: dropCollections},
	wire.OpDocIndexes & 0xFF:     {kind: Read, check: checkName, read: listIndexes},
	wire.OpDocDropIndex & 0xFF:   {kind: Write, frees: true, check: checkDropIndex, run: dropIndex},
	wire.OpDocWrite & 0xFF:       {kind: Engine, check: checkWrite},
	wire.OpDocStats & 0xFF:       {kind: Read, check: checkName, read: collectionStats},
	wire.OpDocBegin & 0xFF:       {kind: Engine, check: checkBegin},
	wire.OpDocIn & 0xFF:          {kind: Engine, check: checkIn},
	wire.OpDocCommit & 0xFF:      {kind: Engine, check: checkTxn},
	wire.OpDocAbort & 0xFF:       {kind: Engine, check: checkTxn},
	wire.OpDocWatch & 0xFF:       {kind: Engine, check: checkWatch},
	wire.OpDocFeed & 0xFF:        {kind: Write, check: checkFeed, run: setFeed},
	wire.OpDocApply & 0xFF:       {kind: Own, check: checkApply, run: applyChanges},
	wire.OpDocBuild & 0xFF:       {kind: Own, check: checkLimit, run: build},
	wire.OpDocExpire & 0xFF:      {kind: Own, frees: true, check: checkLimit, run: expire},
	wire.OpDocCollect & 0xFF:     {kind: Own, frees: true, check: checkLimit, run: collect},
	wire.OpDocTrim & 0xFF:        {kind: Own, frees: true, check: checkTrim, run: trim},
}

// KindOf says what kind of operation op is.
func KindOf(op wire.Op) Kind {
	if op.Engine() != wire.EngineDoc {
		return None
	}
	return ops[byte(op)].kind
}
