package fsm

import (
	"bytes"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/filter"
	"github.com/skshohagmiah/flin/docd/doc/internal/update"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store/keys"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// applyChanges serves OpDocApply. A write is decided before anything of it goes to the batch, so one that fails leaves nothing.
func applyChanges(m *Machine, c *replica.Command, ans *wire.Response) error {
	a := &m.p.apply
	defer forget(a)
	if err := a.Decode(c.Body); err != nil {
		return err
	}
	for i := range a.Targets {
		// Two names that are none could be one key: who proposes has checked them, but what is stored must not hang on that.
		name := &a.Targets[i]
		if m.Collection(name.DB, name.Coll) == nil && name.Check() != nil {
			return name.Check()
		}
	}
	t := m.begin(c)
	t.programs = slices.Grow(t.programs, len(a.Programs))[:len(a.Programs)]
	t.targets = slices.Grow(t.targets, len(a.Targets))[:len(a.Targets)]
	m.out = m.out[:0]
	t.returns, t.returned = a.Return, nil
	if at, err := t.vacate(a); err != nil {
		e, ok := answerOf(err)
		if !ok {
			return err
		}
		*ans = wire.Fail(e)
		ans.Num = int64(at)
		return nil
	}
	failed, done := false, false
	for i := range a.Changes {
		if done || failed && a.Mode == wire.DocInOrder {
			m.out = append(m.out, byte(wire.DocSkipped))
			continue
		}
		outcome, err := t.change(a, &a.Changes[i])
		if err != nil {
			e, ok := answerOf(err)
			switch {
			case !ok:
				return err
			case a.Mode == wire.DocAtomic || a.Mode == wire.DocFirst || e == errLarge:
				*ans = wire.Fail(e)
				ans.Num = int64(i)
				return nil
			}
			failed = true
			m.out = append(m.out, byte(wire.DocFailed))
			m.out = wire.AppendDocError(m.out, &wire.DocError{Index: uint64(i), Code: e.Code, Sub: e.Sub, Msg: []byte(e.Msg)})
			continue
		}
		m.out = append(m.out, byte(outcome))
		done = a.Mode == wire.DocFirst && outcome&(wire.DocMatched|wire.DocInserted) != 0
		if outcome&^wire.DocMatched != 0 {
			ans.Num++
		}
	}
	if ans.Num > 0 {
		t.commit()
	}
	m.out = append(m.out, t.returned...)
	ans.Rev, ans.Body = c.Revision, m.out
	return nil
}

// returning notes the document that the answer is to have, if that is asked for.
func (t *tx) returning(before, after bsoncore.Document) {
	switch t.returns {
	case wire.DocReturnBefore:
		t.returned = append([]byte(nil), before...) // it may be in memory that is used again
	case wire.DocReturnAfter:
		t.returned = after
	case wire.DocReturnNone:
	}
}

// forget gives up what a payload shares with the log entry.
func forget(a *wire.DocApply) {
	clear(a.Targets)
	clear(a.Programs)
	clear(a.Changes)
}

// change decides and executes one write.
func (t *tx) change(a *wire.DocApply, ch *wire.DocChange) (wire.DocOutcome, error) {
	s := t.target(a, ch)
	if ch.Kind == wire.DocChangeInsert {
		return wire.DocInserted, t.insert(s, ch.Doc)
	}
	if len(ch.ID) == 0 {
		return 0, errNoID
	}
	id := bsoncore.Value{Type: bsoncore.Type(ch.ID[0]), Data: ch.ID[1:]}
	t.id = AppendID(t.id[:0], id)
	old, version, err := t.lookUp(s)
	if err != nil {
		return 0, err
	}
	if ch.Kind == wire.DocChangePut || ch.Kind == wire.DocChangeRemove {
		if old == nil || version != ch.Version {
			return 0, errConflict(&s.name, id)
		}
		return t.exchange(s, ch, id, old)
	}
	p, err := t.program(a, ch.Program, ch.Kind != wire.DocChangeDelete)
	if err != nil {
		return 0, err
	}
	switch {
	case old == nil && ch.Kind == wire.DocChangeUpsert:
		return wire.DocInserted, t.upsert(s, p, id)
	case old == nil:
		return 0, nil
	case !p.filter.Matches(old) && ch.Kind == wire.DocChangeUpsert:
		return 0, t.duplicateID(s, id)
	case !p.filter.Matches(old):
		return 0, nil
	case ch.Kind == wire.DocChangeDelete:
		t.returning(old, nil)
		return wire.DocMatched | wire.DocDeleted, t.replace(s, old, nil)
	}
	return t.update(s, p, old)
}

// target returns the collection that a write is for.
func (t *tx) target(a *wire.DocApply, ch *wire.DocChange) *stage {
	s := t.targets[ch.Target]
	if s == nil {
		s = t.stage(&a.Targets[ch.Target])
		t.targets[ch.Target] = s
	}
	return s
}

// exchange puts a document in the place of one that has the version it is to have, or nothing.
func (t *tx) exchange(s *stage, ch *wire.DocChange, id bsoncore.Value, old bsoncore.Document) (wire.DocOutcome, error) {
	if ch.Kind == wire.DocChangeRemove {
		return wire.DocMatched | wire.DocDeleted, t.replace(s, old, nil)
	}
	if now, ok := value.Get(ch.Doc, "_id"); !ok || !value.Equal(now, id) {
		return 0, value.Errorf(value.ImmutableField, "the (immutable) field '_id' of %s cannot be changed", shown(id))
	}
	if bytes.Equal(old, ch.Doc) {
		return wire.DocMatched, nil
	}
	return wire.DocMatched | wire.DocChanged, t.replace(s, old, ch.Doc)
}

// program is what DocApply.Programs has, compiled when it is first wanted.
type program struct {
	filter *filter.Filter
	update *update.Update
	err    error
}

func (t *tx) program(a *wire.DocApply, n uint64, updates bool) (*program, error) {
	p, src := &t.programs[n], &a.Programs[n]
	if p.filter == nil && p.err == nil {
		p.filter, p.err = compileFilter(src.Filter)
	}
	if updates && p.update == nil && p.err == nil {
		p.update, p.err = CompileUpdate(src.Update, src.ArrayFilters)
	}
	return p, p.err
}

// emptyDocument stands for a filter that was left out.
var emptyDocument = bsoncore.Document{5, 0, 0, 0, 0}

func compileFilter(doc []byte) (*filter.Filter, error) {
	if len(doc) == 0 {
		doc = emptyDocument
	}
	return filter.Compile(doc)
}

// CompileUpdate compiles an update and an array of its filters, which may be left out.
func CompileUpdate(doc, arrayFilters []byte) (*update.Update, error) {
	var filters []bsoncore.Document
	if len(arrayFilters) > 0 {
		if err := value.Valid(arrayFilters); err != nil {
			return nil, err
		}
	}
	for r := value.Read(arrayFilters); r.Next(); {
		if r.Value.Type != value.Document {
			return nil, value.Errorf(value.TypeMismatch, "an array filter is a document, not a %s", value.TypeName(r.Value.Type))
		}
		filters = append(filters, r.Value.Data)
	}
	return update.Compile(doc, filters)
}

// insert puts a new document into a collection, which is made if it is not there.
func (t *tx) insert(s *stage, doc bsoncore.Document) error {
	id, ok := value.Get(doc, "_id")
	if !ok {
		return errNoID
	}
	t.id = AppendID(t.id[:0], id)
	if len(t.id) > wire.MaxDocID {
		return errIDTooLong(len(t.id))
	}
	if s.now == nil {
		if err := t.create(s); err != nil {
			return err
		}
	}
	t.key = append(keys.Append(t.key[:0], kindDocument, s.now.ID), t.id...)
	var head [16]byte
	_, _, there, err := t.b.Head(t.key, head[:0])
	switch {
	case err != nil:
		return fmt.Errorf("reading a document: %w", err)
	case there:
		return t.duplicateID(s, id)
	}
	return t.replace(s, nil, doc)
}

func (t *tx) duplicateID(s *stage, id bsoncore.Value) error {
	return errDuplicate(s.now, "_id_", "_id: "+shown(id))
}

// upsert makes the document that a program makes where there is none.
func (t *tx) upsert(s *stage, p *program, id bsoncore.Value) error {
	doc, err := update.Upsert(p.filter, p.update, update.Context{Now: t.c.Time, Insert: true, Position: -1})
	if err != nil {
		return err
	}
	if now, ok := value.Get(doc, "_id"); !ok {
		doc = withID(doc, id)
		if err := value.Check(doc); err != nil {
			return err
		}
	} else if !value.Equal(now, id) {
		return value.Errorf(value.ImmutableField, "an upsert of _id %s would make a document of _id %s", shown(id), shown(now))
	}
	t.returning(nil, doc)
	return t.insert(s, doc)
}

// withID returns a document with an _id at its front.
func withID(doc bsoncore.Document, id bsoncore.Value) bsoncore.Document {
	at, out := value.Begin(make([]byte, 0, len(doc)+len(id.Data)+8))
	out = value.AppendElement(out, "_id", id)
	out = append(out, doc[4:len(doc)-1]...)
	return value.End(out, at)
}

// update applies a program to a document that matches. What comes out is new memory: the store keeps it.
func (t *tx) update(s *stage, p *program, old bsoncore.Document) (wire.DocOutcome, error) {
	ctx := update.Context{Now: t.c.Time, Position: -1}
	if p.update.Positional() {
		ctx.Position = p.filter.Position(old)
	}
	doc, changed, err := p.update.Apply(make([]byte, 0, len(old)+64), old, ctx)
	if err == nil {
		t.returning(old, doc)
	}
	if err != nil || !changed {
		return wire.DocMatched, err
	}
	return wire.DocMatched | wire.DocChanged, t.replace(s, old, doc)
}
