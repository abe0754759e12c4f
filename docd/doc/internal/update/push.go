package update

import (
	"bytes"
	"slices"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/build"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// push is $push with all its modifiers.
type push struct {
	items    []bsoncore.Value
	position *int64
	slice    *int64
	sort     []value.KeyField // nil if there is none; one without a path sorts by the elements themselves
}

func compilePush(_ string, v bsoncore.Value) (op, error) {
	each, ok := eachOf(v)
	if !ok {
		return &push{items: []bsoncore.Value{v}}, nil
	}
	o := &push{}
	var err error
	if o.items, err = items("$push", each); err != nil {
		return nil, err
	}
	for r := value.Read(v.Data); r.Next(); {
		switch string(r.Name) {
		case "$each":
		case "$slice":
			o.slice, err = modifier("$slice", r.Value)
		case "$position":
			o.position, err = modifier("$position", r.Value)
		case "$sort":
			o.sort, err = compileSort(r.Value)
		default:
			err = value.Errorf(value.BadValue, "Unrecognized clause in $push: %s", r.Name)
		}
		if err != nil {
			return nil, err
		}
	}
	return o, nil
}

// eachOf returns the operand's $each, if it is a document that has one.
func eachOf(v bsoncore.Value) (bsoncore.Value, bool) {
	if v.Type != value.Document {
		return v, false
	}
	return value.Get(v.Data, "$each")
}

func items(name string, each bsoncore.Value) (list []bsoncore.Value, err error) {
	if each.Type != value.Array {
		return nil, value.Errorf(value.BadValue, "The argument to $each in %s must be an array but it was of type: %s", name, value.TypeName(each.Type))
	}
	for r := value.Read(each.Data); r.Next(); {
		list = append(list, r.Value)
	}
	return list, nil
}

func modifier(name string, v bsoncore.Value) (*int64, error) {
	n, exact := value.Int(v)
	if !exact {
		return nil, value.Errorf(value.BadValue, "The value for %s must be an integer value but was given: %s", name, value.Text(v))
	}
	return &n, nil
}

func compileSort(v bsoncore.Value) ([]value.KeyField, error) {
	if n, exact := value.Int(v); exact && (n == 1 || n == -1) {
		return []value.KeyField{{Desc: n < 0}}, nil
	}
	if v.Type != value.Document {
		return nil, value.Errorf(value.BadValue, "The $sort is invalid: use 1/-1 to sort the whole element, or {field:1/-1} to sort embedded fields, not %s", value.Text(v))
	}
	var fields []value.KeyField
	for r := value.Read(v.Data); r.Next(); {
		n, exact := value.Int(r.Value)
		if !exact || n != 1 && n != -1 {
			return nil, value.Errorf(value.BadValue, "The $sort element value must be either 1 or -1, and that of '%s' is %s", r.Name, value.Text(r.Value))
		}
		if err := value.CheckPath(string(r.Name)); err != nil {
			return nil, err
		}
		fields = append(fields, value.KeyField{Path: string(r.Name), Desc: n < 0})
	}
	if len(fields) == 0 {
		return nil, value.Errorf(value.BadValue, "The $sort pattern is empty when it should be a set of fields.")
	}
	return fields, nil
}

func (o *push) strict(*run) bool { return true }

func (o *push) apply(a *run, dst []byte, old bsoncore.Value) ([]byte, bsoncore.Type, error) {
	if old.Type != 0 && old.Type != value.Array {
		return dst, 0, value.Errorf(value.BadValue, "The field '%s' must be an array but is of type %s in document %s", a.path, value.TypeName(old.Type), a.id())
	}
	if o.position == nil && o.slice == nil && o.sort == nil {
		return appendItems(dst, old, o.items), value.Array, nil
	}
	list := a.elements(old)
	at := len(list)
	if o.position != nil {
		if at = int(min(*o.position, int64(len(list)))); at < 0 {
			at = int(max(0, int64(len(list))+*o.position))
		}
	}
	list = slices.Insert(list, at, o.items...)
	if o.sort != nil {
		sortElements(list, o.sort)
	}
	a.list = list
	if o.slice != nil {
		n := *o.slice
		if n >= 0 {
			list = list[:min(n, int64(len(list)))]
		} else {
			list = list[max(0, int64(len(list))+n):]
		}
	}
	return appendList(dst, list), value.Array, nil
}

// elements returns an array's elements in memory that is used again.
func (a *run) elements(v bsoncore.Value) []bsoncore.Value {
	a.list = a.list[:0]
	for r := value.Read(v.Data); v.Type == value.Array && r.Next(); {
		a.list = append(a.list, r.Value)
	}
	return a.list
}

// appendItems appends an array, which may be missing, with more elements at its end.
func appendItems(dst []byte, old bsoncore.Value, more []bsoncore.Value) []byte {
	start, dst := value.Begin(dst)
	n := 0
	if old.Type == value.Array && len(old.Data) > 5 {
		dst = append(dst, old.Data[4:len(old.Data)-1]...)
		for r := value.Read(old.Data); r.Next(); {
			n++
		}
	}
	for i, v := range more {
		dst = build.Item(dst, n+i, v)
	}
	return value.End(dst, start)
}

func appendList(dst []byte, list []bsoncore.Value) []byte {
	start, dst := value.Begin(dst)
	for i, v := range list {
		dst = build.Item(dst, i, v)
	}
	return value.End(dst, start)
}

// sortElements sorts an array's elements, those that are equal as they were. What a field misses counts as null.
func sortElements(list []bsoncore.Value, fields []value.KeyField) {
	type keyed struct {
		key  []byte
		elem bsoncore.Value
	}
	all := make([]keyed, len(list))
	var room []byte
	for i, v := range list {
		from := len(room)
		for _, f := range fields {
			by := v
			if f.Path != "" {
				by = bsoncore.Value{Type: value.Null}
				if v.Type == value.Document {
					if found, ok := value.Lookup(v.Data, f.Path); ok {
						by = found
					}
				}
			}
			room = value.AppendKey(room, by, f.Desc)
		}
		all[i] = keyed{room[from:len(room):len(room)], v}
	}
	slices.SortStableFunc(all, func(x, y keyed) int { return bytes.Compare(x.key, y.key) })
	for i := range all {
		list[i] = all[i].elem
	}
}
