package stream

import (
	"encoding/binary"
	"strconv"
	"testing"

	"go.uber.org/goleak"

	"github.com/skshohagmiah/flin/pkg/engine/enginetest"
	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// world is an engine over a real group of one voter.
type world struct {
	*Engine
	*enginetest.Node
	t testing.TB
}

// newWorld starts an engine in a temporary folder and stops it when the test ends.
func newWorld(t testing.TB, change func(*Config)) *world {
	t.Helper()
	return startWorld(t, t.TempDir(), change)
}

// startWorld starts an engine in dir and stops it when the test ends.
func startWorld(t testing.TB, dir string, change func(*Config)) *world {
	t.Helper()
	w := bootNode(t, dir, change, nil)
	w.ready()
	return w
}

// bootNode starts an engine in dir, perhaps as one node of several, and does not wait for a leader.
func bootNode(t testing.TB, dir string, change func(*Config), changeGroup func(*replica.Config)) *world {
	t.Helper()
	cfg := Default()
	e, node := enginetest.Start(t, dir, &cfg, &cfg.Store, Open, change, changeGroup)
	return &world{Engine: e, Node: node, t: t}
}

// ready waits until the group serves: when a read comes back.
func (w *world) ready() {
	w.t.Helper()
	resp := w.do(wire.OpStreamInfo, topicName("none"), wire.FlagOrdered)
	if resp.Code != wire.NotFound {
		w.t.Fatalf("the group does not answer: %v %s", resp.Code, resp.Body)
	}
}

type payload = enginetest.Payload

// do asks for one operation and waits.
func (w *world) do(op wire.Op, m payload, flags wire.Flags) wire.Response {
	return enginetest.Do(w, op, m, flags)
}

func (w *world) must(op wire.Op, m payload) wire.Response {
	w.t.Helper()
	return enginetest.Must(w.t, w, op, m)
}

func topicName(topic string) *wire.TopicName { return &wire.TopicName{Topic: []byte(topic)} }

// create makes a topic.
func (w *world) create(topic string, partitions int) {
	w.t.Helper()
	w.must(wire.OpStreamCreate, &wire.TopicCreate{Topic: []byte(topic), Partitions: uint64(partitions)})
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
	w.t.Helper()
	resp := w.must(wire.OpStreamPublish, &wire.StreamPublish{Topic: []byte(topic), Partition: partition, Records: values(vs...)})
	return places(w.t, &resp)
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
	w.t.Helper()
	resp := w.must(wire.OpStreamFetch, &wire.StreamFetch{Topic: []byte(topic), Partition: partition, Offset: offset})
	_, all := section(w.t, &resp)
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
	w.t.Helper()
	resp := w.must(wire.OpStreamSubscribe, &wire.StreamSubscribe{Topic: []byte(topic), Group: []byte(group), Consumer: []byte(consumer)})
	if err := a.Decode(resp.Body); err != nil {
		w.t.Fatal(err)
	}
	return a
}

// consume hands out at most count records to a member.
func (w *world) consume(topic, group, consumer string, count int) []got {
	w.t.Helper()
	resp := w.must(wire.OpStreamConsume, consumption(topic, group, consumer, count))
	_, all := consumed(w.t, &resp)
	return all
}

func consumption(topic, group, consumer string, count int) *wire.StreamConsume {
	return &wire.StreamConsume{Topic: []byte(topic), Group: []byte(group), Consumer: []byte(consumer), Count: uint64(count)}
}

// commit says how far a group is done with a partition.
func (w *world) commit(topic, group string, partition int32, offset int64) {
	w.t.Helper()
	w.must(wire.OpStreamCommit, &wire.StreamCommit{Topic: []byte(topic), Group: []byte(group), Offsets: []wire.StreamCommitted{{Partition: partition, Offset: offset}}})
}

// all returns everything that a partition has.
func (w *world) all(topic string, partition int32) (all []got) {
	w.t.Helper()
	for {
		resp := w.must(wire.OpStreamFetch, &wire.StreamFetch{Topic: []byte(topic), Partition: partition, Offset: int64(len(all))})
		_, more := section(w.t, &resp)
		if len(more) == 0 {
			return all
		}
		all = append(all, more...)
	}
}

func (w *world) info(topic string) (info wire.TopicInfo) {
	w.t.Helper()
	resp := w.must(wire.OpStreamInfo, topicName(topic))
	if err := info.Decode(resp.Body); err != nil {
		w.t.Fatal(err)
	}
	return info
}
