package resp

import (
	"math"

	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func cmdSCreate(c *conn, args [][]byte) {
	m := wire.TopicCreate{Topic: args[1]}
	if !c.topicOptions(&m, args) {
		return
	}
	if m.Partitions == 0 {
		c.fail("ERR syntax error: S.CREATE needs PARTITIONS")
		return
	}
	c.body = m.Append(c.body[:0])
	c.submit(wire.OpStreamCreate, c.body, slot{shape: shapeCount})
}

func cmdSAlter(c *conn, args [][]byte) {
	m := wire.TopicCreate{Topic: args[1]}
	if !c.topicOptions(&m, args) {
		return
	}
	c.body = m.Append(c.body[:0])
	c.submit(wire.OpStreamAlter, c.body, slot{shape: shapeOK})
}

// topicOptions reads the options of S.CREATE and S.ALTER into m. It replies itself, and is false, if they make no sense.
func (c *conn) topicOptions(m *wire.TopicCreate, args [][]byte) bool {
	for i := 2; i < len(args); i += 2 {
		v, ok := c.option(args, i)
		if !ok || !c.topicOption(m, args[i], v) {
			return false
		}
	}
	return true
}

func (c *conn) topicOption(m *wire.TopicCreate, option, v []byte) (ok bool) {
	s := &m.Settings
	switch ok = true; {
	case fold(option, "partitions"):
		m.Partitions, ok = c.number("PARTITIONS", v, 1, wire.MaxPartitions)
	case fold(option, "retention"):
		m.Fields |= wire.TopicHasRetention
		s.Retention, ok = c.numberOrAll("RETENTION", v, wire.MaxRetention)
	case fold(option, "maxbytes"):
		m.Fields |= wire.TopicHasMaxBytes
		s.MaxBytes, ok = c.numberOrAll("MAXBYTES", v, math.MaxInt64)
	case fold(option, "maxmessage"):
		m.Fields |= wire.TopicHasMaxMessage
		s.MaxMessage, ok = c.number("MAXMESSAGE", v, 1, wire.MaxRecord)
	case fold(option, "compression"):
		m.Fields |= wire.TopicHasCompression
		codec, err := record.ParseCompression(string(v))
		if s.Compression = codec; err != nil {
			c.fail("ERR " + err.Error())
			return false
		}
	default:
		c.failOption(option)
		return false
	}
	return ok
}

// numberOrAll reads the value of an option for which -1 says that there is no bound.
func (c *conn) numberOrAll(option string, p []byte, most uint64) (int64, bool) {
	if string(p) == "-1" {
		return -1, true
	}
	n, ok := parseUint(p)
	if ok && n <= most {
		return int64(n), true
	}
	c.fail("ERR " + option + " must be a whole number from 0 to " + itoa(most) + ", or -1 for no bound, not '" + cText(p, 64) + "'")
	return 0, false
}

func cmdSDrop(c *conn, args [][]byte) { c.onTopic(wire.OpStreamDelete, args, shapeOK) }
func cmdSInfo(c *conn, args [][]byte) { c.onTopic(wire.OpStreamInfo, args, shapeTopic) }

// onTopic asks for an operation whose payload is the topic's name.
func (c *conn) onTopic(op wire.Op, args [][]byte, sh shape) {
	c.body = append(c.body[:0], args[1]...)
	c.submit(op, c.body, slot{shape: sh})
}

func cmdSTopics(c *conn, args [][]byte) {
	m := wire.StreamList{Limit: 100}
	switch {
	case len(args) == 1:
	case len(args) == 3 && fold(args[1], "match"):
		m.Match = args[2]
	default:
		c.fail("ERR syntax error: S.TOPICS [MATCH pattern]")
		return
	}
	var info wire.TopicInfo
	c.gather(wire.OpStreamList, m.Append, "names", "MATCH", func(list []byte, r *wire.Reader) (_ []byte, n int) {
		for r.Len() > 0 {
			if wire.TakeTopicInfo(r, &info); r.Err() == nil {
				list = appendBulk(list, info.Name)
				n++
			}
		}
		m.After = info.Name // the answer is ours
		return list, n
	})
}
