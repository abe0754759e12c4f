package wire

// KVCopy makes a second key of one (OpKVRename, OpKVCopy, OpKVMove). Without Replace a destination that is there makes
// Num 0 and changes nothing. Rename and move remove the source. A missing source is NotFound.
type KVCopy struct {
	DB, DstDB byte
	Replace   bool
	Src, Dst  []byte
}

// Append appends the payload to b.
func (m *KVCopy) Append(b []byte) []byte {
	b = append(b, m.DB, m.DstDB, boolByte(m.Replace))
	return append(AppendBytes(b, m.Src), m.Dst...)
}

// Decode reads the payload p.
func (m *KVCopy) Decode(p []byte) error {
	r := NewReader(p)
	m.DB, m.DstDB, m.Replace = r.Byte(), r.Byte(), r.Byte() != 0
	m.Src = r.Bytes()
	m.Dst = r.Rest()
	return r.Close()
}

// KVDB names a database (OpKVFlush, which takes AllDatabases; OpKVRandom, whose Body is a key, or Empty; OpKVCount,
// which counts the keys that begin with Prefix into Num; OpKVSwap, which exchanges it with Other).
type KVDB struct {
	DB, Other byte
	Prefix    []byte
}

// Append appends the payload to b.
func (m *KVDB) Append(b []byte) []byte { return append(append(b, m.DB, m.Other), m.Prefix...) }

// Decode reads the payload p.
func (m *KVDB) Decode(p []byte) error {
	r := NewReader(p)
	m.DB, m.Other = r.Byte(), r.Byte()
	m.Prefix = r.Rest()
	return r.Close()
}
