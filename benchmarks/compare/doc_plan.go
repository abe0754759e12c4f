package main

import (
	"github.com/skshohagmiah/flin/benchmarks/driver"
	"github.com/skshohagmiah/flin/benchmarks/proc"
)

// docRows are the rows of the documents.
func docRows(l *lab) []*row {
	ours := docSide{name: "our client on Flin", recipe: proc.Flin("Flin", l.flinServer), open: driver.FlinDocs}
	pg := proc.Postgres("PostgreSQL", l.postgresBin)
	theirs := docSide{name: "pgx on " + pg.Name, recipe: pg, open: driver.PostgresDocs, postgres: true}

	var rows []*row
	vs := func(name string, f, p *probe, g goal) {
		rows = append(rows, &row{name: "doc: " + name, flin: source{f, documentRate}, peer: source{p, documentRate}, goal: g})
	}

	const against = ", our client against pgx on PostgreSQL JSONB"
	for _, k := range []docKind{insertDoc, findDocID, findDocUID, updateDoc} {
		vs(k.name+against, l.docCalls(ours, k), l.docCalls(theirs, k), k.goal)
	}

	bare, indexed := insertDoc, insertDoc
	bare.indexes, indexed.indexes = nil, []string{driver.FieldUID, driver.FieldRank, driver.FieldEmail}
	vs("insert with 3 secondary indexes against none", l.docCalls(ours, indexed), l.docCalls(ours, bare), goal{ratioAtLeast: .5})
	few, many := findDocUID, findDocUID
	few.there, many.there = 10_000, 1_000_000
	vs("find by an indexed field at 1 million documents against 10,000", l.docCalls(ours, many), l.docCalls(ours, few), goal{ratioAtLeast: .8})
	return rows
}
