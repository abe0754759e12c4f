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
	s := &m.Settings
	o := c.pairs(args[2:])
	for o.next() {
		switch {
		case o.is("partitions"):
			m.Partitions = o.number(1, wire.MaxPartitions)
		case o.is("retention"):
			m.Fields |= wire.TopicHasRetention
			s.Retention = o.numberOrAll(wire.MaxRetention)
		case o.is("maxbytes"):
			m.Fields |= wire.TopicHasMaxBytes
			s.MaxBytes = o.numberOrAll(math.MaxInt64)
		case o.is("maxmessage"):
			m.Fields |= wire.TopicHasMaxMessage
			s.MaxMessage = o.number(1, wire.MaxRecord)
		case o.is("compression"):
			m.Fields |= wire.TopicHasCompression
			codec, err := record.ParseCompression(string(o.value()))
			if s.Compression = codec; err != nil {
				o.fail("ERR " + err.Error())
			}
		default:
			o.unknown()
		}
	}
	return !o.failed
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
