package value

import "go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

// visit is called with a value, or with exists false, and the position in the outermost array that was gone through. It returns whether to go on.
type visit = func(v bsoncore.Value, exists bool, index int) bool

// traverse follows a path into a document. It returns false once fn has.
func traverse(doc bsoncore.Document, path string, spread bool, index, fork int, fn visit) bool {
	for {
		first, rest, more := Cut(path)
		v, ok := Get(doc, first)
		switch {
		case !ok:
			return fn(v, false, index)
		case !more:
			return atEnd(v, spread, index, fn)
		case v.Type == Document:
			doc, path = v.Data, rest
		case v.Type == Array:
			return throughArray(v.Data, rest, spread, index, fork, fn)
		default:
			return fn(bsoncore.Value{}, false, index)
		}
	}
}

// atEnd gives fn what a path ends at.
func atEnd(v bsoncore.Value, spread bool, index int, fn visit) bool {
	if v.Type == Array && spread {
		i := 0
		for r := Read(v.Data); r.Next(); i++ {
			if !fn(r.Value, true, outer(index, i)) {
				return false
			}
		}
	}
	return fn(v, true, index)
}

// throughArray follows the rest of a path into the elements of an array. Only where it tries them all does their position count: not
// where the path says which.
func throughArray(array []byte, path string, spread bool, index, fork int, fn visit) bool {
	first, rest, more := Cut(path)
	number, numbered := Index(first)
	i := 0
	for r := Read(array); r.Next(); i++ {
		at, here := outer(index, i), numbered && i == number
		if r.Value.Type == Document && (!here || fork > 0) {
			if here {
				fork--
			}
			if !traverse(r.Value.Data, path, spread, at, fork, fn) {
				return false
			}
		}
		if !here {
			continue
		}
		on := true
		switch {
		case !more:
			on = fn(r.Value, true, index)
		case r.Value.Type == Document:
			on = traverse(r.Value.Data, rest, spread, index, fork, fn)
		case r.Value.Type == Array:
			on = throughArray(r.Value.Data, rest, spread, index, fork, fn)
		}
		if !on {
			return false
		}
	}
	return true
}

func outer(index, i int) int {
	if index >= 0 {
		return index
	}
	return i
}
