package wire

// DocMode says what becomes of the other writes of an OpDocApply where one fails.
type DocMode uint8

const (
	DocAtomic     DocMode = 0 // none is done; the answer is the error, Num the index of the write
	DocInOrder    DocMode = 1 // those before it are done, those behind it are not
	DocIndividual DocMode = 2 // all others are done
	DocFirst      DocMode = 3 // as DocAtomic, but the first that finds a document that matches is the last: those behind it are not done
)

// DocReturn says which document an OpDocApply answers with.
type DocReturn uint8

const (
	DocReturnNone   DocReturn = 0
	DocReturnBefore DocReturn = 1 // that of the last write that has matched, as it was
	DocReturnAfter  DocReturn = 2 // likewise, as it is now; of an insert, the document that was made
)

// DocChangeKind says what a DocChange does.
type DocChangeKind uint8

const (
	DocChangeInsert DocChangeKind = 1 // puts Doc, whose _id nobody may have, into the collection
	DocChangePut    DocChangeKind = 2 // puts Doc in the place of the document ID, which must have Version still
	DocChangeUpdate DocChangeKind = 3 // applies Program to the document ID, if it is there and matches its filter still
	DocChangeUpsert DocChangeKind = 4 // the same; where there is no document ID it is made, of Program
	DocChangeRemove DocChangeKind = 5 // deletes the document ID, which must have Version still
	DocChangeDelete DocChangeKind = 6 // deletes the document ID, if it is there and matches Program's filter still
)

// DocChange is one write of an OpDocApply.
type DocChange struct {
	Kind    DocChangeKind
	Target  uint64 // of DocApply.Targets
	ID      []byte // the byte of its type, and its bytes; not of an insert
	Version uint64 // DocChangePut, DocChangeRemove
	Program uint64 // of DocApply.Programs; DocChangeUpdate, DocChangeUpsert, DocChangeDelete
	Doc     []byte // DocChangeInsert, DocChangePut: checked, its _id first
}

// DocProgram is a filter and what is to be done to what matches.
type DocProgram struct {
	Filter       []byte
	Update       []byte
	ArrayFilters []byte // an array, or empty
}

// DocApply writes documents that have been looked up before (OpDocApply): it is the only command with which documents enter the
// log. It is proposed by the engine. A put or a removal whose version has changed is Conflict with MongoDB's WriteConflict. Body has for
// each write one byte of DocOutcome and, with DocFailed, a DocError, and then the document that Return asks for, if there is one; Num is
// how many have done something. A command that would
// write more than MaxBatchKeys or MaxBatchLSM allow is TooLarge in any mode, and nothing of it is done.
type DocApply struct {
	Mode     DocMode
	Return   DocReturn
	Targets  []DocName
	Programs []DocProgram
	Changes  []DocChange
}

// DocOutcome says what a write of an OpDocApply came to.
type DocOutcome uint8

const (
	DocMatched DocOutcome = 1 << iota // there was a document, and it matched
	DocChanged                        // it is not as it was
	DocInserted
	DocDeleted
	DocFailed  // a DocError follows
	DocSkipped // it was not tried, because one before it failed
)

// Append appends the payload to b.
func (m *DocApply) Append(b []byte) []byte {
	b = AppendUvarint(append(b, byte(m.Mode)|byte(m.Return)<<4), uint64(len(m.Targets)))
	for i := range m.Targets {
		b = m.Targets[i].Append(b)
	}
	b = AppendUvarint(b, uint64(len(m.Programs)))
	for _, p := range m.Programs {
		b = AppendBytes(AppendBytes(AppendBytes(b, p.Filter), p.Update), p.ArrayFilters)
	}
	b = AppendUvarint(b, uint64(len(m.Changes)))
	for i := range m.Changes {
		b = m.Changes[i].append(b)
	}
	return b
}

// Decode reads the payload p. It keeps the capacity of its slices.
func (m *DocApply) Decode(p []byte) error {
	r := NewReader(p)
	mode := r.Byte()
	m.Mode, m.Return = DocMode(mode&15), DocReturn(mode>>4)
	m.Targets, m.Programs, m.Changes = m.Targets[:0], m.Programs[:0], m.Changes[:0]
	for n := r.Count(MaxDocTargets); n > 0; n-- {
		m.Targets = append(m.Targets, DocName{DB: r.Bytes(), Coll: r.Bytes()})
	}
	for n := r.Count(MaxBatch); n > 0; n-- {
		m.Programs = append(m.Programs, DocProgram{Filter: r.Bytes(), Update: r.Bytes(), ArrayFilters: r.Bytes()})
	}
	for n := r.Count(MaxBatch); n > 0; n-- {
		m.Changes = append(m.Changes, DocChange{})
		m.Changes[len(m.Changes)-1].take(&r)
	}
	for i := range m.Changes {
		c := &m.Changes[i]
		switch {
		case r.Err() != nil:
		case c.Target >= uint64(len(m.Targets)):
			r.Fail(Errorf(Invalid, "write %d is for collection %d of %d", i, c.Target, len(m.Targets)))
		case c.programmed() && c.Program >= uint64(len(m.Programs)):
			r.Fail(Errorf(Invalid, "write %d is by program %d of %d", i, c.Program, len(m.Programs)))
		}
	}
	return r.Close()
}

func (c *DocChange) programmed() bool {
	return c.Kind == DocChangeUpdate || c.Kind == DocChangeUpsert || c.Kind == DocChangeDelete
}

func (c *DocChange) append(b []byte) []byte {
	b = AppendUvarint(append(b, byte(c.Kind)), c.Target)
	if c.Kind != DocChangeInsert {
		b = AppendBytes(b, c.ID)
	}
	switch {
	case c.programmed():
		b = AppendUvarint(b, c.Program)
	case c.Kind != DocChangeInsert:
		b = AppendUvarint(b, c.Version)
	}
	if c.Kind == DocChangeInsert || c.Kind == DocChangePut {
		b = AppendBytes(b, c.Doc)
	}
	return b
}

func (c *DocChange) take(r *Reader) {
	c.Kind, c.Target = DocChangeKind(r.Byte()), r.Uvarint()
	if r.Err() == nil && (c.Kind < DocChangeInsert || c.Kind > DocChangeDelete) {
		r.Fail(Errorf(Invalid, "there is no write of kind %d", c.Kind))
		return
	}
	if c.Kind != DocChangeInsert {
		c.ID = r.Bytes()
	}
	switch {
	case c.programmed():
		c.Program = r.Uvarint()
	case c.Kind != DocChangeInsert:
		c.Version = r.Uvarint()
	}
	if c.Kind == DocChangeInsert || c.Kind == DocChangePut {
		c.Doc = r.Bytes()
	}
}
