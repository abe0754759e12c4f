package resp

import "github.com/skshohagmiah/flin/pkg/wire"

// options reads what may stand behind the arguments that a command must have: words, most of which have a value. What makes no sense is
// replied to when it is met, and nothing is read after it:
//
//	o := c.pairs(args[2:])
//	for o.next() {
//		switch {
//		case o.is("count"):
//			m.Count = o.number(1, wire.MaxBatch)
//		default:
//			o.unknown()
//		}
//	}
//	if o.failed {
//		return
//	}
type options struct {
	c      *conn
	word   []byte   // the option under way
	rest   [][]byte // what stands behind it
	paired bool     // every option has a value
	failed bool     // the command has its reply
}

// pairs returns the options of a command all of whose options have a value.
func (c *conn) pairs(args [][]byte) options { return options{c: c, rest: args, paired: true} }

// words returns the options of a command some of whose options stand alone.
func (c *conn) words(args [][]byte) options { return options{c: c, rest: args} }

// next goes to the next option and reports whether there is one. It replies itself, and there is none, where a value is missing.
func (o *options) next() bool {
	if o.failed || len(o.rest) == 0 {
		return false
	}
	o.word, o.rest = o.rest[0], o.rest[1:]
	if o.paired && len(o.rest) == 0 {
		o.noValue()
	}
	return !o.failed
}

// is reports whether the option is word, which is in lower case.
func (o *options) is(word string) bool { return fold(o.word, word) }

// value takes the value of the option. It replies itself if there is none.
func (o *options) value() (v []byte) {
	if len(o.rest) == 0 {
		o.noValue()
		return nil
	}
	v, o.rest = o.rest[0], o.rest[1:]
	return v
}

func (o *options) noValue() {
	o.fail("ERR syntax error: " + upper(cText(o.word, 64)) + " needs a value")
}

// number takes a value from least to most. It replies itself, and returns 0, if there is none.
func (o *options) number(least, most uint64) uint64 {
	v := o.value()
	if o.failed {
		return 0
	}
	n, ok := parseUint(v)
	if !ok || n < least || n > most {
		o.fail(notANumber(upper(string(o.word)), v, least, most))
		return 0
	}
	return n
}

// numberOrAll takes a value up to most, or -1, which says that there is no bound.
func (o *options) numberOrAll(most uint64) int64 {
	v := o.value()
	if o.failed {
		return 0
	}
	if string(v) == "-1" {
		return -1
	}
	n, ok := parseUint(v)
	if !ok || n > most {
		o.fail("ERR " + upper(string(o.word)) + " must be a whole number from 0 to " + itoa(most) + ", or -1 for no bound, not '" + cText(v, 64) + "'")
		return 0
	}
	return int64(n)
}

// partition takes the number of a partition.
func (o *options) partition() int32 {
	v := o.value()
	if o.failed {
		return 0
	}
	n, ok := o.c.partition(v)
	o.failed = !ok
	return n
}

// document takes a document.
func (o *options) document() []byte {
	v := o.value()
	if o.failed {
		return nil
	}
	doc, ok := o.c.document(upper(string(o.word)), v)
	o.failed = !ok
	return doc
}

// header takes a header's name and value and adds it to a list.
func (o *options) header(list []wire.Header) []wire.Header {
	name := o.value()
	if o.failed {
		return list
	}
	if len(o.rest) == 0 {
		o.fail("ERR syntax error: HEADER needs a name and a value")
		return list
	}
	return append(list, wire.Header{Name: name, Value: o.value()})
}

// unknown replies to an option that the command does not have.
func (o *options) unknown() {
	o.fail("ERR syntax error: " + upper(o.c.cmd.name) + " has no option '" + cText(o.word, 64) + "'")
}

// fail is the reply to a command whose options make no sense.
func (o *options) fail(text string) {
	o.c.fail(text)
	o.failed = true
}

// onlyCount reads the options of a command whose only one is COUNT, from 1 to most. It replies itself, and is false, if there is anything else.
func (c *conn) onlyCount(args [][]byte, n *uint64, most uint64) bool {
	o := c.pairs(args)
	for o.next() {
		if !o.is("count") {
			o.unknown()
			break
		}
		*n = o.number(1, most)
	}
	return !o.failed
}

// number reads an argument, from least to most. It replies itself, and is not ok, if it is none.
func (c *conn) number(what string, p []byte, least, most uint64) (uint64, bool) {
	n, ok := parseUint(p)
	if ok && n >= least && n <= most {
		return n, true
	}
	c.fail(notANumber(what, p, least, most))
	return 0, false
}

func notANumber(what string, p []byte, least, most uint64) string {
	return "ERR " + what + " must be a whole number from " + itoa(least) + " to " + itoa(most) + ", not '" + cText(p, 64) + "'"
}
