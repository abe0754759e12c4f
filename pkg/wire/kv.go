package wire

// The payloads of the key-value engine. Every one begins with the number of the database, a byte. Times are
// milliseconds since 1970. Slices that a decoder returns share memory with the payload.

// AllDatabases in place of a database number means every one, where an operation says that it may.
const AllDatabases = 0xFF

// SetFlags are the conditions and wishes of a KVSet.
type SetFlags uint8

const (
	SetIfAbsent  SetFlags = 1 << iota // else Exists
	SetIfPresent                      // else NotFound
	SetIfVersion                      // else Conflict; version 0 means absent
	SetReturnOld                      // the answer's Num is 1 and its Body the old value if there was one
)

// KVSet writes one key (OpKVSet). The answer's Rev is the new version. With SetReturnOld an unmet condition is no
// failure: the answer has Rev 0.
type KVSet struct {
	DB      byte
	Flags   SetFlags
	Expiry  Expiry
	Version uint64 // with SetIfVersion
	Key     []byte
	Value   []byte
}

// Append appends the payload to b.
func (m *KVSet) Append(b []byte) []byte {
	b = append(b, m.DB, byte(m.Flags))
	b = m.Expiry.append(b)
	if m.Flags&SetIfVersion != 0 {
		b = AppendUvarint(b, m.Version)
	}
	b = AppendBytes(b, m.Key)
	return append(b, m.Value...)
}

// Decode reads the payload p.
func (m *KVSet) Decode(p []byte) error {
	r := NewReader(p)
	m.DB, m.Flags = r.Byte(), SetFlags(r.Byte())
	m.Expiry = Expiry{}
	m.Expiry.take(&r)
	m.Version = 0
	if m.Flags&SetIfVersion != 0 {
		m.Version = r.Uvarint()
	}
	m.Key = r.Bytes()
	m.Value = r.Rest()
	return r.Close()
}

// KVKey names one key (OpKVGet, OpKVGetDel, OpKVPersist, OpKVStat).
//
// The answer of get and getdel: Rev the version, Num the expiry (0 none), Body the value, or NotFound.
// Persist: Num 1 if an expiry was taken away. Stat: as get, but Body is a KVStat.
type KVKey struct {
	DB  byte
	Key []byte
}

// Append appends the payload to b.
func (m *KVKey) Append(b []byte) []byte { return append(append(b, m.DB), m.Key...) }

// Decode reads the payload p.
func (m *KVKey) Decode(p []byte) error {
	r := NewReader(p)
	m.DB = r.Byte()
	m.Key = r.Rest()
	return r.Close()
}

// KVStat is the Body of a stat answer: what is known of a key without reading its value.
type KVStat struct {
	Type byte   // TypeString
	Size uint64 // bytes of the value
}

// TypeString is the only type of value so far.
const TypeString byte = 0

// Append appends the payload to b.
func (m *KVStat) Append(b []byte) []byte { return AppendUvarint(append(b, m.Type), m.Size) }

// Decode reads the payload p.
func (m *KVStat) Decode(p []byte) error {
	r := NewReader(p)
	m.Type, m.Size = r.Byte(), r.Uvarint()
	return r.Close()
}

// KVKeys names several keys (OpKVExists, OpKVMGet, OpKVMDel). Exists and mdel answer Num, the number of keys that
// were there (exists counts a key as often as it is named). Mget's Body is a KVEntryList without keys, in the order asked.
type KVKeys struct {
	DB   byte
	Keys [][]byte
}

// Append appends the payload to b.
func (m *KVKeys) Append(b []byte) []byte {
	b = AppendUvarint(append(b, m.DB), uint64(len(m.Keys)))
	for _, k := range m.Keys {
		b = AppendBytes(b, k)
	}
	return b
}

// Decode reads the payload p. It keeps the capacity of m.Keys.
func (m *KVKeys) Decode(p []byte) error {
	r := NewReader(p)
	m.DB = r.Byte()
	m.Keys = takeKeys(&r, m.Keys[:0])
	return r.Close()
}

func takeKeys(r *Reader, keys [][]byte) [][]byte {
	for n := r.Count(MaxBatch); n > 0; n-- {
		keys = append(keys, r.Bytes())
	}
	return keys
}

// KVDel removes one key (OpKVDel). The answer's Num is 1 if it was there. With IfVersion another version is Conflict.
type KVDel struct {
	DB        byte
	IfVersion bool
	Version   uint64
	Key       []byte
}

// Append appends the payload to b.
func (m *KVDel) Append(b []byte) []byte {
	b = append(b, m.DB, boolByte(m.IfVersion))
	if m.IfVersion {
		b = AppendUvarint(b, m.Version)
	}
	return append(b, m.Key...)
}

