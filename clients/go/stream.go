package flin

import (
	"encoding/binary"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Stream is the topics of a server: logs of records, each split into partitions, in which a record has an offset that never
// changes. A topic's name is 1 to 249 of letters, digits and . _ - .
//
// Publish puts records in and returns when they are on disk; a Producer gathers many and does not wait. Fetch reads at an offset.
// A consumer group shares the partitions of a topic among its members: Subscribe, Consume and Commit are its parts, a
// Reader is a whole member.
type Stream struct{ client *Client }

// AnyPartition leaves it to the hash of a record's key where it goes, as Kafka's clients do it; records without a key that are
// published together go to one partition.
const AnyPartition = int(wire.AnyPartition)

// Position is where a record is.
type Position struct {
	Partition int
	Offset    int64
}

// Publish puts a record into a partition of a topic, or with AnyPartition where its key says. An empty key is none (Key says
// otherwise), a nil value an empty one (NullValue says otherwise). The record is on disk, on a majority of the group, when Publish
// returns nil. A topic that is not there is made with one partition unless the server was told otherwise, else
// ErrNotFound; a partition that is not there is ErrOutOfRange, a record over the topic's MaxMessage ErrTooLarge.
//
// A Publish whose answer was lost is ErrOutcomeUnknown and is not repeated; a Producer's is, and is stored once.
func (s *Stream) Publish(topic string, partition int, key string, value []byte, opts ...PublishOption) (Position, error) {
	k := newCall(wire.OpStreamPublish, false)
	name := k.bytes(topic)
	m := &k.records[0]
	if key != "" {
		k.buf = append(k.buf, key...)
		name = k.buf[:len(topic):len(topic)]
		m.Flags, m.Key = wire.RecordKey, k.buf[len(topic):]
	}
	m.Value = value
	for _, o := range opts {
		o.publish(m)
	}
	k.publish = wire.StreamPublish{Topic: name, Partition: number(partition), Records: k.records[:]}
	k.payload = &k.publish
	err := s.client.do(k)
	answer := k.resp.Body
	k.release()
	if err != nil {
		return Position{}, err
	}
	if len(answer) != wire.PlaceSize {
		return Position{}, badAnswer(wire.OpStreamPublish, wire.ErrTruncated)
	}
	return position(answer), nil
}

// PublishBatch puts records, at most 10,000, into a partition of a topic, or with AnyPartition each where its key says, and
// returns where they are. Their Topic, Partition and Offset are not looked at; a nil Key is none, a nil Value is null, a Timestamp
// that is zero is the server's clock.
//
// All records for one partition get consecutive offsets, or none of them any. With AnyPartition an error says that those of at
// least one partition were not stored.
func (s *Stream) PublishBatch(topic string, partition int, records []Record) ([]Position, error) {
	if err := checkMessages(wire.OpStreamPublish, len(records)); err != nil || len(records) == 0 {
		return nil, err
	}
	m := &wire.StreamPublish{Topic: []byte(topic), Partition: number(partition), Records: make([]wire.StreamRecord, len(records))}
	for i := range records {
		records[i].fill(&m.Records[i])
	}
	resp, err := s.ask(wire.OpStreamPublish, once, m)
	if err != nil {
		return nil, err
	}
	if len(resp.Body) != wire.PlaceSize*len(records) {
		return nil, badAnswer(wire.OpStreamPublish, wire.ErrTruncated)
	}
	places := make([]Position, len(records))
	for i := range places {
		places[i] = position(resp.Body[i*wire.PlaceSize:])
	}
	return places, nil
}

// position reads a record's place in the answer to a publish.
func position(p []byte) Position {
	return Position{Partition: int(int32(binary.BigEndian.Uint32(p))), Offset: int64(binary.BigEndian.Uint64(p[4:]))}
}

// number is a partition's number on the wire. One that does not fit is one that is not there.
func number(partition int) int32 {
	if partition < -1<<31 || partition > 1<<31-1 {
		return 1<<31 - 1
	}
	return int32(partition)
}

// nature says what may be done with a request whose answer was lost.
type nature uint8

const (
	once    nature = iota // it changes something: it is not repeated
	repeats               // it changes something, but twice is as once
	reads                 // it changes nothing
)

// ask makes a call with a payload that does not lie in the call.
func (s *Stream) ask(op wire.Op, n nature, m payload) (wire.Response, error) {
	return s.askWaiting(op, n, m, 0)
}

// askWaiting is ask for a request that the server may hold back for wait.
func (s *Stream) askWaiting(op wire.Op, n nature, m payload, wait time.Duration) (wire.Response, error) {
	k := newCall(op, n == reads)
	k.payload, k.repeat, k.wait = m, n == repeats, wait
	err := s.client.do(k)
	resp := k.resp
	k.release()
	return resp, err
}
