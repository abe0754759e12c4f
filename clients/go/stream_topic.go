package flin

import (
	"iter"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Codec is how record batches are compressed.
type Codec = wire.Compression

// The codecs.
const (
	NoCompression = wire.CompressionNone
	Gzip          = wire.CompressionGzip
	Snappy        = wire.CompressionSnappy
	LZ4           = wire.CompressionLZ4
	Zstd          = wire.CompressionZstd
)

// TopicOption is a setting that CreateTopic and AlterTopic give a topic; those that are not given get their defaults, or stay.
type TopicOption interface{ topic(m *wire.TopicCreate) }

type topicFunc func(m *wire.TopicCreate)

func (f topicFunc) topic(m *wire.TopicCreate) { f(m) }

func (o MaxBytesOption) topic(m *wire.TopicCreate) {
	m.Fields |= wire.TopicHasMaxBytes
	m.Settings.MaxBytes = max(o.n, -1)
}

// MaxMessage is how many bytes a record's key, value and headers may have together: by default 1 MiB, at most 8 MiB.
func MaxMessage(n int) TopicOption {
	return topicFunc(func(m *wire.TopicCreate) {
		m.Fields |= wire.TopicHasMaxMessage
		m.Settings.MaxMessage = uint64(max(n, 0))
	})
}

// CompressionOption is what Compression returns: a setting of topics and an option of a Producer.
type CompressionOption struct{ codec Codec }

func (o CompressionOption) topic(m *wire.TopicCreate) {
	m.Fields |= wire.TopicHasCompression
	m.Settings.Compression = o.codec
}

// Compression as a setting of a topic compresses the batches that the server puts together of what is published; by default it
// does not. A Producer puts its batches together itself.
func Compression(codec Codec) CompressionOption { return CompressionOption{codec} }

// Retention is how long a topic keeps records for at least, by their timestamps, to the millisecond; -1 is for ever.
func Retention(d time.Duration) TopicOption {
	return topicFunc(func(m *wire.TopicCreate) {
		m.Fields |= wire.TopicHasRetention
		if m.Settings.Retention = int64(milliseconds(d)); d < 0 {
			m.Settings.Retention = -1
		}
	})
}

// Partitions is how many partitions AlterTopic makes a topic have: more than there are.
func Partitions(n int) TopicOption {
	return topicFunc(func(m *wire.TopicCreate) { m.Partitions = uint64(max(n, 0)) })
}

// CreateTopic makes a topic of 1 to 10,000 partitions that keeps records for retentionMs milliseconds at least; -1 is for ever, 0
// the default of seven days. One that is there with the same partitions and settings is no error, else ErrExists.
func (s *Stream) CreateTopic(topic string, partitions int, retentionMs int64, opts ...TopicOption) error {
	if partitions < 1 || retentionMs < -1 {
		return wire.Errorf(wire.Invalid, "flin: a topic of %d partitions and a retention of %d ms cannot be made: at least 1, and at least -1, which is for ever", partitions, retentionMs)
	}
	m := wire.TopicCreate{Topic: []byte(topic), Partitions: uint64(partitions)}
	if retentionMs != 0 {
		m.Fields, m.Settings.Retention = wire.TopicHasRetention, retentionMs
	}
	for _, o := range opts {
		o.topic(&m)
	}
	_, err := s.ask(wire.OpStreamCreate, repeats, &m)
	return err
}

// AlterTopic changes the settings that are given, and with Partitions how many partitions there are; ErrNotFound if there is no such
// topic. Records that are there stay where they are: with more partitions the records of one key may be in two.
func (s *Stream) AlterTopic(topic string, opts ...TopicOption) error {
	m := wire.TopicCreate{Topic: []byte(topic)}
	for _, o := range opts {
		o.topic(&m)
	}
	_, err := s.ask(wire.OpStreamAlter, once, &m)
	return err
}

// DeleteTopic removes a topic with its records and the offsets that groups have committed in it; ErrNotFound if there is no such
// topic.
func (s *Stream) DeleteTopic(topic string) error {
	_, err := s.ask(wire.OpStreamDelete, once, &wire.TopicName{Topic: []byte(topic)})
	return err
}

// TopicInfo is what is known of a topic.
type TopicInfo struct {
	Name        string
	Retention   time.Duration // negative: for ever
	MaxBytes    int64         // -1: no bound
	MaxMessage  int
	Compression Codec
	Created     time.Time
	Partitions  []PartitionInfo // by their numbers
}

// PartitionInfo is what is known of a partition.
type PartitionInfo struct {
	Start, End int64     // offsets of the first record that is kept and of the next one
	Bytes      int64     // of what is kept, as it is stored
	Batches    int64     // batches of records
	Newest     time.Time // largest timestamp of the newest batch; zero: none is kept
}

func newTopicInfo(m *wire.TopicInfo) TopicInfo {
	s := &m.Settings
	info := TopicInfo{
		Name: string(m.Name), Retention: -1, MaxBytes: s.MaxBytes, MaxMessage: int(s.MaxMessage), Compression: s.Compression,
		Created: expires(m.Created), Partitions: make([]PartitionInfo, len(m.Partitions)),
	}
	if s.Retention >= 0 {
		info.Retention = time.Duration(min(s.Retention, int64(1<<63-1)/int64(time.Millisecond))) * time.Millisecond
	}
	for i, p := range m.Partitions {
		info.Partitions[i] = PartitionInfo{Start: p.Start, End: p.End, Bytes: int64(p.Bytes), Batches: int64(p.Batches), Newest: expires(p.Newest)}
	}
	return info
}

// Topic returns what is known of a topic, or ErrNotFound.
func (s *Stream) Topic(topic string) (TopicInfo, error) {
	resp, err := s.ask(wire.OpStreamInfo, reads, &wire.TopicName{Topic: []byte(topic)})
	if err != nil {
		return TopicInfo{}, err
	}
	var m wire.TopicInfo
	if err := m.Decode(resp.Body); err != nil {
		return TopicInfo{}, badAnswer(wire.OpStreamInfo, err)
	}
	return newTopicInfo(&m), nil
}

// Topics returns the topics whose names match a glob, as in Redis's SCAN, in the order of their names; an empty glob is all. Each
// page of a hundred is read at one moment, the next one at a later. The loop ends after an error.
func (s *Stream) Topics(match string) iter.Seq2[TopicInfo, error] {
	return func(yield func(TopicInfo, error) bool) {
		page := wire.StreamList{Match: []byte(match)}
		for more := true; more; {
			resp, err := s.ask(wire.OpStreamList, reads, &page)
			if err != nil {
				yield(TopicInfo{}, err)
				return
			}
			r := wire.NewReader(resp.Body)
			var m wire.TopicInfo
			for r.Len() > 0 {
				if wire.TakeTopicInfo(&r, &m); r.Err() != nil {
					yield(TopicInfo{}, badAnswer(wire.OpStreamList, r.Err()))
					return
				}
				if !yield(newTopicInfo(&m), nil) {
					return
				}
			}
			more = resp.Num != 0 && len(resp.Body) > 0
			page.After = m.Name
		}
	}
}