// Decode reads the payload p.
func (m *KVDel) Decode(p []byte) error {
	r := NewReader(p)
	m.DB, m.IfVersion = r.Byte(), r.Byte() != 0
	m.Version = 0
	if m.IfVersion {
		m.Version = r.Uvarint()
	}
	m.Key = r.Rest()
	return r.Close()
}

// KVIncr adds By to a counter, or takes it away (OpKVIncr, OpKVDecr). Num is the new value, Rev the version.
type KVIncr struct {
	DB  byte
	By  int64
	Key []byte
}

// Append appends the payload to b.
func (m *KVIncr) Append(b []byte) []byte {
	return append(AppendVarint(append(b, m.DB), m.By), m.Key...)
}

// Decode reads the payload p.
func (m *KVIncr) Decode(p []byte) error {
	r := NewReader(p)
	m.DB, m.By = r.Byte(), r.Varint()
	m.Key = r.Rest()
	return r.Close()
}

// KVPair is a key with a value, a number as text or bytes to add: a pair of an mset, OpKVIncrFloat (Body is the new
// value as text) and OpKVAppend (Num is the new length).
type KVPair struct {
	DB    byte
	Key   []byte
	Value []byte
}

// Append appends the payload to b.
func (m *KVPair) Append(b []byte) []byte {
	return append(AppendBytes(append(b, m.DB), m.Key), m.Value...)
}

// Decode reads the payload p.
func (m *KVPair) Decode(p []byte) error {
	r := NewReader(p)
	m.DB = r.Byte()
	m.Key = r.Bytes()
	m.Value = r.Rest()
	return r.Close()
}

// KVRange is a part of a value. OpKVGetRange: bytes Start to End, both included, negative from the end; Body is the
// part. OpKVSetRange: Value at Start; Num is the new length.
type KVRange struct {
	DB         byte
	Start, End int64
	Key, Value []byte
}

// Append appends the payload to b.
func (m *KVRange) Append(b []byte) []byte {
	b = AppendVarint(append(b, m.DB), m.Start)
	b = AppendVarint(b, m.End)
	b = AppendBytes(b, m.Key)
	return append(b, m.Value...)
}

// Decode reads the payload p.
func (m *KVRange) Decode(p []byte) error {
	r := NewReader(p)
	m.DB, m.Start, m.End = r.Byte(), r.Varint(), r.Varint()
	m.Key = r.Bytes()
	m.Value = r.Rest()
	return r.Close()
}

// KVMSet writes several keys, all or none (OpKVMSet). Of a key named twice the last value holds. With IfAbsent nothing
// is written if one is there: Exists. Rev is the version of all.
type KVMSet struct {
	DB       byte
	IfAbsent bool
	Pairs    []KVPair // their DB is not used
}

// Append appends the payload to b.
func (m *KVMSet) Append(b []byte) []byte {
	b = AppendUvarint(append(b, m.DB, boolByte(m.IfAbsent)), uint64(len(m.Pairs)))
	for i := range m.Pairs {
		b = AppendBytes(b, m.Pairs[i].Key)
		b = AppendBytes(b, m.Pairs[i].Value)
	}
	return b
}

// Decode reads the payload p. It keeps the capacity of m.Pairs.
func (m *KVMSet) Decode(p []byte) error {
	r := NewReader(p)
	m.DB, m.IfAbsent = r.Byte(), r.Byte() != 0
	m.Pairs = m.Pairs[:0]
	for n := r.Count(MaxBatch); n > 0; n-- {
		m.Pairs = append(m.Pairs, KVPair{DB: m.DB, Key: r.Bytes(), Value: r.Bytes()})
	}
	return r.Close()
}

// KVEntry is a key with all that is known of it. Version 0 means that the key is not there.
type KVEntry struct {
	Version uint64
	Expires int64 // 0 is never
	Key     []byte
	Value   []byte
}

// AppendKVEntry appends e as an element of a list of entries: mget's answer and a scan's.
func AppendKVEntry(b []byte, e *KVEntry) []byte {
	b = AppendUvarint(b, e.Version)
	if e.Version == 0 {
		return b
	}
	b = AppendUvarint(b, uint64(e.Expires))
	b = AppendBytes(b, e.Key)
	return AppendBytes(b, e.Value)
}

// TakeKVEntry reads the next element of a list of entries from r.
func TakeKVEntry(r *Reader) KVEntry {
	var e KVEntry
	e.Version = r.Uvarint()
	if e.Version == 0 {
		return e
	}
	e.Expires = int64(r.Uvarint())
	e.Key = r.Bytes()
	e.Value = r.Bytes()
	return e
}

func boolByte(v bool) byte {
	if v {
		return 1
	}
	return 0
}
