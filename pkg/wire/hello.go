package wire

// Hello is the body of a client's first request (OpHello), directly behind Magic. Names in Info are free text for
// logs and lists of connections: client, version, name.
type Hello struct {
	Version  uint64 // the highest version of the protocol that the client speaks
	User     string // empty: no credentials
	Password string
	Info     string
}

// Append appends the payload to b.
func (m *Hello) Append(b []byte) []byte {
	b = AppendUvarint(b, m.Version)
	b = AppendString(b, m.User)
	b = AppendString(b, m.Password)
	return AppendString(b, m.Info)
}

// Decode reads the payload p. Fields behind the known ones are for later versions and are passed over.
func (m *Hello) Decode(p []byte) error {
	r := NewReader(p)
	m.Version = r.Uvarint()
	m.User, m.Password, m.Info = string(r.Bytes()), string(r.Bytes()), string(r.Bytes())
	return r.Err()
}

// Welcome is the body of the answer to a hello: what the two sides will keep to.
type Welcome struct {
	Version     uint64 // the version that both speak from here on
	MaxRequest  uint64 // bytes of a frame that the server reads
	MaxInFlight uint64 // unanswered requests after which the server stops reading
	Node        string // the server's node id
	Server      string // program and version
}

// Append appends the payload to b.
func (m *Welcome) Append(b []byte) []byte {
	b = AppendUvarint(b, m.Version)
	b = AppendUvarint(b, m.MaxRequest)
	b = AppendUvarint(b, m.MaxInFlight)
	b = AppendString(b, m.Node)
	return AppendString(b, m.Server)
}

// Decode reads the payload p. Fields behind the known ones are for later versions and are passed over.
func (m *Welcome) Decode(p []byte) error {
	r := NewReader(p)
	m.Version, m.MaxRequest, m.MaxInFlight = r.Uvarint(), r.Uvarint(), r.Uvarint()
	m.Node, m.Server = string(r.Bytes()), string(r.Bytes())
	return r.Err()
}

// Credit is the body of OpCredit and, with N unused, of OpCancel.
type Credit struct {
	Tag uint64 // of the request
	N   uint64 // further answers that it may send
}

// Append appends the payload to b.
func (m *Credit) Append(b []byte) []byte { return AppendUvarint(AppendUvarint(b, m.Tag), m.N) }

// Decode reads the payload p.
func (m *Credit) Decode(p []byte) error {
	r := NewReader(p)
	m.Tag, m.N = r.Uvarint(), r.Uvarint()
	return r.Close()
}
