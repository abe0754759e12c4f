package update

import (
	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/number"
	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// inc is $inc.
type inc struct{ by number.Number }

func compileInc(path string, v bsoncore.Value) (op, error) {
	n, ok := number.Of(v)
	if !ok {
		return nil, value.Errorf(value.TypeMismatch, "Cannot increment with non-numeric argument: {%s: %s}", path, value.Text(v))
	}
	return inc{n}, nil
}

func (o inc) apply(a *run, dst []byte, old bsoncore.Value) ([]byte, bsoncore.Type, error) {
	if old.Type == 0 {
		return o.by.Append(dst), o.by.Type, nil
	}
	n, err := a.number("$inc", old)
	if err != nil {
		return dst, 0, err
	}
	sum, exact := number.Add(n, o.by)
	if !exact {
		return dst, 0, a.overflow("$inc", old)
	}
	return sum.Append(dst), sum.Type, nil
}

func (inc) strict(*run) bool { return true }

// mul is $mul.
type mul struct{ by number.Number }

func compileMul(path string, v bsoncore.Value) (op, error) {
	n, ok := number.Of(v)
	if !ok {
		return nil, value.Errorf(value.TypeMismatch, "Cannot multiply with non-numeric argument: {%s: %s}", path, value.Text(v))
	}
	return mul{n}, nil
}

func (o mul) apply(a *run, dst []byte, old bsoncore.Value) ([]byte, bsoncore.Type, error) {
	if old.Type == 0 {
		zero := o.by.Zero()
		return zero.Append(dst), zero.Type, nil
	}
	n, err := a.number("$mul", old)
	if err != nil {
		return dst, 0, err
	}
	product, exact := number.Multiply(n, o.by)
	if !exact {
		return dst, 0, a.overflow("$mul", old)
	}
	return product.Append(dst), product.Type, nil
}

func (mul) strict(*run) bool { return true }

func (a *run) number(name string, old bsoncore.Value) (number.Number, error) {
	n, ok := number.Of(old)
	if !ok {
		return n, value.Errorf(value.TypeMismatch, "Cannot apply %s to a value of non-numeric type. The document %s has the field '%s' of non-numeric type %s", name, a.id(), a.path, value.TypeName(old.Type))
	}
	return n, nil
}

func (a *run) overflow(name string, old bsoncore.Value) error {
	return value.Errorf(value.BadValue, "Failed to apply %s operations to current value (%s) of '%s' for document %s: the result is out of an int64's range", name, value.Text(old), a.path, a.id())
}

// bit is $bit.
type bit struct {
	ops []bitOp
}

type bitOp struct {
	name string
	mask int64
	long bool // the mask is an int64
}

func compileBit(path string, v bsoncore.Value) (op, error) {
	if v.Type != value.Document {
		return nil, value.Errorf(value.BadValue, "The $bit modifier is not compatible with a %s. You must pass in an embedded document: {$bit: {field: {and/or/xor: #}}", value.TypeName(v.Type))
	}
	var o bit
	for r := value.Read(v.Data); r.Next(); {
		name := string(r.Name)
		if name != "and" && name != "or" && name != "xor" {
			return nil, value.Errorf(value.BadValue, "The $bit modifier only supports 'and', 'or', and 'xor', not '%s' which is an unknown operator: {%s: %s}", name, path, value.Text(v))
		}
		mask, ok := integer(r.Value)
		if !ok {
			return nil, value.Errorf(value.BadValue, "The $bit modifier field must be an Integer(32/64 bit); a '%s' is not supported here: {%s: %s}", value.TypeName(r.Value.Type), path, value.Text(v))
		}
		o.ops = append(o.ops, bitOp{name, mask, r.Value.Type == value.Int64})
	}
	if len(o.ops) == 0 {
		return nil, value.Errorf(value.BadValue, "You must pass in at least one bitwise operation. The format is: {$bit: {field: {and/or/xor: #}}")
	}
	return o, nil
}

// integer reads a value that is an int32 or an int64.
func integer(v bsoncore.Value) (int64, bool) {
	if v.Type != value.Int32 && v.Type != value.Int64 {
		return 0, false
	}
	return value.Int(v)
}

func (o bit) apply(a *run, dst []byte, old bsoncore.Value) ([]byte, bsoncore.Type, error) {
	n, ok := integer(old)
	if !ok && old.Type != 0 {
		return dst, 0, value.Errorf(value.BadValue, "Cannot apply $bit to a value of non-integral type. The document %s has the field '%s' of non-integer type %s", a.id(), a.path, value.TypeName(old.Type))
	}
	long := old.Type == value.Int64
	for _, b := range o.ops {
		switch b.name {
		case "and":
			n &= b.mask
		case "or":
			n |= b.mask
		case "xor":
			n ^= b.mask
		}
		long = long || b.long
	}
	result := number.Int32(int32(n))
	if long {
		result = number.Int64(n)
	}
	return result.Append(dst), result.Type, nil
}

func (bit) strict(*run) bool { return true }
