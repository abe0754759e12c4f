package fsm

import "github.com/skshohagmiah/flin/pkg/wire"

// Kind says what an operation does and so how it is served.
type Kind uint8

const (
	None   Kind = iota // no such operation
	Read               // looks at a few keys: inline where a local read is linearizable
	Write              // goes through the log
	Scan               // may look at many keys: on the workers, over a view
	Stream             // answers more than once
	Own                // the engine proposes it itself; nobody else may
)

// Row is what the engine knows of an operation.
type Row struct {
	Kind Kind
	// Run serves a read or a write. Its error is the answer where it is a *wire.Error that is not Internal, else a fault.
	// An operation outside a transaction that fails leaves nothing behind; inside one it must fail before it writes.
	Run func(tx *Tx, body []byte, ans *wire.Response) error
	// Scan serves a scan.
	Scan func(q *Query, body []byte, ans *wire.Response) error
	// Pure reports that this payload makes a read of a write. It may be nil. t is the table itself.
	Pure func(t *Table, body []byte) bool
	// Whole says that a read looks at several keys in its own time, and so must be ordered by the log to see one moment.
	Whole bool
	// Txn allows the operation in a transaction.
	Txn bool
}

// Table has a row for every operation, by its low byte.
type Table [256]Row

// Row returns the operation's row. One that does not exist has the kind None.
func (t *Table) Row(op wire.Op) *Row {
	if op.Engine() != wire.EngineKV {
		return &t[0]
	}
	return &t[byte(op)]
}

// Ops is the engine's one table of operations.
var Ops = Table{
	wire.OpKVSet & 0xFF:       {Kind: Write, Run: set, Txn: true},
	wire.OpKVGet & 0xFF:       {Kind: Read, Run: get, Txn: true},
	wire.OpKVDel & 0xFF:       {Kind: Write, Run: del, Txn: true},
	wire.OpKVExists & 0xFF:    {Kind: Read, Run: exists, Txn: true},
	wire.OpKVIncr & 0xFF:      {Kind: Write, Run: incr, Txn: true},
	wire.OpKVDecr & 0xFF:      {Kind: Write, Run: decr, Txn: true},
	wire.OpKVIncrFloat & 0xFF: {Kind: Write, Run: incrFloat, Txn: true},
	wire.OpKVAppend & 0xFF:    {Kind: Write, Run: appendTo, Txn: true},
	wire.OpKVGetRange & 0xFF:  {Kind: Read, Run: getRange, Txn: true},
	wire.OpKVSetRange & 0xFF:  {Kind: Write, Run: setRange, Txn: true},
	wire.OpKVGetDel & 0xFF:    {Kind: Write, Run: getDel, Txn: true},
	wire.OpKVGetEx & 0xFF:     {Kind: Write, Run: getEx, Pure: pureGetEx, Txn: true},
	wire.OpKVExpire & 0xFF:    {Kind: Write, Run: expire, Txn: true},
	wire.OpKVPersist & 0xFF:   {Kind: Write, Run: persist, Txn: true},
	wire.OpKVStat & 0xFF:      {Kind: Read, Run: stat, Txn: true},
	wire.OpKVMSet & 0xFF:      {Kind: Write, Run: mset, Txn: true},
	wire.OpKVMGet & 0xFF:      {Kind: Read, Run: mget, Txn: true},
	wire.OpKVMDel & 0xFF:      {Kind: Write, Run: mdel, Txn: true},
	wire.OpKVScan & 0xFF:      {Kind: Scan, Scan: page},
	wire.OpKVCount & 0xFF:     {Kind: Scan, Scan: countKeys},
	wire.OpKVRandom & 0xFF:    {Kind: Scan, Scan: random},
	wire.OpKVTxn & 0xFF:       {Kind: Write, Run: txn, Pure: pureTxn, Whole: true},
	wire.OpKVWatch & 0xFF:     {Kind: Stream},
	wire.OpKVRename & 0xFF:    {Kind: Write, Run: rename, Txn: true},
	wire.OpKVCopy & 0xFF:      {Kind: Write, Run: copyKey, Txn: true},
	wire.OpKVFlush & 0xFF:     {Kind: Write, Run: flush, Txn: true},
	wire.OpKVSwap & 0xFF:      {Kind: Write, Run: swap, Txn: true},
	wire.OpKVSetBit & 0xFF:    {Kind: Write, Run: setBit, Txn: true},
	wire.OpKVGetBit & 0xFF:    {Kind: Read, Run: getBit, Txn: true},
	wire.OpKVBitCount & 0xFF:  {Kind: Read, Run: bitCount, Txn: true},
	wire.OpKVBitPos & 0xFF:    {Kind: Read, Run: bitPos, Txn: true},
	wire.OpKVBitOp & 0xFF:     {Kind: Write, Run: bitOp, Txn: true},
	wire.OpKVBitField & 0xFF:  {Kind: Write, Run: bitField, Pure: pureBitField, Txn: true},
	wire.OpKVLCS & 0xFF:       {Kind: Read, Run: lcs, Txn: true},
	wire.OpKVMove & 0xFF:      {Kind: Write, Run: move, Txn: true},
	wire.OpKVStats & 0xFF:     {Kind: Scan, Scan: stats},
	wire.OpKVSweep & 0xFF:     {Kind: Own, Run: sweep},
	wire.OpKVCollect & 0xFF:   {Kind: Own, Run: collect},
}
