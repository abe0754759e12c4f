package stream

import (
	"encoding/binary"
	"strconv"
	"testing"

	"go.uber.org/goleak"

	"github.com/skshohagmiah/flin/pkg/engine/enginetest"
	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is an engine over a real group.
type world struct {
	*Engine
	*enginetest.World
}

// worlds makes them, for a test.
var worlds = enginetest.Worlds[Config, *Engine, *world]{
	Default: Default,
	Store:   func(cfg *Config) *store.Options { return &cfg.Store },
	Open:    Open,
	Wrap:    func(e *Engine, w *enginetest.World) *world { return &world{e, w} },
	Ready:   wire.Request{Op: wire.OpStreamInfo, Body: topicName("none").Append(nil)},
}

type payload = enginetest.Payload

func topicName(topic string) *wire.TopicName { return &wire.TopicName{Topic: []byte(topic)} }

// create makes a topic.
func (w *world) create(topic string, partitions int) {
	w.T.Helper()
	w.Must(wire.OpStreamCreate, &wire.TopicCreate{Topic: []byte(topic), Partitions: uint64(partitions)})
}

// at is where a record is.
type at struct {
	partition int32
	offset    int64
}

// places decodes the answer to a publish.
func places(t testing.TB, resp *wire.Response) (all []at) {
	t.Helper()
	if err := resp.Err(); err != nil {
		t.Fatal(err)
	}
	if len(resp.Body) != int(resp.Num)*wire.PlaceSize {
		t.Fatalf("%d bytes for %d records", len(resp.Body), resp.Num)
	}
	for b := resp.Body; len(b) > 0; b = b[wire.PlaceSize:] {
		all = append(all, at{int32(binary.BigEndian.Uint32(b)), int64(binary.BigEndian.Uint64(b[4:]))})
	}
	return all
}

// values makes records without keys.
func values(values ...string) (all []wire.StreamRecord) {
	for _, v := range values {
		all = append(all, wire.StreamRecord{Value: []byte(v)})
	}
	return all
}

// publish puts values into a partition.
func (w *world) publish(topic string, partition int32, vs ...string) []at {
	w.T.Helper()
	resp := w.Must(wire.OpStreamPublish, &wire.StreamPublish{Topic: []byte(topic), Partition: partition, Records: values(vs...)})
	return places(w.T, &resp)
}

// numbered returns the values first … last.
func numbered(first, last int) (all []string) {
	for i := first; i <= last; i++ {
		all = append(all, strconv.Itoa(i))
	}
	return all
}

// got is a record that was handed out.
type got struct {
	at
	time       int64
	key, value string
}

// records decodes the records that a section hands out.
func records(t testing.TB, s *wire.StreamSection) (all []got) {
	t.Helper()
	for run := s.Batches; len(run) > 0; {
		b, rest, err := record.Next(run)
		if err != nil {
			t.Fatal(err)
		}
		run = rest
		r := record.Reader{Verify: true}
		if err := r.Reset(b); err != nil {
			t.Fatal(err)
		}
		for {
			var x record.Record
			more, err := r.Next(&x)
			if err != nil {
				t.Fatal(err)
			}
			if !more {
				break
			}
			if x.Offset >= s.From && x.Offset < s.To {
				all = append(all, got{at{s.Partition, x.Offset}, x.Timestamp, string(x.Key), string(x.Value)})
			}
		}
	}
	if int64(len(all)) != s.To-s.From {
		t.Fatalf("a section of [%d, %d) hands out %d records", s.From, s.To, len(all))
	}
	return all
}

// section decodes the answer to a fetch.
func section(t testing.TB, resp *wire.Response) (s wire.StreamSection, all []got) {
	t.Helper()
	if err := resp.Err(); err != nil {
		t.Fatal(err)
	}
	r := wire.NewReader(resp.Body)
	wire.TakeStreamSection(&r, &s)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	all = records(t, &s)
	if int64(len(all)) != resp.Num {
		t.Fatalf("%d records in an answer of %d", len(all), resp.Num)
	}
	return s, all
}

// fetch reads what there is from an offset on.
func (w *world) fetch(topic string, partition int32, offset int64) []string {
	w.T.Helper()
	resp := w.Must(wire.OpStreamFetch, &wire.StreamFetch{Topic: []byte(topic), Partition: partition, Offset: offset})
	_, all := section(w.T, &resp)
	return valuesOf(all)
}

func valuesOf(all []got) (vs []string) {
	for _, x := range all {
		vs = append(vs, x.value)
	}
	return vs
}

// consumed decodes the answer to a consume.
func consumed(t testing.TB, resp *wire.Response) (generation uint64, all []got) {
	t.Helper()
	if err := resp.Err(); err != nil {
		t.Fatal(err)
	}
	r := wire.NewReader(resp.Body)
	generation = r.Uvarint()
	for r.Len() > 0 {
		var s wire.StreamSection
		wire.TakeStreamSection(&r, &s)
		all = append(all, records(t, &s)...)
	}
	if err := r.Close(); err != nil || int64(len(all)) != resp.Num {
		t.Fatalf("%d records in an answer of %d: %v", len(all), resp.Num, err)
	}
	return generation, all
}

// subscribe makes a consumer a member and returns what it owns.
func (w *world) subscribe(topic, group, consumer string) (a wire.StreamAssignment) {
	w.T.Helper()
	resp := w.Must(wire.OpStreamSubscribe, &wire.StreamSubscribe{Topic: []byte(topic), Group: []byte(group), Consumer: []byte(consumer)})
	if err := a.Decode(resp.Body); err != nil {
		w.T.Fatal(err)
	}
	return a
}

// consume hands out at most count records to a member.
func (w *world) consume(topic, group, consumer string, count int) []got {
	w.T.Helper()
	resp := w.Must(wire.OpStreamConsume, consumption(topic, group, consumer, count))
	_, all := consumed(w.T, &resp)
	return all
}

func consumption(topic, group, consumer string, count int) *wire.StreamConsume {
	return &wire.StreamConsume{Topic: []byte(topic), Group: []byte(group), Consumer: []byte(consumer), Count: uint64(count)}
}

// commit says how far a group is done with a partition.
func (w *world) commit(topic, group string, partition int32, offset int64) {
	w.T.Helper()
	w.Must(wire.OpStreamCommit, &wire.StreamCommit{Topic: []byte(topic), Group: []byte(group), Offsets: []wire.StreamCommitted{{Partition: partition, Offset: offset}}})
}

// all returns everything that a partition has.
func (w *world) all(topic string, partition int32) (all []got) {
	w.T.Helper()
	for {
		resp := w.Must(wire.OpStreamFetch, &wire.StreamFetch{Topic: []byte(topic), Partition: partition, Offset: int64(len(all))})
		_, more := section(w.T, &resp)
		if len(more) == 0 {
			return all
		}
		all = append(all, more...)
	}
}

func (w *world) info(topic string) (info wire.TopicInfo) {
	w.T.Helper()
	resp := w.Must(wire.OpStreamInfo, topicName(topic))
	if err := info.Decode(resp.Body); err != nil {
		w.T.Fatal(err)
	}
	return info
}
