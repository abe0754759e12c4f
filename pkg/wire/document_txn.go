package wire

// MaxDocTransaction is how long, in milliseconds, a transaction may be open.
const MaxDocTransaction = 60_000

// MongoDB's codes of what can happen to a transaction, besides DocWriteConflict.
const (
	DocNoSuchTransaction = 251 // also of one that was open for too long
	DocNotInTransaction  = 263 // the operation is none of those that a transaction may have
)

// DocTxn names a transaction. OpDocBegin has no payload; Num is the number of the transaction, which sees what was committed before
// it and nothing that is committed later. It is in the memory of one node and ends with a commit (OpDocCommit), an abort
// (OpDocAbort), any error of a write of it, after MaxDocTransaction, or with the leader. What it has written is seen by nobody else
// until it is committed, at one moment. A commit is Conflict with DocWriteConflict if a document that it has written was written by
// somebody else since it began: nothing is done then, and all may be tried again. Num of a commit is how many documents were
// written; Num of an abort is 1 if the transaction was open.
type DocTxn struct{ Txn uint64 }

// Append appends the payload to b.
func (m *DocTxn) Append(b []byte) []byte { return AppendUvarint(b, m.Txn) }

// Decode reads the payload p.
func (m *DocTxn) Decode(p []byte) error {
	r := NewReader(p)
	m.Txn = r.Uvarint()
	return r.Close()
}

// DocIn executes an operation in a transaction (OpDocIn): OpDocInsert, OpDocFind, OpDocCount, OpDocDistinct, OpDocAggregate,
// OpDocUpdate, OpDocDelete, OpDocModify. The answer is that of the operation; OpDocMore goes on with a cursor of it as
// with any. A transaction executes one operation at a time. One that is not open is NotFound with DocNoSuchTransaction.
type DocIn struct {
	Txn  uint64
	Op   Op
	Body []byte // the operation's payload
}

// Append appends the payload to b.
func (m *DocIn) Append(b []byte) []byte {
	return append(append(AppendUvarint(b, m.Txn), byte(m.Op)), m.Body...)
}

// Decode reads the payload p.
func (m *DocIn) Decode(p []byte) error {
	r := NewReader(p)
	m.Txn, m.Op = r.Uvarint(), Op(EngineDoc)<<8|Op(r.Byte())
	m.Body = r.Rest()
	return r.Close()
}
