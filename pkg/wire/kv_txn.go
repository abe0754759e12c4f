package wire

// KVCompare is a condition of a KVTxn: the key has exactly this version; 0 means that it is not there.
type KVCompare struct {
	DB      byte
	Version uint64
	Key     []byte
}

// KVOp is one operation of a KVTxn: any key-value operation on single keys or batches, with its payload.
type KVOp struct {
	Op   Op
	Body []byte
}

// KVTxn compares, then operates, all in one entry (OpKVTxn). If a comparison fails the answer is Conflict, its Num the
// index of the comparison, and nothing is done; else its Body is a list of KVResult, one an operation. An operation
// that fails changes nothing and does not undo the others.
type KVTxn struct {
	Compares []KVCompare
	Ops      []KVOp
}

// Append appends the payload to b.
func (m *KVTxn) Append(b []byte) []byte {
	b = AppendUvarint(b, uint64(len(m.Compares)))
	for i := range m.Compares {
		c := &m.Compares[i]
		b = AppendBytes(AppendUvarint(append(b, c.DB), c.Version), c.Key)
	}
	b = AppendUvarint(b, uint64(len(m.Ops)))
	for i := range m.Ops {
		b = append(b, byte(m.Ops[i].Op))
		b = AppendBytes(b, m.Ops[i].Body)
	}
	return b
}

// Decode reads the payload p. It keeps the capacity of its slices.
func (m *KVTxn) Decode(p []byte) error {
	r := NewReader(p)
	m.Compares, m.Ops = m.Compares[:0], m.Ops[:0]
	for n := r.Count(MaxBatch); n > 0; n-- {
		m.Compares = append(m.Compares, KVCompare{DB: r.Byte(), Version: r.Uvarint(), Key: r.Bytes()})
	}
	for n := r.Count(MaxBatch); n > 0; n-- {
		m.Ops = append(m.Ops, KVOp{Op: Op(EngineKV)<<8 | Op(r.Byte()), Body: r.Bytes()})
	}
	return r.Close()
}

// AppendKVResult appends the answer of one operation of a transaction.
func AppendKVResult(b []byte, resp *Response) []byte {
	b = append(b, byte(resp.Code))
	b = AppendUvarint(b, resp.Rev)
	b = AppendVarint(b, resp.Num)
	return AppendBytes(b, resp.Body)
}

// TakeKVResult reads the next answer of a transaction's list from r.
func TakeKVResult(r *Reader) Response {
	return Response{Code: Code(r.Byte()), Rev: r.Uvarint(), Num: r.Varint(), Body: r.Bytes()}
}
