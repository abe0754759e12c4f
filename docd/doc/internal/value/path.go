package value

import (
	"strings"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"
)

// Get returns the element of a document that has a name: the first, should there be several.
func Get(doc bsoncore.Document, name string) (bsoncore.Value, bool) {
	for b := Read(doc).rest; ; {
		from, to := split(b)
		if to == 0 {
			return bsoncore.Value{}, false
		}
		if from == len(name)+2 && string(b[1:from-1]) == name {
			return bsoncore.Value{Type: bsoncore.Type(b[0]), Data: b[from:to:to]}, true
		}
		b = b[to:]
	}
}

// At returns the element of an array at a position.
func At(array []byte, i int) (bsoncore.Value, bool) {
	for r := Read(array); i >= 0 && r.Next(); i-- {
		if i == 0 {
			return r.Value, true
		}
	}
	return bsoncore.Value{}, false
}

// Index reads a component of a path as a position in an array: digits without zeros before them.
func Index(component string) (int, bool) {
	if len(component) == 0 || len(component) > 8 || component[0] == '0' && len(component) > 1 {
		return 0, false
	}
	n := 0
	for i := range len(component) {
		c := component[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// Cut returns the first component of a dotted path and what follows its dot. more is false at the last one.
func Cut(path string) (first, rest string, more bool) {
	return strings.Cut(path, ".")
}

// Lookup returns what is at a dotted path: names of fields, and positions where there are arrays. It never looks into all
// elements of an array; Walk does.
func Lookup(doc bsoncore.Document, path string) (bsoncore.Value, bool) {
	v := OfDocument(doc)
	for more := true; more; {
		var first string
		var ok bool
		first, path, more = Cut(path)
		switch v.Type {
		case Document:
			v, ok = Get(v.Data, first)
		case Array:
			if i, isIndex := Index(first); isIndex {
				v, ok = At(v.Data, i)
			}
		default:
		}
		if !ok {
			return bsoncore.Value{}, false
		}
	}
	return v, true
}

// Walk calls fn for each value that a filter's dotted path means in a document, until it returns false: through arrays on
// the way into each of their documents, and into the element that a component numbers. Where the path ends at an array, fn
// gets each element and then the array itself. Where it ends at nothing, fn gets exists false; but an array on the way none
// of whose elements is a document gives nothing at all, as in MongoDB.
func Walk(doc bsoncore.Document, path string, fn func(v bsoncore.Value, exists bool) bool) {
	Traverse(doc, path, true, func(v bsoncore.Value, exists bool, _ int) bool { return fn(v, exists) })
}

// Traverse is Walk that also tells the position in the outermost array it has gone through, -1 if there was none. With
// spread false it gives an array at the end of the path as a whole only.
func Traverse(doc bsoncore.Document, path string, spread bool, fn func(v bsoncore.Value, exists bool, index int) bool) {
	traverse(doc, path, spread, -1, forks, fn)
}

// forks bounds how often one way down a path may try a number both as a position in an array and as the name of a field of
// the document there. Each such place doubles the work; beyond the bound a number is a position.
const forks = 6
