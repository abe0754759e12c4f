package systest

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/clients/go"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// topicCanary makes a topic of two partitions with records, and a group with a member and a committed offset, that what follows must not
// harm. It returns the check that it did not.
func topicCanary(t *testing.T, client *flin.Client, topic string) (unharmed func()) {
	t.Helper()
	values := [][]byte{payload(topic, 1, smallValue), payload(topic, 2, smallValue), payload(topic, 3, smallValue)}
	if err := client.Stream.CreateTopic(topic, 2, -1, flin.MaxMessage(64<<10)); err != nil {
		t.Fatal(err)
	}
	for _, v := range values {
		if _, err := client.Stream.Publish(topic, 0, "k", v, flin.RecordHeaders(flin.Header{Name: "a", Value: []byte("b")})); err != nil {
			t.Fatal(err)
		}
	}
	err := errors.Join(
		client.Stream.Subscribe(topic, topic+".group", "member"),
		client.Stream.Commit(topic, topic+".group", 0, 1),
	)
	if err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		info, err := client.Stream.Topic(topic)
		if err != nil || len(info.Partitions) != 2 || info.Partitions[0].Start != 0 || info.Partitions[0].End != 3 || info.Partitions[1].End != 0 || info.MaxMessage != 64<<10 {
			t.Errorf("of the topic with three records it is said %+v, %v", info, err)
		}
		list, err := client.Stream.Fetch(topic, 0, 0)
		if err != nil || len(list) != 3 {
			t.Fatalf("%d records of three are there: %v", len(list), err)
		}
		for i, r := range list {
			if !bytes.Equal(r.Value, values[i]) || string(r.Key) != "k" || len(r.Headers) != 1 || string(r.Headers[0].Value) != "b" {
				t.Errorf("record %d has key %q, headers %v and %s", i, r.Key, r.Headers, brief(r.Value))
			}
		}
		g, err := client.Stream.Group(topic + ".group")
		if err != nil || len(g.Members) != 1 || len(g.Partitions) == 0 || g.Partitions[0].Committed != 1 {
			t.Errorf("of the group it is said %+v, %v", g, err)
		}
		list, err = client.Stream.Consume(topic, topic+".group", "member", 10)
		if err != nil || len(list) == 0 || len(list) > 3 || list[len(list)-1].Offset != 2 {
			t.Errorf("the member gets %d records: %v", len(list), err)
		}
	}
}

// badNames are no names of topics, groups and consumers.
var badNames = []string{"", ".", "..", "a b", "a/b", "ümlaut", strings.Repeat("n", 250)}

