package people_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/bus"
	"github.com/skshohagmiah/flin/pkg/bus/bustest"
	"github.com/skshohagmiah/flin/pkg/bus/people"
	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// queues answers a list of queues as the engine does.
func queues(n int) func(body []byte) wire.Response {
	return func(body []byte) wire.Response {
		var m wire.QueueList
		if err := m.Decode(body); err != nil {
			return wire.Fail(err)
		}
		resp := wire.Response{}
		count := uint64(0)
		for i := range n {
			name := fmt.Appendf(nil, "queue-%04d", i)
			if string(name) <= string(m.After) {
				continue
			}
			if count++; count > m.Limit {
				resp.Num = 1
				break
			}
			resp.Body = (&wire.QueueInfo{Name: name, Ready: uint64(i)}).Append(resp.Body)
		}
		return resp
	}
}

func TestAListEndsWithTheMessageAndGoesOn(t *testing.T) {
	ns := bustest.NATS(t, func(c *bus.EmbedConfig) { c.Secret, c.MaxPayload = bustest.Secret, 4<<10 })
	w := serveOn(t, ns.URL(), wire.EngineQueue, nil)
	w.engine.on(wire.OpQueueList, queues(200))
	for _, limit := range []string{"Flin-Limit: 7", "Flin-Limit: 1000"} {
		var got []string
		after := []string{limit}
		for range 200 {
			m := w.ask("flin.queue.ls", "", after...)
			for line := range strings.Lines(string(m.Data)) {
				got = append(got, line[:len(`{"name":"queue-0000"`)])
			}
			next := m.Header.Get("Flin-After")
			if next == "" {
				break
			}
			after = []string{limit, "Flin-After: " + next}
		}
		if !slices.IsSorted(got) || len(slices.Compact(got)) != 200 {
			t.Errorf("%s: there are %d queues: %v", limit, len(got), got)
		}
	}
}

// leased answers a lease with one message.
func leased(body []byte) func([]byte) wire.Response {
	return says(wire.Response{Num: 1, Body: wire.AppendDelivery(nil, &wire.QueueDelivery{
		Receipt: wire.Receipt{ID: wire.NewMessageID(0, 17), Attempt: 3}, Body: body,
		Headers: []wire.Header{
			{Name: []byte("trace"), Value: []byte("abc")},
			{Name: []byte("Nats-Service-Error"), Value: []byte("none")},
			{Name: []byte("a: b"), Value: []byte("x")},
			{Name: []byte("lines"), Value: []byte("a\r\nb: c")},
			{Name: []byte("Flin-ID"), Value: []byte("18")},
		},
	})})
}

func TestAMessageIsTakenWhenItIsSureToBeSent(t *testing.T) {
	w := serve(t, wire.EngineQueue, nil)
	w.engine.on(wire.OpQueueLease, leased([]byte("body")))
	w.engine.on(wire.OpQueueAck, says(wire.Response{Num: 1}))
	m := w.ask("flin.queue.pop.q", "")
	w.wants(m, "body")
	// What NATS cannot carry is left out, and so is what would be taken for another's.
	if len(m.Header) != 3 || m.Header.Get("trace") != "abc" || m.Header.Get("Flin-ID") != "17" || m.Header.Get("Flin-Attempt") != "3" {
		t.Errorf("its headers are %v", m.Header)
	}

	w.engine.on(wire.OpQueueLease, leased(make([]byte, 2<<20)))
	w.engine.on(wire.OpQueueNack, says(wire.Response{}))
	before := len(w.engine.ops())
	w.refused(w.ask("flin.queue.pop.q", ""), "413", "max_payload")
	if ops := w.engine.ops()[before:]; !slices.Equal(ops, []wire.Op{wire.OpQueueLease, wire.OpQueueNack}) {
		t.Errorf("for what has no room the engine was asked %v", ops)
	}
}

