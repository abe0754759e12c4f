package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/skshohagmiah/flin/benchmarks/driver"
	"github.com/skshohagmiah/flin/benchmarks/load"
	"github.com/skshohagmiah/flin/benchmarks/proc"
)

// documentRate is the name of a figure.
const documentRate = "documents/s"

// docSide is a server with a client of its documents.
type docSide struct {
	name     string
	recipe   proc.Recipe
	open     driver.OpenDocs
	postgres bool
}

// docKind is a way to use documents.
type docKind struct {
	name    string
	there   float64  // documents that are there before; 0: the collection is empty at the beginning
	indexes []string // the fields that are indexed, from the start
	op      func(*driver.DocWork) func(*load.Worker) load.Op
	goal    goal // against PostgreSQL
}

// The ways to use documents.
var (
	insertDoc  = docKind{"insert", 0, []string{driver.FieldUID}, (*driver.DocWork).Insert, goal{ratioAtLeast: 4}}
	findDocID  = docKind{"find by _id", existing, []string{driver.FieldUID}, (*driver.DocWork).FindID, goal{ratioAtLeast: 3}}
	findDocUID = docKind{"find by an indexed field", existing, []string{driver.FieldUID}, (*driver.DocWork).FindUID, goal{ratioAtLeast: 2.5}}
	updateDoc  = docKind{"update by an indexed field", existing, []string{driver.FieldUID}, (*driver.DocWork).UpdateUID, goal{ratioAtLeast: 3}}
)

// docBench is one server and one client of its documents.
type docBench struct {
	*proc.Server
	*driver.DocWork
}

// withDocs starts a server and a client for fn, and ends both whatever happens.
func (l *lab) withDocs(ctx context.Context, side docSide, fn func(*docBench) error) (err error) {
	s, err := proc.Launch(ctx, l.dir, side.recipe)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	maker, err := driver.NewDocuments(seed, valueSize)
	if err != nil {
		return err
	}
	c, err := side.open(s.Addr)
	if err != nil {
		return errors.Join(err, s.Alive())
	}
	b := &docBench{Server: s, DocWork: &driver.DocWork{Docs: c, Make: maker}}
	defer func() { err = errors.Join(err, c.Close(), aliveAfter(err, s)) }()
	return fn(b)
}

// abort makes calls that hang fail: the server that they wait for is gone.
func (b *docBench) abort() { _ = b.Kill() }

// fill inserts n documents in batches and lets the server come to rest.
func (b *docBench) fill(ctx context.Context, n uint64) error {
	_, err := load.Run(ctx, load.Config{Workers: batchCallers, Op: b.Fill(queueBatch, n), Abort: b.abort})
	if err == nil {
		err = b.CheckCount()
	}
	if a, ok := b.Docs.(driver.Analyzer); ok && err == nil {
		err = a.Analyze()
	}
	if err != nil {
		return fmt.Errorf("insert %d documents: %w", n, err)
	}
	return rest(ctx, settle)
}

// docCalls measures what callers reach on a fresh server. When the time is over there must be as many documents as were inserted.
func (l *lab) docCalls(side docSide, k docKind) *probe {
	name := fmt.Sprintf("doc: %s, %s, secondary indexes: %d, documents before: %s, %v", k.name, side.name, len(k.indexes), number(k.there), l.seconds)
	return &probe{name: name, postgres: side.postgres, measure: func(ctx context.Context) (out map[string]figure, err error) {
		err = l.withDocs(ctx, side, func(b *docBench) error {
			for _, field := range k.indexes {
				if err := b.Docs.Index(field); err != nil {
					return fmt.Errorf("make an index of %s: %w", field, err)
				}
			}
			if k.there > 0 {
				if err := b.fill(ctx, l.amount(k.there)); err != nil {
					return err
				}
			}
			f, err := timed(ctx, load.Config{Workers: callers, Duration: l.seconds, Op: k.op(b.DocWork), Abort: b.abort})
			if err != nil {
				return err
			}
			out = map[string]figure{documentRate: f}
			return b.CheckCount()
		})
		return out, err
	}}
}
