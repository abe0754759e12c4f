package resp

import (
	"github.com/skshohagmiah/flin/pkg/extjson"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// docOption is an option of a command on documents.
type docOption uint16

const (
	docDB docOption = 1 << iota
	docSort
	docSkip
	docLimit
	docFields
	docOne
	docUpsert
	docUnique
	docSparse
	docTTL
	docNamed
	docPartial
)

// docOptions are the options of commands on documents, by the words that say them.
var docOptions = []struct {
	word  string // in lower case
	bit   docOption
	alone bool // no value follows
}{
	{"db", docDB, false},
	{"sort", docSort, false},
	{"skip", docSkip, false},
	{"limit", docLimit, false},
	{"fields", docFields, false},
	{"one", docOne, true},
	{"upsert", docUpsert, true},
	{"unique", docUnique, true},
	{"sparse", docSparse, true},
	{"ttl", docTTL, false},
	{"name", docNamed, false},
	{"partial", docPartial, false},
}

// docArgs is what the options of a command on documents say.
type docArgs struct {
	given   docOption
	db      []byte
	sort    []byte
	fields  []byte
	partial []byte
	name    []byte
	skip    uint64
	limit   uint64
	ttl     uint64
}

func (o *docArgs) has(bit docOption) bool { return o.given&bit != 0 }

// docOptions reads the options args[i:] of a command that has those of allowed, and DB. It replies itself, and is false, if they make
// no sense.
func (c *conn) docOptions(args [][]byte, i int, allowed docOption, a *docArgs) bool {
	a.db = []byte(wire.DocDatabase)
	o := c.words(args[i:])
	for o.next() {
		row := -1
		for j := range docOptions {
			if (allowed|docDB)&docOptions[j].bit != 0 && o.is(docOptions[j].word) {
				row = j
			}
		}
		if row < 0 {
			o.unknown()
			break
		}
		a.given |= docOptions[row].bit
		if !docOptions[row].alone {
			o.docValue(docOptions[row].bit, a)
		}
	}
	return !o.failed
}

// docValue reads the value of an option.
func (o *options) docValue(option docOption, a *docArgs) {
	switch option {
	case docDB:
		a.db = o.value()
	case docSort:
		a.sort = o.document()
	case docFields:
		a.fields = o.document()
	case docPartial:
		a.partial = o.document()
	case docSkip:
		a.skip = o.number(0, 1<<62)
	case docLimit:
		a.limit = o.number(0, 1<<62)
	case docTTL:
		a.ttl = o.number(0, wire.MaxDocTTL)
	case docNamed:
		a.name = o.value()
	default: // the others have no value
	}
}

// document reads a document. It replies itself, and is not ok, if it is none.
func (c *conn) document(what string, p []byte) ([]byte, bool) {
	doc, err := extjson.Document(p)
	if err != nil {
		c.fail("ERR " + what + " is no document in JSON: " + err.Error())
		return nil, false
	}
	return doc, true
}