// What cannot be done with topics is refused with the limit or the remedy, and nothing happens.
func TestBadRequestsForTopicsAreRefused(t *testing.T) {
	s := start(t, "-max-value=512KiB")
	client := newClient(t, s.addrs())
	st := client.Stream
	unharmed := topicCanary(t, client, "t")
	large := bytes.Repeat([]byte{'v'}, 64<<10+1)
	huge := bytes.Repeat([]byte{'v'}, 512<<10+1)
	publish := func(topic string, partition int, value []byte, o ...flin.PublishOption) func() error {
		return func() error { _, err := st.Publish(topic, partition, "", value, o...); return err }
	}
	create := func(topic string, partitions int, retention int64, o ...flin.TopicOption) func() error {
		return func() error { return st.CreateTopic(topic, partitions, retention, o...) }
	}
	alter := func(topic string, o ...flin.TopicOption) func() error {
		return func() error { return st.AlterTopic(topic, o...) }
	}
	all := []denial{
		{"a partition that is not there", publish("t", 2, []byte("v")), flin.ErrOutOfRange, []string{`"t"`, "2 partitions"}},
		{"a partition below any", publish("t", -2, []byte("v")), flin.ErrInvalid, []string{"-2"}},
		{"a record over the topic's limit", publish("t", 0, large), flin.ErrTooLarge, []string{"65537", "65536", `"t"`}},
		{"a record over the server's limit", publish("t", 0, huge), flin.ErrTooLarge, []string{"524289", "524288", "-max-value"}},
		{"a large record among small ones", func() error {
			_, err := st.PublishBatch("t", 0, []flin.Record{{Value: []byte("v")}, {Value: large}})
			return err
		}, flin.ErrTooLarge, []string{"65537"}},
		{"too many headers", publish("t", 0, []byte("v"), flin.RecordHeaders(make([]flin.Header, 65)...)), flin.ErrInvalid, []string{"65", "64", "headers"}},
		{"too many records", func() error {
			_, err := st.PublishBatch("t", 0, make([]flin.Record, wire.MaxBatch+1))
			return err
		}, flin.ErrTooLarge, []string{"10001", "10000"}},
		{"an oversized record by a producer", func() error {
			p, err := st.Producer("t")
			if err != nil {
				return err
			}
			return errors.Join(p.Send(0, flin.Record{Value: large}, nil), p.Close())
		}, flin.ErrTooLarge, []string{"65537", "65536"}},
		{"a producer for no topic", func() error { _, err := st.Producer("nowhere"); return err }, flin.ErrNotFound, []string{"nowhere"}},
		{"no partitions", create("new", 0, -1), flin.ErrInvalid, nil},
		{"too many partitions", create("new", wire.MaxPartitions+1, -1), flin.ErrInvalid, []string{"10001", "10000"}},
		{"a retention below for ever", create("new", 1, -2), flin.ErrInvalid, []string{"-2", "-1"}},
		{"a retention too long", create("new", 1, wire.MaxRetention+1), flin.ErrInvalid, []string{"3153600000000"}},
		{"records too large", create("new", 1, -1, flin.MaxMessage(wire.MaxRecord+1)), flin.ErrInvalid, []string{"8388609", "8388608"}},
		{"records of nothing", create("new", 1, -1, flin.MaxMessage(0)), flin.ErrInvalid, nil},
		{"an unknown compression", create("new", 1, -1, flin.Compression(9)), flin.ErrInvalid, []string{"9", "compression"}},
		{"a topic that is there, with other partitions", create("t", 3, -1), flin.ErrExists, []string{`"t"`, "2"}},
		{"a topic that is there, with other settings", create("t", 2, 1000), flin.ErrExists, []string{`"t"`}},
		{"fewer partitions", alter("t", flin.Partitions(1)), flin.ErrInvalid, []string{`"t"`, "2", "1"}},
		{"no such topic to alter", alter("nowhere", flin.Partitions(2)), flin.ErrNotFound, []string{"nowhere"}},
		{"no such topic to delete", func() error { return st.DeleteTopic("nowhere") }, flin.ErrNotFound, []string{"nowhere"}},
		{"no such topic to show", func() error { _, err := st.Topic("nowhere"); return err }, flin.ErrNotFound, []string{"nowhere"}},
	}
	for _, name := range badNames {
		all = append(all,
			denial{"publish to " + name[:min(len(name), 9)], publish(name, 0, []byte("v")), flin.ErrInvalid, []string{"topic"}},
			denial{"create " + name[:min(len(name), 9)], create(name, 1, -1), flin.ErrInvalid, []string{"topic"}})
	}
	all = append(all, denial{"a topic with a colon", create("a:b", 1, -1), flin.ErrInvalid, []string{"topic"}})
	refuse(t, all)
	for info, err := range st.Topics("") {
		if err != nil || info.Name != "t" {
			t.Errorf("topic %q has been made: %v", info.Name, err)
		}
	}
	unharmed()
	stillServes(t, s)
}

