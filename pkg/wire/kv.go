package wire

// The payloads of the key-value engine. Every one begins with the number of the database, a byte. Times are
// milliseconds since 1970. Slices that a decoder returns share memory with the payload.

// AllDatabases in place of a database number means every one, where an operation says that it may.
const AllDatabases = 0xFF

// ExpiryKind says what an Expiry asks for.
type ExpiryKind uint8

const (
	ExpiryNone    ExpiryKind = iota // set: no expiry; getex: leave it
	ExpiryAt                        // at Ms
	ExpiryIn                        // Ms after the time of the entry that applies it
	ExpiryKeep                      // as it was
	ExpiryPersist                   // take it away
)

// Expiry says when a key is to go.
type Expiry struct {
	Kind ExpiryKind
	Ms   int64
}

func (e Expiry) append(b []byte) []byte {
	b = append(b, byte(e.Kind))
	if e.Kind == ExpiryAt || e.Kind == ExpiryIn {
		b = AppendVarint(b, e.Ms)
	}
	return b
}

func (e *Expiry) take(r *Reader) {
	e.Kind = ExpiryKind(r.Byte())
	switch {
	case e.Kind == ExpiryAt || e.Kind == ExpiryIn:
		e.Ms = r.Varint()
	case e.Kind > ExpiryPersist:
		r.Fail(Errorf(Invalid, "unknown kind of expiry %d", e.Kind))
	}
}

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

// ExpireCond says when a KVExpire takes effect.
type ExpireCond uint8

const (
	ExpireIfNone    ExpireCond = 1 << iota // the key has no expiry (NX)
	ExpireIfAny                            // it has one (XX)
	ExpireIfGreater                        // the new one is later; none counts as never (GT)
	ExpireIfLess                           // the new one is earlier (LT)
)

// KVExpire changes a key's expiry (OpKVExpire: Num 1 if it did; OpKVGetEx: the answer of get, Cond unused).
type KVExpire struct {
	DB     byte
	Cond   ExpireCond
	Expiry Expiry
	Key    []byte
}

// Append appends the payload to b.
func (m *KVExpire) Append(b []byte) []byte {
	return append(m.Expiry.append(append(b, m.DB, byte(m.Cond))), m.Key...)
}

// Decode reads the payload p.
func (m *KVExpire) Decode(p []byte) error {
	r := NewReader(p)
	m.DB, m.Cond = r.Byte(), ExpireCond(r.Byte())
	m.Expiry = Expiry{}
	m.Expiry.take(&r)
	m.Key = r.Rest()
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

// KVWatch streams changes (OpKVWatch) of the keys that begin with Prefix in DB, which may be AllDatabases, from
// revision From on (0: from now on). Every answer but the last has More, Rev the newest revision it covers, and as
// Body a list of KVEvent; the first comes at once, empty, when the watch stands. Compacted: From is older than what is kept.
type KVWatch struct {
	DB     byte
	From   uint64
	Prefix []byte
}

// Append appends the payload to b.
func (m *KVWatch) Append(b []byte) []byte {
	return append(AppendUvarint(append(b, m.DB), m.From), m.Prefix...)
}

// Decode reads the payload p.
func (m *KVWatch) Decode(p []byte) error {
	r := NewReader(p)
	m.DB, m.From = r.Byte(), r.Uvarint()
	m.Prefix = r.Rest()
	return r.Close()
}

// EventKind says what happened to a key.
type EventKind uint8

const (
	EventSet     EventKind = 1 // written
	EventDelete  EventKind = 2 // removed
	EventExpire  EventKind = 3 // removed because its time had come
	EventFlush   EventKind = 4 // its whole database was emptied; Key is empty
	EventRefresh EventKind = 5 // its expiry was changed, its value was not
)

// KVEvent is one change.
type KVEvent struct {
	Kind    EventKind
	DB      byte
	Rev     uint64
	Expires int64
	Key     []byte
	Value   []byte // of EventSet
}

// AppendKVEvent appends e as an element of a watch answer.
func AppendKVEvent(b []byte, e *KVEvent) []byte {
	b = AppendUvarint(append(b, byte(e.Kind), e.DB), e.Rev)
	b = AppendUvarint(b, uint64(e.Expires))
	b = AppendBytes(b, e.Key)
	return AppendBytes(b, e.Value)
}

// TakeKVEvent reads the next element of a watch answer from r.
func TakeKVEvent(r *Reader) KVEvent {
	return KVEvent{
		Kind: EventKind(r.Byte()), DB: r.Byte(), Rev: r.Uvarint(), Expires: int64(r.Uvarint()),
		Key: r.Bytes(), Value: r.Bytes(),
	}
}

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

func boolByte(v bool) byte {
	if v {
		return 1
	}
	return 0
}
