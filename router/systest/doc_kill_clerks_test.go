package systest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strings"
	"sync"

	"github.com/skshohagmiah/flin/clients/go"
)

// The collections of the kill loop whose documents have one writer each.
const (
	papersColl = "papers"
	annexColl  = "annex"
	seatsColl  = "seats"
)

const (
	clerkPapers  = 40 // documents of a clerk, at most
	clerkShelves = 5  // their values of an indexed field
)

// bureau is what all who write documents share in one run. Each request is made with the gate held for reading; whoever compares
// documents holds it for writing.
type bureau struct {
	*storm
	gate sync.RWMutex
}

// clerk writes documents of its own.
type clerk struct {
	name   string
	rng    *rand.Rand
	folder *folder
	*bureau
	seq int
}

func newClerk(name string, n uint64, seed uint64, b *bureau) *clerk {
	return &clerk{name: name, rng: rand.New(rand.NewPCG(seed, 300+n)), folder: newFolder(), bureau: b}
}

// order is a request that a clerk is about to make.
type order struct {
	filing
	ask func(db *flin.DB) error // natively
	say []string                // by RESP; nil: it cannot be said there
	id  string                  // of the only document
}

func (c *clerk) id(n int) string    { return fmt.Sprintf("%s/%d", c.name, n) }
func (c *clerk) shelf(n int) string { return fmt.Sprintf("%s.%d", c.name, n%clerkShelves) }

// paper is the document that a clerk inserts.
func (c *clerk) paper(n int) flin.Document {
	seq := c.seq
	doc := flin.Document{
		"_id": c.id(n), "owner": c.name, "shelf": c.shelf(n), "hits": int32(0),
		"text": strings.Repeat(fmt.Sprintf("%s, %d; ", c.id(n), seq), 1+seq%16*(seq%16)),
	}
	maps.Copy(doc, marks(seq))
	return doc
}

// marks are the fields that every write changes.
func marks(seq int) flin.Document {
	n := int32(seq)
	doc := flin.Document{"seq": n, "num": n % 100, "tags": []any{fmt.Sprint("t", n%7), fmt.Sprint("t", n%11), fmt.Sprint("t", n%7)}, "deep": flin.Document{"a": n % 5}}
	if seq%13 == 0 {
		doc["tags"] = []any{}
	}
	if seq%3 == 0 {
		doc["extra"] = n
	}
	return doc
}

// changed is what an update leaves of a document.
func changed(doc flin.Document, set flin.Document) flin.Document {
	d := maps.Clone(doc)
	maps.Copy(d, set)
	d["hits"] = doc["hits"].(int32) + 1
	return d
}

// text is a document in JSON.
func text(doc any) string {
	b, err := json.Marshal(doc)
	if err != nil {
		panic(err) // it is the test's own
	}
	return string(b)
}

// counts is the error that a write has not done what it was to do.
func counts(what string, err error, got, want any) error {
	if err == nil && got != want {
		return fmt.Errorf("%s: %w: %+v, not %+v", what, errCounts, got, want)
	}
	return err
}

var errCounts = errors.New("the counts are wrong")

