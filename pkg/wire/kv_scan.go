package wire

// ScanFlags modify a KVScan.
type ScanFlags uint8

const (
	ScanKeysOnly ScanFlags = 1 << iota // leave the values out
	ScanReverse                        // from the last key to the first
	ScanAfter                          // go on behind After
)

// KVScan reads a page of keys in order (OpKVScan): those that begin with Prefix, are not below Start and are below End
// (empty: no bound). The answer's Num is 1 if there is more; its Body is the key to go on after, by Bytes, then
// entries to the end. A page may be empty and still have more: Examine bounds how many keys are looked at.
type KVScan struct {
	DB         byte
	Flags      ScanFlags
	Limit      uint64 // entries in the page, at most MaxBatch; 0 means 1,000
	Examine    uint64 // keys to look at; 0 means no bound but the page's own
	Prefix     []byte
	Start, End []byte
	After      []byte // with ScanAfter
	Match      []byte // a glob as in Redis's SCAN; empty matches all
}

// Append appends the payload to b.
func (m *KVScan) Append(b []byte) []byte {
	b = AppendUvarint(append(b, m.DB, byte(m.Flags)), m.Limit)
	b = AppendUvarint(b, m.Examine)
	for _, p := range [...][]byte{m.Prefix, m.Start, m.End, m.After, m.Match} {
		b = AppendBytes(b, p)
	}
	return b
}

// Decode reads the payload p.
func (m *KVScan) Decode(p []byte) error {
	r := NewReader(p)
	m.DB, m.Flags = r.Byte(), ScanFlags(r.Byte())
	m.Limit, m.Examine = r.Uvarint(), r.Uvarint()
	for _, f := range [...]*[]byte{&m.Prefix, &m.Start, &m.End, &m.After, &m.Match} {
		*f = r.Bytes()
	}
	return r.Close()
}
