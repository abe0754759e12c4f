package update

import (
	"strings"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// renames adds the two paths of each field that $rename has.
func (c *compiler) renames(fields []byte) error {
	for r := value.Read(fields); r.Next(); {
		from, to := strings.Clone(string(r.Name)), string(value.Str(r.Value))
		switch {
		case r.Value.Type != value.String:
			return value.Errorf(value.BadValue, "The 'to' field for $rename must be a string: %s: %s", from, value.Text(r.Value))
		case from == to:
			return value.Errorf(value.BadValue, "The source and target field for $rename must differ: %s: %q", from, to)
		case strings.IndexByte(to, 0) >= 0:
			return value.Errorf(value.BadValue, "The 'to' field for $rename cannot contain an embedded null byte: %s: %q", from, to)
		case dynamic(from):
			return value.Errorf(value.BadValue, "The source field for $rename may not be dynamic: %s", from)
		case dynamic(to):
			return value.Errorf(value.BadValue, "The destination field for $rename may not be dynamic: %s", to)
		}
		if err := c.add(from, renameFrom{}); err != nil {
			return err
		}
		if err := c.add(to, &renameTo{from}); err != nil {
			return err
		}
	}
	return nil
}

// dynamic reports that a path has a part whose meaning depends on the document.
func dynamic(path string) bool {
	for part := range strings.SplitSeq(path, ".") {
		if part == "$" || strings.HasPrefix(part, "$[") {
			return true
		}
	}
	return false
}

// renameFrom takes the field away from where it was.
type renameFrom struct{ unset }

// renameTo puts the field where it is to be. It takes the value from the document as it was.
type renameTo struct{ from string }

func (o *renameTo) apply(a *run, dst []byte, old bsoncore.Value) ([]byte, bsoncore.Type, error) {
	v, err := o.source(a)
	if err != nil || v.Type == 0 {
		return append(dst, old.Data...), old.Type, err
	}
	return keep(dst, v)
}

// strict holds only if there is something to rename; otherwise the operator does nothing at all.
func (o *renameTo) strict(a *run) bool {
	v, err := o.source(a)
	return err != nil || v.Type != 0
}

func (o *renameTo) source(a *run) (bsoncore.Value, error) {
	v, at := value.OfDocument(a.doc), ""
	for part := range strings.SplitSeq(o.from, ".") {
		switch v.Type {
		case 0:
			return v, nil
		case value.Document:
		case value.Array:
			return bsoncore.Value{}, value.Errorf(value.BadValue, "The source field cannot be an array element, '%s' in doc with %s has an array field called '%s'", o.from, a.id(), at)
		default:
			return bsoncore.Value{}, value.Errorf(value.PathNotViable, "cannot use the part (%s) of (%s) to traverse the element ({%s: %s})", part, o.from, at, value.Text(v))
		}
		v, _ = value.Get(v.Data, part)
		at = part
	}
	return v, nil
}