// next makes up a request on the documents with these numbers.
func (c *clerk) next(n int) order {
	c.seq++
	id, at := c.id(n), place(papersColl, c.id(n))
	doc := c.folder.acked[at]
	byID := text(flin.Document{"_id": id})
	if doc == nil {
		fresh := c.paper(n)
		o := order{
			id: id, filing: filing{leaves: map[string]flin.Document{at: fresh}},
			ask: func(db *flin.DB) error { _, err := db.Insert(papersColl, fresh); return err },
			say: []string{"DOC.INSERT", papersColl, text(fresh)},
		}
		if c.rng.IntN(4) == 0 {
			o.say = nil
			o.ask = func(db *flin.DB) error {
				u := db.Update(papersColl).Where("_id", flin.Eq, id).Upsert()
				for name, v := range fresh {
					u.SetOnInsert(name, v)
				}
				r, err := u.Exec()
				return counts("upsert "+id, err, r, flin.UpdateResult{UpsertedID: id})
			}
		}
		return o
	}
	if c.rng.IntN(8) == 0 {
		fresh := c.paper(n)
		return order{
			id: id, filing: filing{leaves: map[string]flin.Document{at: fresh}},
			ask: func(db *flin.DB) error {
				r, err := db.Update(papersColl).Where("_id", flin.Eq, id).Replace(fresh).Exec()
				return counts("replace "+id, err, r, flin.UpdateResult{Matched: 1, Modified: 1})
			},
			say: []string{"DOC.UPDATE", papersColl, byID, text(fresh)},
		}
	}
	if c.rng.IntN(4) == 0 {
		return order{
			id: id, filing: filing{leaves: map[string]flin.Document{at: nil}},
			ask: func(db *flin.DB) error {
				r, err := db.Delete(papersColl).Where("_id", flin.Eq, id).Exec()
				return counts("delete "+id, err, r, flin.DeleteResult{Deleted: 1})
			},
			say: []string{"DOC.DELETE", papersColl, byID},
		}
	}
	set := marks(c.seq)
	return order{
		id: id, filing: filing{leaves: map[string]flin.Document{at: changed(doc, set)}},
		ask: func(db *flin.DB) error {
			r, err := db.Update(papersColl).Where("_id", flin.Eq, id).Doc(flin.Document{"$set": set, "$inc": flin.Document{"hits": 1}}).Exec()
			return counts("update "+id, err, r, flin.UpdateResult{Matched: 1, Modified: 1})
		},
		say: []string{"DOC.UPDATE", papersColl, byID, text(flin.Document{"$set": set, "$inc": flin.Document{"hits": 1}})},
	}
}

// onShelf makes up a request for all documents with one value of an indexed field.
func (c *clerk) onShelf() order {
	c.seq++
	shelf := c.shelf(c.rng.IntN(clerkShelves))
	set, remove := marks(c.seq), c.rng.IntN(4) == 0
	d := filing{leaves: map[string]flin.Document{}, loose: true}
	for at, doc := range c.folder.acked {
		if doc["shelf"] == shelf && strings.HasPrefix(at, papersColl) {
			if d.leaves[at] = nil; !remove {
				d.leaves[at] = changed(doc, set)
			}
		}
	}
	n := int64(len(d.leaves))
	return order{filing: d, ask: func(db *flin.DB) error {
		if remove {
			r, err := db.Delete(papersColl).Where("shelf", flin.Eq, shelf).Exec()
			return counts("delete "+shelf, err, r, flin.DeleteResult{Deleted: n})
		}
		u := db.Update(papersColl).Where("shelf", flin.Eq, shelf).Inc("hits", 1)
		for name, v := range set {
			u.Set(name, v)
		}
		r, err := u.Exec()
		return counts("update "+shelf, err, r, flin.UpdateResult{Matched: n, Modified: n})
	}}
}

// several makes up an insert of documents that are not there.
func (c *clerk) several() order {
	d := filing{leaves: map[string]flin.Document{}, loose: true}
	var docs []flin.Document
	for n := range clerkPapers {
		if at := place(papersColl, c.id(n)); c.folder.acked[at] == nil && c.rng.IntN(2) == 0 {
			c.seq++
			d.leaves[at] = c.paper(n)
			docs = append(docs, d.leaves[at])
		}
	}
	return order{filing: d, ask: func(db *flin.DB) error {
		ids, err := db.InsertMany(papersColl, docs)
		return counts("insert many", err, len(ids), len(docs))
	}}
}

// together makes up an atomic batch: each of some documents is written, and its copy in another collection is made as it is then.
func (c *clerk) together() order {
	d := filing{leaves: map[string]flin.Document{}}
	var want flin.BatchResult
	var writes []func(b *flin.Batch, db *flin.DB)
	for range 2 + c.rng.IntN(6) {
		n := c.rng.IntN(clerkPapers)
		id, at, beside := c.id(n), place(papersColl, c.id(n)), place(annexColl, c.id(n))
		if _, taken := d.leaves[at]; taken {
			continue
		}
		c.seq++
		doc := c.folder.acked[at]
		if doc == nil {
			doc = c.paper(n)
			want.Inserted++
			writes = append(writes, func(b *flin.Batch, _ *flin.DB) { b.Insert(papersColl, doc) })
		} else {
			set := marks(c.seq)
			doc = changed(doc, set)
			want.Matched, want.Modified = want.Matched+1, want.Modified+1
			writes = append(writes, func(b *flin.Batch, db *flin.DB) {
				b.Update(db.Update(papersColl).Where("_id", flin.Eq, id).Doc(flin.Document{"$set": set, "$inc": flin.Document{"hits": 1}}))
			})
		}
		if c.folder.acked[beside] != nil {
			want.Deleted++
			writes = append(writes, func(b *flin.Batch, db *flin.DB) { b.Delete(db.Delete(annexColl).Where("_id", flin.Eq, id)) })
		}
		want.Inserted++
		writes = append(writes, func(b *flin.Batch, _ *flin.DB) { b.Insert(annexColl, doc) })
		d.leaves[at], d.leaves[beside] = doc, doc
	}
	return order{filing: d, ask: func(db *flin.DB) error {
		b := db.Batch()
		for _, w := range writes {
			w(b, db)
		}
		r, err := b.Exec()
		r.IDs = nil
		return counts("batch", err, fmt.Sprint(r), fmt.Sprint(want))
	}}
}

