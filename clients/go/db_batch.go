package flin

import "github.com/skshohagmiah/flin/pkg/wire"

// Batch collects writes, to any collections of its database, that Exec hands in as one: they are executed in their order at one
// moment, all or none. It is for one goroutine.
//
//	result, err := client.DB.Batch().
//		Insert("orders", order).
//		Update(client.DB.Update("stock").Where("sku", flin.Eq, sku).Inc("left", -1)).
//		Exec()
type Batch struct {
	db  *DB
	m   wire.DocWrite
	ids []any
	err error
}

// BatchResult is what a batch came to.
type BatchResult struct {
	Inserted, Matched, Modified, Deleted int64
	IDs                                  []any // for each write the _id of what it inserted or, with Upsert, made; else nil
}

// Batch begins a batch. Nothing is sent before Exec.
func (db *DB) Batch() *Batch { return &Batch{db: db} }

// Insert adds a document to a collection.
func (b *Batch) Insert(coll string, doc any) *Batch {
	p, id, err := appendInsert(nil, doc)
	return b.add(wire.OpDocInsert, &wire.DocUpdate{Name: b.db.docName(coll), Update: p}, id, err)
}

// Update changes documents as u says.
func (b *Batch) Update(u *Update) *Batch {
	var m wire.DocUpdate
	err := u.encode(&m)
	if err == nil {
		err = plain(&m)
	}
	return b.add(wire.OpDocUpdate, &m, nil, err)
}

// Delete removes documents as d says.
func (b *Batch) Delete(d *Delete) *Batch {
	var m wire.DocUpdate
	err := d.encode(&m)
	if err == nil {
		err = plain(&m)
	}
	return b.add(wire.OpDocDelete, &m, nil, err)
}

func (b *Batch) add(op wire.Op, m *wire.DocUpdate, id any, err error) *Batch {
	if err != nil && b.err == nil {
		b.err = err
	}
	b.m.Writes = append(b.m.Writes, wire.DocWriteOp{Op: op, DocUpdate: *m})
	b.ids = append(b.ids, id)
	return b
}

// Exec hands the batch in. After an error nothing of it was done, unless the error is ErrOutcomeUnknown. One without writes does
// nothing.
func (b *Batch) Exec() (BatchResult, error) {
	if b.err != nil {
		return BatchResult{}, b.err
	}
	if n := len(b.ids); n == 0 {
		return BatchResult{}, nil
	} else if n > wire.MaxBatch {
		return BatchResult{}, wire.Errorf(wire.TooLarge, "flin: a batch of %d writes is over the limit of %d", n, wire.MaxBatch)
	}
	resp, err := b.db.ask(wire.OpDocWrite, once, &b.m)
	if err != nil {
		return BatchResult{}, err
	}
	var r wire.DocResult
	if err := r.Decode(resp.Body); err != nil {
		return BatchResult{}, badAnswer(wire.OpDocWrite, err)
	}
	if len(r.Errors) > 0 {
		return BatchResult{}, r.Errors[0].Err()
	}
	result := BatchResult{
		Inserted: int64(r.Inserted), Matched: int64(r.Matched), Modified: int64(r.Modified), Deleted: int64(r.Deleted),
		IDs: append([]any(nil), b.ids...),
	}
	for _, id := range r.IDs {
		if id.Index >= uint64(len(result.IDs)) {
			return BatchResult{}, badAnswer(wire.OpDocWrite, wire.ErrTruncated)
		}
		if result.IDs[id.Index], err = decodeID(id.Value); err != nil {
			return BatchResult{}, badAnswer(wire.OpDocWrite, err)
		}
	}
	return result, nil
}
