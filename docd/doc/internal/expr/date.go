package expr

import (
	"encoding/binary"
	"time"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

const (
	codeNoDate      = 16006
	codeDateUnknown = 40535
	codeDateMissing = 40539
	codeZoneType    = 40517
	codeZoneUnknown = 40485
)

// millis is a date as milliseconds since 1970.
func millis(v bsoncore.Value) int64 {
	if len(v.Data) < 8 {
		return 0
	}
	return int64(binary.LittleEndian.Uint64(v.Data))
}

// dateOf reads what may stand for a date: a date, a timestamp, or an ObjectID by the time that it begins with.
func dateOf(v bsoncore.Value) (time.Time, error) {
	switch {
	case v.Type == value.DateTime:
		return time.UnixMilli(millis(v)).UTC(), nil
	case v.Type == value.Timestamp && len(v.Data) >= 8:
		return time.Unix(int64(binary.LittleEndian.Uint32(v.Data[4:])), 0).UTC(), nil
	case v.Type == value.ObjectID && len(v.Data) >= 4:
		return time.Unix(int64(binary.BigEndian.Uint32(v.Data)), 0).UTC(), nil
	}
	return time.Time{}, value.Errorf(codeNoDate, "can't convert from BSON type %s to Date", value.TypeName(v.Type))
}

// zoned is the date and the time zone of an operator on dates.
type zoned struct{ date, zone node }

// at evaluates both. isNull says that one is null and so is the result.
func (z *zoned) at(s *Scratch) (t time.Time, isNull bool, err error) {
	v, err := z.date.eval(s)
	if err != nil || nullish(v) {
		return t, true, err
	}
	offset := 0
	if z.zone != nil {
		name, err := z.zone.eval(s)
		if err != nil || nullish(name) {
			return t, true, err
		}
		if name.Type != value.String {
			return t, false, value.Errorf(codeZoneType, "timezone must evaluate to a string, found %s", value.TypeName(name.Type))
		}
		var ok bool
		if offset, ok = parseZone(string(value.Str(name))); !ok {
			return t, false, value.Errorf(codeZoneUnknown, "unrecognized time zone identifier: %s: give an offset from UTC such as \"+02:00\" (names are not supported)", value.Text(name))
		}
	}
	if t, err = dateOf(v); err != nil || offset == 0 {
		return t, false, err
	}
	return t.In(time.FixedZone("", offset)), false, nil
}

// parseZone reads +hh, +hhmm, +hh:mm or a name of UTC, as seconds east of it. Names of places need a database, which
// replicas may have in different versions.
func parseZone(s string) (seconds int, ok bool) {
	switch s {
	case "UTC", "GMT", "Z", "Etc/UTC":
		return 0, true
	}
	if len(s) < 3 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	digits := s[1:]
	if len(digits) == 5 && digits[2] == ':' {
		digits = digits[:2] + digits[3:]
	}
	if len(digits) != 2 && len(digits) != 4 {
		return 0, false
	}
	n := 0
	for _, ch := range []byte(digits) {
		if ch < '0' || ch > '9' {
			return 0, false
		}
		n = n*10 + int(ch-'0')
	}
	if len(digits) == 2 {
		n *= 100
	}
	seconds = n/100*3600 + n%100*60
	if s[0] == '-' {
		seconds = -seconds
	}
	return seconds, n%100 < 60
}

// dateParts are the operators that take one number of a date.
var dateParts = map[string]func(time.Time) int{
	"$year":       time.Time.Year,
	"$month":      func(t time.Time) int { return int(t.Month()) },
	"$dayOfMonth": time.Time.Day,
	"$hour":       time.Time.Hour,
	"$minute":     time.Time.Minute,
	"$second":     time.Time.Second,
}

type datePart struct {
	zoned
	part func(time.Time) int
}

func compileDatePart(c *compiler, name string, v bsoncore.Value) (node, error) {
	n := &datePart{part: dateParts[name]}
	if v.Type == value.Document {
		if key, _, ok := first(v); !ok || key == "" || key[0] != '$' {
			return n, c.params(name, v, codeDateUnknown, []param{{"date", &n.date, codeDateMissing}, {"timezone", &n.zone, 0}})
		}
	}
	args, err := c.arguments(name, v, 1, 1)
	if err != nil {
		return nil, err
	}
	n.date = args[0]
	return n, nil
}

func (n *datePart) eval(s *Scratch) (bsoncore.Value, error) {
	t, isNull, err := n.at(s)
	if err != nil || isNull {
		return null, err
	}
	return s.int(n.part(t))
}
