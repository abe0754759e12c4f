package wire

// KVBit is one bit of a value (OpKVSetBit, OpKVGetBit). Num is the bit as it was. Bit 0 is the highest of the first byte.
type KVBit struct {
	DB     byte
	Bit    byte
	Offset uint64
	Key    []byte
}

// Append appends the payload to b.
func (m *KVBit) Append(b []byte) []byte {
	return append(AppendUvarint(append(b, m.DB, m.Bit), m.Offset), m.Key...)
}

// Decode reads the payload p.
func (m *KVBit) Decode(p []byte) error {
	r := NewReader(p)
	m.DB, m.Bit, m.Offset = r.Byte(), r.Byte(), r.Uvarint()
	m.Key = r.Rest()
	return r.Close()
}

// BitRange says which part of a value OpKVBitCount and OpKVBitPos look at.
type BitRange uint8

const (
	BitRangeStart BitRange = 1 << iota // from Start
	BitRangeEnd                        // to End, included
	BitRangeBits                       // Start and End are bits, not bytes
)

// KVBitScan counts the bits that are set (OpKVBitCount) or finds the first that is Bit (OpKVBitPos), with the meaning
// that Redis gives to the bounds. Num is the answer.
type KVBitScan struct {
	DB         byte
	Bit        byte
	Range      BitRange
	Start, End int64
	Key        []byte
}

// Append appends the payload to b.
func (m *KVBitScan) Append(b []byte) []byte {
	b = AppendVarint(append(b, m.DB, m.Bit, byte(m.Range)), m.Start)
	return append(AppendVarint(b, m.End), m.Key...)
}

// Decode reads the payload p.
func (m *KVBitScan) Decode(p []byte) error {
	r := NewReader(p)
	m.DB, m.Bit, m.Range = r.Byte(), r.Byte(), BitRange(r.Byte())
	m.Start, m.End = r.Varint(), r.Varint()
	m.Key = r.Rest()
	return r.Close()
}

// BitOpKind is the function of a KVBitOp.
type BitOpKind uint8

// The functions that Redis's BITOP knows.
const (
	BitAnd BitOpKind = iota
	BitOr
	BitXor
	BitNot
)

// KVBitOp combines values bit by bit into Dst (OpKVBitOp). Num is the length of the result; an empty one removes Dst.
type KVBitOp struct {
	DB   byte
	Kind BitOpKind
	Dst  []byte
	Srcs [][]byte
}

// Append appends the payload to b.
func (m *KVBitOp) Append(b []byte) []byte {
	b = AppendBytes(append(b, m.DB, byte(m.Kind)), m.Dst)
	b = AppendUvarint(b, uint64(len(m.Srcs)))
	for _, k := range m.Srcs {
		b = AppendBytes(b, k)
	}
	return b
}

// Decode reads the payload p.
func (m *KVBitOp) Decode(p []byte) error {
	r := NewReader(p)
	m.DB, m.Kind = r.Byte(), BitOpKind(r.Byte())
	m.Dst = r.Bytes()
	m.Srcs = takeKeys(&r, m.Srcs[:0])
	return r.Close()
}

// BitFieldKind is what a BitFieldOp does.
type BitFieldKind uint8

// The operations of Redis's BITFIELD.
const (
	BitFieldGet BitFieldKind = iota
	BitFieldSet
	BitFieldIncr
)

// Overflow says what a BitFieldOp does when its number does not fit.
type Overflow uint8

// The behaviours of Redis's OVERFLOW.
const (
	OverflowWrap Overflow = iota
	OverflowSat
	OverflowFail
)

// BitFieldOp is one operation of a KVBitField on the Bits bits from bit Offset on.
type BitFieldOp struct {
	Kind     BitFieldKind
	Overflow Overflow
	Signed   bool
	Bits     uint8
	Offset   uint64
	Value    int64
}

// KVBitField reads and writes integers of any width inside a value (OpKVBitField). Body is a list: for each operation a
// byte, 1 if there is a result and 0 if it overflowed, then the result as a varint.
type KVBitField struct {
	DB  byte
	Key []byte
	Ops []BitFieldOp
}

// Append appends the payload to b.
func (m *KVBitField) Append(b []byte) []byte {
	b = AppendUvarint(AppendBytes(append(b, m.DB), m.Key), uint64(len(m.Ops)))
	for i := range m.Ops {
		o := &m.Ops[i]
		b = append(b, byte(o.Kind), byte(o.Overflow), boolByte(o.Signed), o.Bits)
		b = AppendVarint(AppendUvarint(b, o.Offset), o.Value)
	}
	return b
}

// Decode reads the payload p.
func (m *KVBitField) Decode(p []byte) error {
	r := NewReader(p)
	m.DB = r.Byte()
	m.Key = r.Bytes()
	m.Ops = m.Ops[:0]
	for n := r.Count(MaxBatch); n > 0; n-- {
		m.Ops = append(m.Ops, BitFieldOp{
			Kind: BitFieldKind(r.Byte()), Overflow: Overflow(r.Byte()), Signed: r.Byte() != 0, Bits: r.Byte(),
			Offset: r.Uvarint(), Value: r.Varint(),
		})
	}
	return r.Close()
}

// LCSFlags say what a KVLCS wants to know.
type LCSFlags uint8

const (
	LCSLen LCSFlags = 1 << iota // Num: the length alone
	LCSIdx                      // Num: the length; Body: the matches
)

// KVLCS finds the longest common subsequence of two values (OpKVLCS). Without flags Body is the subsequence. With
// LCSIdx it is a list of matches, last first, of five uvarints: first and last byte in A, in B, and the match's length.
type KVLCS struct {
	DB     byte
	Flags  LCSFlags
	MinLen uint64 // with LCSIdx: matches shorter than this are left out
	A, B   []byte
}

// Append appends the payload to b.
func (m *KVLCS) Append(b []byte) []byte {
	b = AppendBytes(AppendUvarint(append(b, m.DB, byte(m.Flags)), m.MinLen), m.A)
	return append(b, m.B...)
}

// Decode reads the payload p.
func (m *KVLCS) Decode(p []byte) error {
	r := NewReader(p)
	m.DB, m.Flags, m.MinLen = r.Byte(), LCSFlags(r.Byte()), r.Uvarint()
	m.A = r.Bytes()
	m.B = r.Rest()
	return r.Close()
}