func TestAMessageThatNobodyWaitsForAnyMoreStaysInItsQueue(t *testing.T) {
	w := serve(t, wire.EngineQueue, nil)
	asked, gone, settled := make(chan struct{}), make(chan struct{}), make(chan wire.Op, 1)
	lease := leased([]byte("body"))
	w.engine.on(wire.OpQueueLease, func(body []byte) wire.Response {
		close(asked)
		<-gone
		return lease(body)
	})
	for _, op := range []wire.Op{wire.OpQueueAck, wire.OpQueueNack} {
		w.engine.on(op, func([]byte) wire.Response {
			settled <- op
			return wire.Response{}
		})
	}
	inbox := w.person.NewInbox()
	sub, err := w.person.SubscribeSync(inbox)
	if err == nil {
		err = w.person.PublishRequest("flin.queue.pop.q", inbox, nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	<-asked
	if err := sub.Unsubscribe(); err != nil {
		t.Fatal(err)
	}
	if err := w.person.Flush(); err != nil { // the server knows of it
		t.Fatal(err)
	}
	close(gone)
	if op := <-settled; op != wire.OpQueueNack {
		t.Errorf("the engine was asked to %v", op)
	}
}

func TestATailReadsOnlyPartitionsThatHadNews(t *testing.T) {
	w := serve(t, wire.EngineStream, nil)
	topic := wire.TopicInfo{Name: []byte("t")}
	const partitions = 1000
	for i := range partitions {
		topic.Partitions = append(topic.Partitions, wire.PartitionInfo{End: 5, Newest: int64(1000 * (i + 1))})
	}
	w.engine.on(wire.OpStreamInfo, says(wire.Response{Body: topic.Append(nil)}))
	w.engine.on(wire.OpStreamFetch, func(body []byte) wire.Response {
		var m wire.StreamFetch
		if err := m.Decode(body); err != nil {
			return wire.Fail(err)
		}
		var b record.Builder
		for i := range int64(5) {
			b.Add(&record.Record{Timestamp: int64(1000*(m.Partition+1)) - 4 + i, Value: fmt.Appendf(nil, "%d/%d", m.Partition, i)})
		}
		batch, err := b.AppendTo(nil, wire.CompressionNone, record.NoProducer)
		if err != nil {
			return wire.Fail(err)
		}
		return wire.Response{Num: 5 - m.Offset, Body: (&wire.StreamSection{Partition: m.Partition, From: m.Offset, To: 5, End: 5, Batches: batch}).Append(nil)}
	})
	m := w.ask("flin.stream.tail.t", "", "Flin-Limit: 7")
	got := ""
	for line := range strings.Lines(string(m.Data)) {
		_, value, _ := strings.Cut(line, `"value":"`)
		value, _, _ = strings.Cut(value, `"`)
		got += value + " "
	}
	if got != "998/3 998/4 999/0 999/1 999/2 999/3 999/4 " {
		t.Errorf("the last records are %s", got)
	}
	if n := len(w.engine.ops()); n != 3 {
		t.Errorf("for seven records of %d partitions the engine was asked %d times", partitions, n)
	}
	w.refused(w.ask("flin.stream.tail.t", "", "Flin-Partition: 1000"), "416", "only 0 to 999")
}

func TestAScanShowsWhatIsNoText(t *testing.T) {
	w := serve(t, wire.EngineKV, nil)
	body := wire.AppendBytes(nil, []byte("\xff"))
	for _, e := range []wire.KVEntry{
		{Version: 1, Key: []byte("<a>"), Value: []byte("\"&\n")}, {Version: 2, Key: []byte("\xff"), Value: []byte{0xfe, 0}, Expires: 9}, {Version: 3, Key: []byte("long"), Value: make([]byte, 40_000)},
	} {
		body = wire.AppendKVEntry(body, &e)
	}
	w.engine.on(wire.OpKVScan, says(wire.Response{Num: 1, Body: body}))
	m := w.ask("flin.kv.scan", "")
	w.wants(m, `{"key":"<a>","value":"\"&\n","version":1}`+"\n"+`{"key_base64":"/w==","value_base64":"/gA=","version":2,"expires":9}`+"\n"+`{"key":"long","size":40000,"version":3}`)
	if got := m.Header.Get("Flin-After-Base64"); got != "/w==" {
		t.Errorf("it goes on behind %q: %v", got, m.Header)
	}
}

func TestDocumentsThatWereNotInsertedAreToldOf(t *testing.T) {
	w := serve(t, wire.EngineDoc, nil)
	result := wire.DocResult{Inserted: 1, Errors: []wire.DocError{{Index: 1, Code: wire.Exists, Sub: 11000, Msg: []byte("duplicate key")}}}
	w.engine.on(wire.OpDocInsert, says(wire.Response{Body: result.Append(nil)}))
	w.refused(w.ask("flin.doc.insert.c", `[{"_id":1},{"_id":1}]`), "409", "Exists: 1 of 2 documents were inserted; number 2 was not: duplicate key")
	w.refused(w.ask("flin.doc.insert.c", `{"_id":1}`), "409", "Exists: duplicate key")
	for body, text := range map[string]string{"": "no document", "[]": "empty", "[1]": "number 1", "[{}] x": "no array", `{"_id":`: "no document"} {
		w.refused(w.ask("flin.doc.insert.c", body), "400", text)
	}
}

func TestItIsToldHowLongTheEngineTook(t *testing.T) {
	type told struct {
		op   wire.Op
		took time.Duration
		size int
	}
	heard := make(chan told, 1)
	w := serve(t, wire.EngineKV, func(c *people.Config) {
		c.Took = func(op wire.Op, took time.Duration, size int) { heard <- told{op, took, size} }
	})
	w.engine.on(wire.OpKVSet, func([]byte) wire.Response {
		time.Sleep(20 * time.Millisecond) // what is measured
		return wire.Response{Rev: 1}
	})
	w.wants(w.ask("flin.kv.set.a", "value"), "OK")
	if got := <-heard; got.op != wire.OpKVSet || got.took < 20*time.Millisecond || got.size < len("value") {
		t.Errorf("it is told %+v", got)
	}
}

// Whoever gives an option means it: none may be let in and then not seen.
func TestAnOptionIsSeenOrRefused(t *testing.T) {
	w := serve(t, wire.EngineKV, nil)
	w.engine.on(wire.OpKVSet, func(body []byte) wire.Response {
		var m wire.KVSet
		if err := m.Decode(body); err != nil {
			return wire.Fail(err)
		}
		if m.Flags != wire.SetIfVersion || m.Version != 9999 {
			return wire.Failf(wire.Internal, "the condition is %v %d", m.Flags, m.Version)
		}
		return wire.Response{Rev: 1}
	})
	w.wants(w.ask("flin.kv.set.a", "v", "Flin-If-Version-Base64: OTk5OQ=="), "OK")
	for _, header := range []string{"Flin-If-Version: ", "Flin-TTL: ", "Flin-DB-Base64: ", "Flin-TTL-Base64: !"} {
		w.refused(w.ask("flin.kv.set.a", "v", header), "400", "")
	}
	w.refused(w.ask("flin.kv.set", "v", "Flin-Key: a", "Flin-Key-Base64: Yg=="), "400", "both")
}