// Offsets that are not there are refused with those that are.
func TestOffsetsOutOfRangeAreRefused(t *testing.T) {
	s := start(t)
	client := newClient(t, s.addrs())
	st := client.Stream
	unharmed := topicCanary(t, client, "t")
	fetch := func(topic string, partition int, offset int64, o ...flin.FetchOption) func() error {
		return func() error { _, err := st.Fetch(topic, partition, offset, o...); return err }
	}
	commit := func(partition int, offset int64) func() error {
		return func() error { return st.Commit("t", "t.group", partition, offset) }
	}
	refuse(t, []denial{
		{"an offset behind the next", fetch("t", 0, 4), flin.ErrOutOfRange, []string{"offset 4", "0 to 3"}},
		{"an offset far away", fetch("t", 0, 1<<62), flin.ErrOutOfRange, []string{"0 to 3"}},
		{"an offset below any", fetch("t", 0, -3), flin.ErrOutOfRange, []string{"-3", "0 to 3"}},
		{"an offset in an empty partition", fetch("t", 1, 1), flin.ErrOutOfRange, []string{"0 to 0"}},
		{"a partition that is not there", fetch("t", 2, 0), flin.ErrOutOfRange, []string{"2 partitions"}},
		{"a partition below any", fetch("t", -1, 0), flin.ErrOutOfRange, []string{"2 partitions"}},
		{"no such topic", fetch("nowhere", 0, 0), flin.ErrNotFound, []string{"nowhere"}},
		{"a wait too long", fetch("t", 0, 3, flin.Wait(5*time.Minute+time.Millisecond)), flin.ErrInvalid, []string{"300001", "300000"}},
		{"too many bytes", fetch("t", 0, 0, flin.MaxBytes(wire.MaxFetchBytes+1)), flin.ErrInvalid, []string{"8388609", "8388608"}},
		{"a look at no partition", func() error { _, err := st.Offsets("t", 5, flin.Latest); return err }, flin.ErrOutOfRange, []string{"2 partitions"}},
		{"a look at no topic", func() error { _, err := st.Offsets("nowhere", 0, flin.Latest); return err }, flin.ErrNotFound, []string{"nowhere"}},
		{"a commit below any", commit(0, -1), flin.ErrOutOfRange, []string{"-1", "0 to 3"}},
		{"a commit of what has not come", commit(0, 4), flin.ErrOutOfRange, []string{"4", "0 to 3"}},
		{"a commit of no partition", commit(2, 0), flin.ErrOutOfRange, []string{"2 partitions"}},
		{"a reset to what has not come", func() error { return reset(st, "t.group", 4) }, flin.ErrOutOfRange, []string{"4", "0 to 3"}},
		{"a seek to what has not come", func() error { _, err := st.Seek("t", "t.group", "member", 0, 9); return err }, flin.ErrOutOfRange, []string{"9", "0 to 3"}},
	})
	unharmed()
	stillServes(t, s)
}

func reset(st *flin.Stream, group string, offset int64) error {
	_, err := st.Reset("t", group, 0, offset)
	return err
}

// Who is no member, or has lost what it was to, is told so; what a group has committed stays.
func TestBadRequestsOfMembersAreRefused(t *testing.T) {
	s := start(t)
	client, other := newClient(t, s.addrs()), newClient(t, s.addrs())
	st := client.Stream
	unharmed := topicCanary(t, client, "t")
	consume := func(topic, group, consumer string, n int, o ...flin.ConsumeOption) func() error {
		return func() error { _, err := st.Consume(topic, group, consumer, n, o...); return err }
	}
	subscribe := func(topic, group, consumer string, o ...flin.SubscribeOption) func() error {
		return func() error { return st.Subscribe(topic, group, consumer, o...) }
	}
	commit := func(o ...flin.CommitOption) func() error {
		return func() error { return st.Commit("t", "t.group", 0, 2, o...) }
	}
	a, err := st.Assignment("t", "t.group", "member")
	if err != nil || a.Generation == 0 || len(a.Partitions) != 2 {
		t.Fatalf("the member owns %+v, %v", a, err)
	}
	refuse(t, []denial{
		{"a consumer that is no member", consume("t", "t.group", "stranger", 1), flin.ErrFenced, []string{"stranger", "t.group", "subscribe again"}},
		{"a group that is none", consume("t", "nobody", "member", 1), flin.ErrFenced, []string{"nobody"}},
		{"a topic that is not there", consume("nowhere", "t.group", "member", 1), flin.ErrNotFound, []string{"nowhere"}},
		{"no records", consume("t", "t.group", "member", 0), flin.ErrInvalid, nil},
		{"too many records", consume("t", "t.group", "member", wire.MaxBatch+1), flin.ErrInvalid, []string{"10001", "10000"}},
		{"a wait too long", consume("t", "t.group", "member", 1, flin.Wait(5*time.Minute+time.Millisecond)), flin.ErrInvalid, []string{"300001"}},
		{"a sign of life of a stranger", func() error { _, err := st.Assignment("t", "t.group", "stranger"); return err }, flin.ErrFenced, []string{"stranger"}},
		{"a subscription to nothing", subscribe("nowhere", "g", "c"), flin.ErrNotFound, []string{"nowhere"}},
		{"another way to share", subscribe("t", "t.group", "second", flin.RangeAssignor()), flin.ErrConflict, []string{"t.group"}},
		{"a session too long", subscribe("t", "g", "c", flin.SessionTimeout(30*time.Minute+time.Millisecond)), flin.ErrInvalid, []string{"1800001", "1800000"}},
		{"polls too far apart", subscribe("t", "g", "c", flin.MaxPoll(24*time.Hour+time.Millisecond)), flin.ErrInvalid, []string{"86400001", "86400000"}},
		{"a group of no name", subscribe("t", "a b", "c"), flin.ErrInvalid, []string{"group"}},
		{"a consumer of no name", subscribe("t", "g", ""), flin.ErrInvalid, []string{"consumer"}},
		{"a commit of a stranger", commit(flin.As("stranger", a.Generation)), flin.ErrFenced, []string{"stranger"}},
		{"a commit of a generation to come", commit(flin.As("member", a.Generation+1)), flin.ErrFenced, []string{"generation"}},
		{"a commit with too much beside it", commit(flin.Metadata(strings.Repeat("m", wire.MaxMetadata+1))), flin.ErrTooLarge, []string{"4097", "4096"}},
		{"no such group to look at", func() error { _, err := st.Group("nobody"); return err }, flin.ErrNotFound, []string{"nobody"}},
		{"no such group to lag", func() error { _, err := st.Lag("t", "nobody"); return err }, flin.ErrNotFound, []string{"nobody"}},
		{"no such group to delete", func() error { return st.DeleteGroup("nobody") }, flin.ErrNotFound, []string{"nobody"}},
		{"a group with members to delete", func() error { return st.DeleteGroup("t.group") }, flin.ErrConflict, []string{"t.group", "1"}},
	})
	unharmed()

	// A second member takes a partition over: what the first had of it, it can neither commit nor move in.
	if err := other.Stream.Subscribe("t", "t.group", "second"); err != nil {
		t.Fatal(err)
	}
	b, err := other.Stream.Assignment("t", "t.group", "second")
	if err != nil || len(b.Partitions) != 1 || b.Generation <= a.Generation {
		t.Fatalf("the second member owns %+v, %v", b, err)
	}
	lost := b.Partitions[0]
	refuse(t, []denial{
		{"a commit of what was lost", func() error { return st.Commit("t", "t.group", lost, 0, flin.As("member", a.Generation)) }, flin.ErrFenced, []string{"member", "subscribe again"}},
		{"a commit of an old generation", func() error { return st.Commit("t", "t.group", lost, 0, flin.As("second", a.Generation)) }, flin.ErrFenced, []string{"generation"}},
		{"a seek in what was lost", func() error { _, err := st.Seek("t", "t.group", "member", lost, 0); return err }, flin.ErrFenced, []string{"member"}},
	})
	for p, client := range map[int]*flin.Client{1 - lost: client, lost: other} {
		as := flin.As(map[int]string{1 - lost: "member", lost: "second"}[p], b.Generation)
		if err := client.Stream.Commit("t", "t.group", p, 0, as); err != nil {
			t.Errorf("a commit of the owner of partition %d: %v", p, err)
		}
	}
	stillServes(t, s)
}