// natively writes through the Go client, one request at a time.
func (c *clerk) natively(ctx context.Context, client *flin.Client) {
	for ctx.Err() == nil {
		c.gate.RLock()
		if len(c.folder.pending) == 0 || c.settles(ctx, client) {
			var o order
			switch n := c.rng.IntN(20); {
			case n < 12:
				o = c.next(c.rng.IntN(clerkPapers))
			case n < 15:
				o = c.onShelf()
			case n < 16:
				o = c.several()
			default:
				o = c.together()
			}
			if err := makes(client, c.folder, o); err != nil && !expected(err) {
				c.fail("%s: %v", c.name, err)
			}
		}
		c.gate.RUnlock()
	}
}

// makes makes a native request and notes what came of it.
func makes(client *flin.Client, f *folder, o order) error {
	f.sent(o.filing)
	call, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	err := o.ask(client.With(call).DB)
	f.end(fate(err))
	return err
}

// settles looks at the documents of a clerk whose last request had no answer.
func (c *clerk) settles(ctx context.Context, client *flin.Client) bool {
	return again(ctx, func() error {
		found := map[string]flin.Document{}
		for _, coll := range []string{papersColl, annexColl} {
			docs, err := client.DB.Query(coll).Where("_id", flin.Gte, c.name+"/").Where("_id", flin.Lt, c.name+"0").Exec()
			if err != nil {
				return err
			}
			for _, doc := range docs {
				found[place(coll, doc["_id"].(string))] = doc
			}
		}
		if err := c.folder.settle(found); err != nil {
			c.fail("%s: %v", c.name, err)
		}
		return nil
	})
}

// onPipe writes on RESP connections to addr: requests for different documents, many in one write.
func (c *clerk) onPipe(ctx context.Context, client *flin.Client, addr string) {
	c.folder.holes = c.far
	onPipeTo(ctx, addr, func(p *pipe) error {
		c.gate.RLock()
		defer c.gate.RUnlock()
		if len(c.folder.pending) > 0 && !c.settles(ctx, client) {
			return ctx.Err()
		}
		var sent []order
		for _, n := range c.rng.Perm(clerkPapers)[:1+c.rng.IntN(clerkPapers)] {
			if o := c.next(n); o.say != nil {
				c.folder.sent(o.filing)
				p.send(o.say...)
				sent = append(sent, o)
			}
		}
		if err := p.flush(); err != nil {
			return err
		}
		for _, o := range sent {
			v, err := p.read()
			if err != nil {
				return err
			}
			if e, ok := v.(replyError); ok {
				switch o := c.refused(string(e)); {
				case o == unknown && c.far:
					c.folder.next++
				case o == unknown:
					return e
				default:
					c.folder.end(o)
				}
				continue
			}
			c.folder.answered()
			got := fmt.Sprint(v)
			if list, ok := v.([]any); ok && o.say[0] == "DOC.INSERT" && len(list) == 1 {
				got = fmt.Sprintf("%s", list[0])
			}
			want := map[string]string{"DOC.INSERT": fmt.Sprintf("%q", o.id), "DOC.DELETE": "1", "DOC.UPDATE": "[1 1 <nil>]"}[o.say[0]]
			if got != want {
				c.fail("%s: %s was answered %s, not %s", c.name, o.say[0], got, want)
			}
		}
		return nil
	})
}
