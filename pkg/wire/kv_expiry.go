package wire

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
