package expr

import (
	"strconv"
	"time"

	"go.mongodb.org/mongo-driver/v2/x/bsonx/bsoncore"

	"github.com/skshohagmiah/flin/docd/doc/internal/value"
)

const (
	codeFormatObject    = 18629
	codeFormatUnknown   = 18534
	codeFormatMissing   = 18628
	codeFormatType      = 18533
	codeFormatUnmatched = 18535
	codeFormatSpecifier = 18536
	codeFormatYear      = 18537

	isoFormat   = "%Y-%m-%dT%H:%M:%S.%LZ"
	zonedFormat = "%Y-%m-%dT%H:%M:%S.%L" // out of UTC, where the Z would not be true
)

// dateToString is $dateToString.
type dateToString struct {
	zoned
	format, onNull node // nil if not given
}

func compileDateToString(c *compiler, name string, v bsoncore.Value) (node, error) {
	if v.Type != value.Document {
		return nil, value.Errorf(codeFormatObject, "$dateToString only supports an object as its argument")
	}
	n := &dateToString{}
	err := c.params(name, v, codeFormatUnknown, []param{
		{"date", &n.date, codeFormatMissing}, {"format", &n.format, 0}, {"timezone", &n.zone, 0}, {"onNull", &n.onNull, 0},
	})
	if l, ok := n.format.(*literal); ok && err == nil {
		// A format that is known now is refused now.
		_, err = appendDate(nil, time.Time{}, string(value.Str(l.value)))
	}
	return n, err
}

func (n *dateToString) eval(s *Scratch) (bsoncore.Value, error) {
	format := ""
	if n.format != nil {
		v, err := n.format.eval(s)
		if err != nil || nullish(v) {
			return null, err
		}
		if v.Type != value.String {
			return Missing, value.Errorf(codeFormatType, "$dateToString requires that 'format' be a string, found: %s with value %s", value.TypeName(v.Type), value.Text(v))
		}
		format = string(value.Str(v))
	}
	t, isNull, err := n.at(s)
	if err != nil {
		return Missing, err
	}
	if isNull {
		if n.onNull != nil {
			return n.onNull.eval(s)
		}
		return null, nil
	}
	if y := t.Year(); y < 0 || y > 9999 {
		return Missing, value.Errorf(codeFormatYear, "$dateToString is only defined on year 0-9999, tried to use year %d", y)
	}
	if n.format == nil {
		format = zonedFormat
		if _, offset := t.Zone(); offset == 0 {
			format = isoFormat
		}
	}
	start := s.beginText()
	if s.arena, err = appendDate(s.arena, t, format); err != nil {
		return Missing, err
	}
	return s.endText(start)
}

// appendISO writes a date as $toString does.
func appendISO(dst []byte, ms int64) []byte {
	dst, _ = appendDate(dst, time.UnixMilli(ms).UTC(), isoFormat)
	return dst
}

// appendDate writes a date by a format of MongoDB's specifiers.
func appendDate(dst []byte, t time.Time, format string) ([]byte, error) {
	for i := 0; i < len(format); i++ {
		if format[i] != '%' {
			dst = append(dst, format[i])
			continue
		}
		if i++; i == len(format) {
			return dst, value.Errorf(codeFormatUnmatched, "Unmatched '%%' at end of format string")
		}
		var ok bool
		if dst, ok = appendSpecifier(dst, t, format[i]); !ok {
			return dst, value.Errorf(codeFormatSpecifier, "Invalid format character '%%%c' in format string", format[i])
		}
	}
	return dst, nil
}

func appendSpecifier(dst []byte, t time.Time, ch byte) ([]byte, bool) {
	isoYear, isoWeek := t.ISOWeek()
	switch ch {
	case 'Y':
		return pad(dst, t.Year(), 4), true
	case 'm':
		return pad(dst, int(t.Month()), 2), true
	case 'd':
		return pad(dst, t.Day(), 2), true
	case 'H':
		return pad(dst, t.Hour(), 2), true
	case 'M':
		return pad(dst, t.Minute(), 2), true
	case 'S':
		return pad(dst, t.Second(), 2), true
	case 'L':
		return pad(dst, t.Nanosecond()/1e6, 3), true
	case 'j':
		return pad(dst, t.YearDay(), 3), true
	case 'w':
		return pad(dst, int(t.Weekday())+1, 1), true
	case 'u':
		return pad(dst, (int(t.Weekday())+6)%7+1, 1), true
	case 'U': // weeks begin with Sunday; the days before the first one are week 0
		return pad(dst, (t.YearDay()+6-int(t.Weekday()))/7, 2), true
	case 'V':
		return pad(dst, isoWeek, 2), true
	case 'G':
		return pad(dst, isoYear, 4), true
	case 'b':
		return append(dst, t.Month().String()[:3]...), true
	case 'B':
		return append(dst, t.Month().String()...), true
	case 'z', 'Z':
		return appendOffset(dst, t, ch), true
	case '%':
		return append(dst, '%'), true
	}
	return dst, false
}

// appendOffset writes the offset from UTC, as +hhmm or in minutes.
func appendOffset(dst []byte, t time.Time, ch byte) []byte {
	_, seconds := t.Zone()
	minutes, sign := seconds/60, byte('+')
	if minutes < 0 {
		minutes, sign = -minutes, '-'
	}
	dst = append(dst, sign)
	if ch == 'Z' {
		return strconv.AppendInt(dst, int64(minutes), 10)
	}
	return pad(pad(dst, minutes/60, 2), minutes%60, 2)
}

// pad writes n with zeros before it, width digits at least.
func pad(dst []byte, n, width int) []byte {
	if n < 0 {
		dst, n = append(dst, '-'), -n
	}
	digits := strconv.Itoa(n)
	for range width - len(digits) {
		dst = append(dst, '0')
	}
	return append(dst, digits...)
}