// Every operation number of the streams with every kind of garbage for a payload is answered, and what of it got into the log is
// applied again at the next start.
func TestGarbagePayloadsOfEveryStreamOperation(t *testing.T) {
	s := start(t)
	client := newClient(t, s.addrs())
	unharmed := topicCanary(t, client, "canary")
	rng := rand.New(rand.NewPCG(seeded(t), 16))
	n := dialFrames(t, s.port)
	defer n.close()
	const rounds = 150
	for op := wire.Op(0x0320); op < 0x0400; op++ {
		if op == 0x0350 {
			op = 0x03E8
		}
		var sent bytes.Buffer
		for range rounds {
			body := make([]byte, rng.IntN(60))
			for i := range body {
				body[i] = byte(rng.Uint32())
				if rng.IntN(2) == 0 {
					body[i] = byte(rng.IntN(4)) // small numbers go deeper into a decoder
				}
			}
			switch {
			case rng.IntN(8) == 0:
				body = []byte("tt")
			case rng.IntN(4) > 0:
				body = append(wire.AppendBytes(nil, []byte("tt")), body...) // a topic that there may be
			case rng.IntN(2) == 0:
				body = append(wire.AppendBytes(wire.AppendBytes(wire.AppendBytes(nil, []byte("tt")), []byte("g")), []byte("c")), body...)
			}
			n.tag++
			req := wire.Request{Op: op, Tag: n.tag, Body: body, Deadline: int64(200 * time.Millisecond)} // nobody waits for minutes
			sent.Write(wire.AppendRequest(nil, &req, 0))
		}
		go func() { _, _ = n.conn.Write(sent.Bytes()) }() // a failure shows in what is read
		for range rounds {
			if _, _, err := n.read(); err != nil {
				t.Fatalf("%v: %v\n%s", op, err, s.log.tail(4<<10))
			}
		}
	}
	unharmed()
	s.kill()
	s.launch()
	unharmed()
	stillServes(t, s)
}
