package resp

import (
	"encoding/binary"
	"fmt"

	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// decodeStream renders a request about topics as a test wants to read it; another one as it is.
func decodeStream(req *wire.Request) (text string, err error) {
	switch req.Op {
	case wire.OpStreamPublish:
		var m wire.StreamPublish
		err = m.Decode(req.Body)
		text = fmt.Sprintf("%s %d", m.Topic, m.Partition)
		for _, one := range m.Records {
			text += fmt.Sprintf(" {%d %d %s", one.Flags, one.Time, one.Key)
			for _, h := range one.Headers {
				text += fmt.Sprintf(" %s=%s", h.Name, h.Value)
			}
			text += fmt.Sprintf(": %s}", one.Value)
		}
	case wire.OpStreamCreate, wire.OpStreamAlter:
		var m wire.TopicCreate
		err = m.Decode(req.Body)
		text = fmt.Sprintf("%s %d %d %+v", m.Topic, m.Partitions, m.Fields, m.Settings)
	case wire.OpStreamList, wire.OpStreamGroups:
		var m wire.StreamList
		err = m.Decode(req.Body)
		text = fmt.Sprintf("%q %q %q %d", m.Topic, m.After, m.Match, m.Limit)
	case wire.OpStreamFetch:
		var m wire.StreamFetch
		err = m.Decode(req.Body)
		text = fmt.Sprintf("%s %d %d %v %d %d %d", m.Topic, m.Partition, m.Offset, m.ByTime, m.Count, m.MaxBytes, m.Wait)
	case wire.OpStreamOffsets:
		var m wire.StreamOffsets
		err = m.Decode(req.Body)
		text = fmt.Sprintf("%s %d %d", m.Topic, m.Partition, m.Time)
	case wire.OpStreamSubscribe:
		var m wire.StreamSubscribe
		err = m.Decode(req.Body)
		text = fmt.Sprintf("%s %s %s %v %d %d %d", m.Topic, m.Group, m.Consumer, m.Latest, m.Assignor, m.Session, m.Poll)
	case wire.OpStreamUnsubscribe, wire.OpStreamHeartbeat:
		var m wire.StreamMember
		err = m.Decode(req.Body)
		text = fmt.Sprintf("%s %s %s", m.Topic, m.Group, m.Consumer)
	case wire.OpStreamConsume:
		var m wire.StreamConsume
		err = m.Decode(req.Body)
		text = fmt.Sprintf("%s %s %s %d %d %d %d", m.Topic, m.Group, m.Consumer, m.Count, m.MaxBytes, m.Wait, m.Turn)
	case wire.OpStreamSeek:
		var m wire.StreamSeek
		err = m.Decode(req.Body)
		text = fmt.Sprintf("%s %s %s %d %d", m.Topic, m.Group, m.Consumer, m.Partition, m.Offset)
	case wire.OpStreamCommit:
		var m wire.StreamCommit
		err = m.Decode(req.Body)
		text = fmt.Sprintf("%s %s %s %d", m.Topic, m.Group, m.Consumer, m.Generation)
		for _, o := range m.Offsets {
			text += fmt.Sprintf(" %d:%d", o.Partition, o.Offset)
		}
	case wire.OpStreamReset:
		var m wire.StreamReset
		err = m.Decode(req.Body)
		text = fmt.Sprintf("%s %s %d %d %v", m.Topic, m.Group, m.Partition, m.Offset, m.ByTime)
	case wire.OpStreamGroup, wire.OpStreamDeleteGroup:
		var m wire.StreamGroupName
		err = m.Decode(req.Body)
		text = fmt.Sprintf("%q %q", m.Group, m.Topic)
	default:
		text = string(req.Body)
	}
	return text, err
}

// someSection is records 5 to 9 of a partition, of which 6 to 8 are handed out: a full one, an empty one and one of nulls.
func someSection(partition int32, codec wire.Compression) wire.StreamSection {
	var b record.Builder
	for _, r := range []record.Record{
		{Value: []byte("before")},
		{Timestamp: 1000, Key: []byte("k"), Value: []byte("v"), Headers: []wire.Header{{Name: []byte("h"), Value: []byte("x")}, {Name: []byte("n")}}},
		{Timestamp: 2000, Key: []byte{}, Value: []byte{}},
		{Timestamp: 3000},
		{Value: []byte("behind")},
	} {
		b.Add(&r)
	}
	p, err := b.AppendTo(nil, codec, record.NoProducer)
	if err != nil {
		panic(err) // it is one of the codecs
	}
	record.Batch(p).Patch(5, 1)
	return wire.StreamSection{Partition: partition, From: 6, To: 9, Start: 0, End: 10, Batches: p}
}

// fetched is the answer to a fetch.
func fetched(codec wire.Compression) wire.Response {
	s := someSection(2, codec)
	return wire.Response{Num: 3, Body: s.Append(nil)}
}

// consumed is the answer to a consume, of two partitions.
func consumed() wire.Response {
	one, two := someSection(0, wire.CompressionNone), someSection(3, wire.CompressionZstd)
	return wire.Response{Num: 6, Body: two.Append(one.Append(wire.AppendUvarint(nil, 7)))}
}

// placed is the answer to a publish.
func placed(partition uint32, offset uint64) wire.Response {
	return wire.Response{Num: 1, Body: binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint32(nil, partition), offset)}
}
