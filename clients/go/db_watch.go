package flin

import (
	"context"
	"fmt"
	"iter"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// changeWindow is how many answers of a watch of documents may be on their way or waiting in the client.
const changeWindow = 16

// ChangeKind says what happened to a document.
type ChangeKind = wire.DocEventKind

// The kinds of Change.
const (
	DocumentInserted  = wire.DocEventInsert
	DocumentUpdated   = wire.DocEventUpdate // or replaced
	DocumentDeleted   = wire.DocEventDelete // or removed because its time had come
	CollectionDropped = wire.DocEventDrop   // with all its documents; ID and Document are nil
)

// Change is one change of one document.
type Change struct {
	Token      string // names the change: ResumeAfter(Token) goes on behind it
	Kind       ChangeKind
	Database   string
	Collection string
	ID         any
	Document   Document // as it was right after the change; nil if it is gone
	Time       time.Time

	raw []byte
}

// Decode reads the document as it was right after the change into v: a pointer to a struct, say. If it is gone that is ErrNotFound.
func (c *Change) Decode(v any) error {
	if len(c.raw) == 0 {
		return ErrNotFound
	}
	if err := (bson.RawValue{Type: bson.TypeEmbeddedDocument, Value: c.raw}).UnmarshalWithRegistry(types, v); err != nil {
		return badDocument(err)
	}
	return nil
}

// ChangeOption modifies DB.Watch.
type ChangeOption func(m *wire.DocWatch) error

// ResumeAfter begins behind the change that has the token, instead of with the changes to come. If what came behind it is not kept any
// more Watch reports ErrCompacted. An empty token is none.
func ResumeAfter(token string) ChangeOption {
	return func(m *wire.DocWatch) error {
		if token == "" {
			return nil
		}
		rev, event, ok := strings.Cut(token, ".")
		var err, other error
		m.Rev, err = strconv.ParseUint(rev, 10, 64)
		m.Event, other = strconv.ParseUint(event, 10, 64)
		if !ok || err != nil || other != nil || m.Rev == 0 {
			return invalid("%q is no token of a change", token)
		}
		return nil
	}
}

func tokenOf(rev, event uint64) string { return fmt.Sprintf("%d.%d", rev, event) }

// ChangeWatcher is a watch of documents that stands. It is for one goroutine; Close may be called by any.
type ChangeWatcher struct {
	watching
	m wire.DocWatch
	d decoder
}

// Watch follows the changes of a collection or, if coll is empty, of all collections of the database, in their order and without gaps.
// When it returns the watch stands: no later change is missed. When its connection is lost it goes on where it was. It ends with ctx.
//
// The first watch has the server record the changes. From then on it keeps them for a day, also while nobody watches, as long as they
// are less than 1 GiB (of all collections together), until StopFeed.
func (db *DB) Watch(ctx context.Context, coll string, opts ...ChangeOption) (*ChangeWatcher, error) {
	if db.txn != nil {
		return nil, invalid("a watch is no part of a transaction: begin it outside")
	}
	w := &ChangeWatcher{m: wire.DocWatch{Name: db.docName(coll)}}
	for _, o := range opts {
		if err := o(&w.m); err != nil {
			return nil, err
		}
	}
	w.watching = watching{op: wire.OpDocWatch, payload: &w.m, window: changeWindow, seen: func(rev uint64) { w.pass(rev+1, 0) }}
	if err := w.begin(ctx, db.client); err != nil {
		return nil, err
	}
	return w, nil
}

// StopFeed ends the recording of the changes of a collection, or of what an empty coll stands for in Watch. Watches of it end with
// ErrCompacted. One that is not recorded is no error.
func (db *DB) StopFeed(coll string) error {
	_, err := db.ask(wire.OpDocFeed, repeats, &wire.DocFeed{Name: db.docName(coll), Off: true})
	return err
}

// Close ends the watch: Changes ends its loop.
func (w *ChangeWatcher) Close() { w.end() }

// Token returns where the watch is: ResumeAfter goes on behind the changes that have all been seen. It moves on now and then also while
// nothing that is watched changes. It is for the goroutine of the watch.
func (w *ChangeWatcher) Token() string { return tokenOf(w.m.Rev, w.m.Event) }

// pass notes that all up to an event has been seen.
func (w *ChangeWatcher) pass(rev, event uint64) {
	if rev > w.m.Rev || rev == w.m.Rev && event > w.m.Event {
		w.m.Rev, w.m.Event = rev, event
	}
}

// Changes returns the changes as they come. Leaving the loop or closing the watch ends it; so does an error, which comes last.
// ErrCompacted means that changes were missed while the connection was lost: watch again, and then read the documents anew.
func (w *ChangeWatcher) Changes() iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		w.follow(func(resp *wire.Response) bool { return w.each(resp, yield) }, func(err error) { yield(Change{}, err) })
	}
}

// each yields the changes of one answer and reports whether to go on.
func (w *ChangeWatcher) each(resp *wire.Response, yield func(Change, error) bool) bool {
	var e wire.DocEvent
	for r := wire.NewReader(resp.Body); r.Len() > 0; {
		wire.TakeDocEvent(&r, &e)
		c, err := w.change(&e)
		if r.Err() != nil {
			err = r.Err()
		}
		if err != nil {
			yield(Change{}, badAnswer(wire.OpDocWatch, err))
			return false
		}
		w.pass(e.Rev, e.Event)
		if !yield(c, nil) {
			return false
		}
	}
	return true
}

// change makes of an event what is handed out.
func (w *ChangeWatcher) change(e *wire.DocEvent) (c Change, err error) {
	c = Change{
		Token: tokenOf(e.Rev, e.Event), Kind: e.Kind, Database: string(e.Name.DB), Collection: string(e.Name.Coll),
		Time: expires(e.Time), raw: e.Doc,
	}
	if len(e.ID) > 0 {
		c.ID, err = decodeID(e.ID)
	}
	if err == nil && len(e.Doc) > 0 {
		c.Document, err = w.d.document(e.Doc, 0)
	}
	return c, err
}
