package update

import (
	"bytes"
	"strings"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/filter"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// Update is a compiled update document. It never changes, so any number of goroutines may apply it at once. It keeps the
// bytes that it was compiled from.
type Update struct {
	replacement bsoncore.Document // nil if there are operators
	root        *node
	positional  bool
}

// Context is what an update may depend on beside the document.
type Context struct {
	Now      int64 // milliseconds since 1970, for $currentDate
	Insert   bool  // the document is made by an upsert: $setOnInsert acts, and _id may be set
	Position int   // what the positional $ stands for: see filter.Filter.Position; less than 0 if there is nothing
}

// Compile compiles an update document: operators, if its first field begins with a dollar, else a replacement. The filters
// are what $[name] in a path refers to.
func Compile(update bsoncore.Document, arrayFilters []bsoncore.Document) (*Update, error) {
	if err := value.Valid(update); err != nil {
		return nil, err
	}
	r := value.Read(update)
	if !r.Next() || len(r.Name) == 0 || r.Name[0] != '$' {
		return compileReplacement(update, arrayFilters)
	}
	c := &compiler{root: newFields()}
	for _, f := range arrayFilters {
		if err := c.budget.Take(value.OfDocument(f)); err != nil {
			return nil, err
		}
	}
	filters, err := compileFilters(arrayFilters)
	if err != nil {
		return nil, err
	}
	c.filters = filters
	for r := value.Read(update); r.Next(); {
		if err := c.operator(string(r.Name), r.Value); err != nil {
			return nil, err
		}
	}
	for _, f := range filters {
		if !f.used {
			return nil, value.Errorf(value.FailedToParse, "The array filter for identifier '%s' was not used in the update %s", f.id, value.Text(value.OfDocument(update)))
		}
	}
	c.root.finish()
	return &Update{root: c.root, positional: c.positional}, nil
}

// Replacement reports that the update puts a whole document in the place of another.
func (u *Update) Replacement() bool { return u.replacement != nil }

// Positional reports that a path has the positional $, so that Context.Position is needed.
func (u *Update) Positional() bool { return u.positional }

// Apply appends the updated document to dst and returns it as out. changed is false if it came out as it was, to the last
// byte; then out is doc itself. The _id of a document cannot be changed. What is wrong is a *value.Error.
func (u *Update) Apply(dst []byte, doc bsoncore.Document, c Context) (out bsoncore.Document, changed bool, err error) {
	start := len(dst)
	if u.replacement != nil {
		dst = u.replace(dst, doc)
		changed = !bytes.Equal(dst[start:], doc)
	} else {
		a := run{Context: c, doc: doc, start: start}
		dst, err = a.document(dst, u.root, doc)
		changed = a.changed
	}
	if err != nil || !changed {
		return doc, false, err
	}
	out = dst[start:len(dst):len(dst)]
	if err := checkID(doc, out, u.replacement != nil); err != nil {
		return doc, false, err
	}
	if err := value.Check(out); err != nil {
		return doc, false, err
	}
	return out, true, nil
}

// checkID refuses another _id than the document had.
func checkID(before, after bsoncore.Document, replaced bool) error {
	old, ok := value.Get(before, "_id")
	if !ok {
		return nil
	}
	id, _ := value.Get(after, "_id")
	switch {
	case value.Equal(old, id):
		return nil
	case replaced:
		return value.Errorf(value.ImmutableField, "After applying the update, the (immutable) field '_id' was found to have been altered to _id: %s", value.Text(id))
	}
	return value.Errorf(value.ImmutableField, "Performing an update on the path '_id' would modify the immutable field '_id'")
}

// compiler builds the tree.
type compiler struct {
	root       *node
	filters    []*arrayFilter
	positional bool
	budget     filter.Budget // of the array filters and the conditions of $pull together
}

// operator adds all paths of an operator.
func (c *compiler) operator(name string, v bsoncore.Value) error {
	if name == "$rename" && v.Type == value.Document {
		return c.renames(v.Data)
	}
	compile, ok := operators[name]
	switch {
	case name == "$rename":
	case !ok:
		return value.Errorf(value.FailedToParse, "Unknown modifier: %s. Expected a valid update modifier or pipeline-style update specified as an array", name)
	}
	if v.Type != value.Document {
		return value.Errorf(value.FailedToParse, "Modifiers operate on fields but we found type %s instead. For example: {$mod: {<field>: ...}} not {%s: %s}", value.TypeName(v.Type), name, value.Text(v))
	}
	for r := value.Read(v.Data); r.Next(); {
		if name == "$pull" {
			if err := c.budget.Take(r.Value); err != nil {
				return err
			}
		}
		path := strings.Clone(string(r.Name))
		o, err := compile(path, r.Value)
		if err != nil {
			return err
		}
		if err := c.add(path, o); err != nil {
			return err
		}
	}
	return nil
}

// operators has a function for each operator, which compiles its operand for one path. $rename concerns two.
var operators = map[string]func(path string, v bsoncore.Value) (op, error){
	"$set":         func(_ string, v bsoncore.Value) (op, error) { return set{v}, nil },
	"$setOnInsert": func(_ string, v bsoncore.Value) (op, error) { return setOnInsert{v}, nil },
	"$unset":       func(string, bsoncore.Value) (op, error) { return unset{}, nil },
	"$inc":         compileInc,
	"$mul":         compileMul,
	"$min":         func(_ string, v bsoncore.Value) (op, error) { return extreme{v, -1}, nil },
	"$max":         func(_ string, v bsoncore.Value) (op, error) { return extreme{v, 1}, nil },
	"$currentDate": compileCurrentDate,
	"$bit":         compileBit,
	"$push":        compilePush,
	"$addToSet":    compileAddToSet,
	"$pop":         compilePop,
	"$pull":        compilePull,
	"$pullAll":     compilePullAll,
}
