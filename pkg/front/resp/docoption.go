package resp

import "github.com/skshohagmiah/flin/pkg/wire"

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
func (c *conn) docOptions(args [][]byte, i int, allowed docOption, o *docArgs) bool {
	o.db = []byte(wire.DocDatabase)
	for ; i < len(args); i++ {
		row := -1
		for j := range docOptions {
			if fold(args[i], docOptions[j].word) && (allowed|docDB)&docOptions[j].bit != 0 {
				row = j
			}
		}
		if row < 0 {
			c.failOption(args[i])
			return false
		}
		option := &docOptions[row]
		o.given |= option.bit
		if option.alone {
			continue
		}
		v, ok := c.option(args, i)
		if !ok || !c.docValue(option.bit, v, o) {
			return false
		}
		i++
	}
	return true
}

// docValue reads the value of an option.
func (c *conn) docValue(option docOption, v []byte, o *docArgs) (ok bool) {
	switch ok = true; option {
	case docDB:
		o.db = v
	case docSort:
		o.sort, ok = c.document("SORT", v)
	case docFields:
		o.fields, ok = c.document("FIELDS", v)
	case docPartial:
		o.partial, ok = c.document("PARTIAL", v)
	case docSkip:
		o.skip, ok = c.number("SKIP", v, 0, 1<<62)
	case docLimit:
		o.limit, ok = c.number("LIMIT", v, 0, 1<<62)
	case docTTL:
		o.ttl, ok = c.number("TTL", v, 0, wire.MaxDocTTL)
	case docNamed:
		o.name = v
	default: // the others have no value
	}
	return ok
}

// document reads a document. It replies itself, and is not ok, if it is none.
func (c *conn) document(what string, p []byte) ([]byte, bool) {
	doc, err := readJSON(p)
	if err != nil {
		c.fail("ERR " + what + " is no document in JSON: " + err.Error())
		return nil, false
	}
	return doc, true
}
