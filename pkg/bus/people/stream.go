package people

import (
	"encoding/binary"
	"math"

	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func streamEndpoints() []endpoint {
	return []endpoint{
		{
			verb: "publish", name: "topic", body: "the value; other headers are the record's own", writes: true, carries: true,
			options: []string{"Partition", "Record-Key", "Time"}, serve: streamPublish,
			answer: "partition and offset as JSON",
		},
		{
			verb: "tail", name: "topic", options: []string{"Partition", "Offset", "Limit", "Wait"}, serve: streamTail,
			answer: "a line of JSON a record: the last, or those from Flin-Offset",
		},
		{
			verb: "lag", name: "group", optional: true, options: []string{"Topic", "Match", "After", "Limit"}, serve: streamLag,
			answer: "JSON; without a name a line a group",
		},
		{
			verb: "topics", options: []string{"Match", "After", "Limit"}, serve: streamTopics,
			answer: "a line of JSON a topic; Flin-After if there are more",
		},
	}
}

func streamPublish(c *call) error {
	one := wire.StreamRecord{Value: c.m.Data, Headers: c.carried}
	if len(one.Headers) > 0 {
		one.Flags |= wire.RecordHeaders
	}
	if key := c.bytes("Record-Key"); key != nil {
		one.Flags |= wire.RecordKey
		one.Key = key
	}
	if c.given("Time") {
		one.Flags |= wire.RecordTime
		one.Time = int64(c.number("Time", 0, math.MaxInt64, 0))
	}
	m := wire.StreamPublish{Topic: c.name, Partition: c.partition(), Records: []wire.StreamRecord{one}}
	resp, err := c.ask(wire.OpStreamPublish, m.Append(nil))
	if err != nil {
		return err
	}
	if len(resp.Body) != wire.PlaceSize {
		return wire.ErrTruncated
	}
	_, err = c.line(struct {
		Partition uint32 `json:"partition"`
		Offset    uint64 `json:"offset"`
	}{binary.BigEndian.Uint32(resp.Body), binary.BigEndian.Uint64(resp.Body[4:])})
	return err
}

// partition returns the partition that was asked for, AnyPartition if none was.
func (c *call) partition() int32 {
	if !c.given("Partition") {
		return wire.AnyPartition
	}
	return int32(c.number("Partition", 0, math.MaxInt32, 0))
}

// topicLine is a topic in a list.
type topicLine struct {
	Name       string `json:"name"`
	Partitions int    `json:"partitions"`
	Records    int64  `json:"records"`
	Bytes      uint64 `json:"bytes"`
	Retention  int64  `json:"retention"`        // ms; -1: for ever
	Newest     int64  `json:"newest,omitempty"` // ms since 1970
	Codec      string `json:"compression"`
}

func streamTopics(c *call) error {
	m := wire.StreamList{After: c.bytes("After"), Match: []byte(c.text("Match")), Limit: c.number("Limit", 1, listLimit, listLimit)}
	resp, err := c.ask(wire.OpStreamList, m.Append(nil))
	if err != nil {
		return err
	}
	var t wire.TopicInfo
	return c.list(&resp, m.After, func(r *wire.Reader) (name []byte, line any) {
		wire.TakeTopicInfo(r, &t)
		one := topicLine{
			Name: string(t.Name), Partitions: len(t.Partitions), Retention: t.Settings.Retention, Codec: record.CompressionName(t.Settings.Compression),
		}
		for i := range t.Partitions {
			p := &t.Partitions[i]
			one.Records += p.End - p.Start
			one.Bytes += p.Bytes
			one.Newest = max(one.Newest, p.Newest)
		}
		return t.Name, one
	})
}

// groupLine is a group in a list.
type groupLine struct {
	Group   string `json:"group"`
	Members uint64 `json:"members"`
	Topics  uint64 `json:"topics"`
	Lag     uint64 `json:"lag"`
}

func streamLag(c *call) error {
	if len(c.name) > 0 {
		return streamGroupLag(c)
	}
	m := wire.StreamList{
		After: c.bytes("After"), Match: []byte(c.text("Match")), Limit: c.number("Limit", 1, listLimit, listLimit), Topic: []byte(c.text("Topic")),
	}
	resp, err := c.ask(wire.OpStreamGroups, m.Append(nil))
	if err != nil {
		return err
	}
	var g wire.GroupSummary
	return c.list(&resp, m.After, func(r *wire.Reader) (name []byte, line any) {
		wire.TakeGroupSummary(r, &g)
		return g.Name, groupLine{Group: string(g.Name), Members: g.Members, Topics: g.Topics, Lag: g.Lag}
	})
}

// lagged is how far a group is in one partition.
type lagged struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Committed int64  `json:"committed"` // -1: nothing
	End       int64  `json:"end"`
	Lag       int64  `json:"lag"`
	Owner     string `json:"owner,omitempty"`
}

func streamGroupLag(c *call) error {
	resp, err := c.ask(wire.OpStreamGroup, (&wire.StreamGroupName{Group: c.name, Topic: []byte(c.text("Topic"))}).Append(nil))
	if err != nil {
		return err
	}
	var g wire.GroupInfo
	if err := g.Decode(resp.Body); err != nil {
		return err
	}
	all := struct {
		Group      string   `json:"group"`
		Members    []string `json:"members"`
		Lag        int64    `json:"lag"`
		Partitions []lagged `json:"partitions"`
	}{Group: string(g.Name), Members: []string{}, Partitions: []lagged{}}
	for i := range g.Members {
		all.Members = append(all.Members, string(g.Members[i].Name))
	}
	for i := range g.Partitions {
		p := &g.Partitions[i]
		one := lagged{Topic: string(p.Topic), Partition: p.Partition, Committed: p.Committed, End: p.End, Lag: p.Lag()}
		if p.Owner > 0 && p.Owner <= uint64(len(g.Members)) {
			one.Owner = string(g.Members[p.Owner-1].Name)
		}
		all.Lag += one.Lag
		all.Partitions = append(all.Partitions, one)
	}
	text, err := encode(all)
	if err != nil {
		return err
	}
	return c.give(text)
}
