package update

import (
	"encoding/binary"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

// keep appends a value as it is.
func keep(dst []byte, v bsoncore.Value) ([]byte, bsoncore.Type, error) {
	return append(dst, v.Data...), v.Type, nil
}

type set struct{ value bsoncore.Value }

func (o set) apply(_ *run, dst []byte, _ bsoncore.Value) ([]byte, bsoncore.Type, error) {
	return keep(dst, o.value)
}

func (set) strict(*run) bool { return true }

type setOnInsert struct{ value bsoncore.Value }

func (o setOnInsert) apply(a *run, dst []byte, old bsoncore.Value) ([]byte, bsoncore.Type, error) {
	if a.Insert {
		return keep(dst, o.value)
	}
	return keep(dst, old)
}

func (setOnInsert) strict(a *run) bool { return a.Insert }

type unset struct{}

func (unset) apply(_ *run, dst []byte, _ bsoncore.Value) ([]byte, bsoncore.Type, error) {
	return dst, 0, nil
}

func (unset) strict(*run) bool { return false }

// extreme is $min, of sign -1, and $max.
type extreme struct {
	value bsoncore.Value
	sign  int
}

func (o extreme) apply(_ *run, dst []byte, old bsoncore.Value) ([]byte, bsoncore.Type, error) {
	if old.Type == 0 || value.Compare(o.value, old)*o.sign > 0 {
		return keep(dst, o.value)
	}
	return keep(dst, old)
}

func (extreme) strict(*run) bool { return true }

// currentDate is $currentDate.
type currentDate struct{ timestamp bool }

func compileCurrentDate(_ string, v bsoncore.Value) (op, error) {
	switch v.Type {
	case value.Boolean:
		return currentDate{}, nil
	case value.Document:
		r := value.Read(v.Data)
		if !r.Next() || string(r.Name) != "$type" {
			return nil, value.Errorf(value.BadValue, "Unrecognized $currentDate option: %s", value.Text(v))
		}
		of := string(value.Str(r.Value))
		if of != "date" && of != "timestamp" || r.Next() {
			return nil, value.Errorf(value.BadValue, "The '$type' string field is required to be 'date' or 'timestamp': {$currentDate: {field : {$type: 'date'}}}")
		}
		return currentDate{timestamp: of == "timestamp"}, nil
	default:
		return nil, value.Errorf(value.BadValue, "%s is not valid type for $currentDate. Please use a boolean ('true') or a $type expression ({$type: 'timestamp/date'}).", value.TypeName(v.Type))
	}
}

func (o currentDate) apply(a *run, dst []byte, _ bsoncore.Value) ([]byte, bsoncore.Type, error) {
	if !o.timestamp {
		return binary.LittleEndian.AppendUint64(dst, uint64(a.Now)), value.DateTime, nil
	}
	// A timestamp has seconds and a count within the second; the milliseconds keep such counts in order.
	seconds, rest := a.Now/1000, a.Now%1000
	return binary.LittleEndian.AppendUint64(dst, uint64(seconds)<<32|uint64(rest+1)), value.Timestamp, nil
}

func (currentDate) strict(*run) bool { return true }
