package flin

import (
	"context"
	"iter"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// killTime bounds how long the server is told that a cursor is not needed any more. It notices itself, later.
const killTime = 2 * time.Second

// follow hands out the documents of an answer, then those that its cursor has, batch at a time.
func (db *DB) follow(resp wire.Response, err error, batch int, yield func([]byte, error) bool) {
	if batch <= 0 {
		batch = laterBatch
	}
	for cursor := uint64(0); ; {
		if err != nil {
			db.kill(cursor)
			yield(nil, err)
			return
		}
		cursor = uint64(resp.Num)
		if !yield(resp.Body, nil) {
			db.kill(cursor)
			return
		}
		if cursor == 0 {
			return
		}
		resp, err = db.ask(wire.OpDocMore, once, &wire.DocMore{Cursor: cursor, Batch: uint64(batch)})
	}
}

// kill tells the server that a cursor is not needed any more. 0 is none.
func (db *DB) kill(cursor uint64) {
	if cursor == 0 || db.client.closed.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(db.client.ctx), killTime)
	defer cancel()
	_, _ = db.client.With(ctx).DB.ask(wire.OpDocKill, repeats, &wire.DocKill{Cursors: []uint64{cursor}}) // the server gives it up in the end
}

// each returns the documents of answers.
func each[T any](answers iter.Seq2[[]byte, error]) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		var d decoder
		for body, err := range answers {
			if err != nil {
				yield(none, err)
				return
			}
			for len(body) > 0 {
				doc, more, err := takeDocument(body)
				if err != nil {
					yield(none, badAnswer(wire.OpDocFind, err))
					return
				}
				body = more
				v, err := decodeInto[T](&d, doc)
				if err != nil {
					yield(none, badDocument(err))
					return
				}
				if !yield(v, nil) {
					return
				}
			}
		}
	}
}

// gather returns the documents of answers in a list.
func gather[T any](answers iter.Seq2[[]byte, error]) ([]T, error) {
	var list []T
	for v, err := range each[T](answers) {
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}
