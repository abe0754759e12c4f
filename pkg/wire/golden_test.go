package wire

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
)

var rewrite = flag.Bool("rewrite", false, "write testdata/golden.txt anew; then read the diff: a frame that changed is a broken protocol")

// message is what every payload type fulfils.
type message interface {
	Append(b []byte) []byte
	Decode(p []byte) error
}

var (
	k = []byte("key")
	v = []byte("value")
)

// payloads are the golden payloads: each type, with every optional field in one of them.
var payloads = []struct {
	name string
	m    message
}{
	{"Hello", &Hello{Version: 1, User: "default", Password: "secret", Info: "test"}},
	{"Hello/no-credentials", &Hello{Version: 1}},
	{"Welcome", &Welcome{Version: 1, MaxRequest: 32 << 20, MaxInFlight: 4096, Node: "node-1", Server: "flin-server 0.1"}},
	{"Credit", &Credit{Tag: 300, N: 64}},
	{"KVKey", &KVKey{DB: 0, Key: k}},
	{"KVKey/empty-key", &KVKey{DB: 15, Key: []byte{}}},
	{"KVSet", &KVSet{Key: k, Value: v}},
	{"KVSet/expires-in", &KVSet{DB: 1, Expiry: Expiry{Kind: ExpiryIn, Ms: 1500}, Key: k, Value: v}},
	{"KVSet/expires-at", &KVSet{Expiry: Expiry{Kind: ExpiryAt, Ms: 1_900_000_000_000}, Key: k, Value: v}},
	{"KVSet/keep-expiry-if-version", &KVSet{Flags: SetIfVersion, Expiry: Expiry{Kind: ExpiryKeep}, Version: 300, Key: k, Value: v}},
	{"KVSet/if-absent-return-old", &KVSet{Flags: SetIfAbsent | SetReturnOld, Key: k, Value: []byte{}}},
	{"KVStat", &KVStat{Type: TypeString, Size: 1024}},
	{"KVKeys", &KVKeys{Keys: [][]byte{k, {}, []byte("other")}}},
	{"KVDel", &KVDel{Key: k}},
	{"KVDel/if-version", &KVDel{IfVersion: true, Version: 300, Key: k}},
	{"KVIncr", &KVIncr{By: -2, Key: k}},
	{"KVPair", &KVPair{Key: k, Value: v}},
	{"KVRange", &KVRange{Start: 1, End: -1, Key: k, Value: []byte{}}},
	{"KVExpire", &KVExpire{Cond: ExpireIfGreater, Expiry: Expiry{Kind: ExpiryIn, Ms: 1000}, Key: k}},
	{"KVMSet", &KVMSet{Pairs: []KVPair{{Key: k, Value: v}, {Key: []byte("b"), Value: []byte{}}}}},
	{"KVMSet/if-absent", &KVMSet{IfAbsent: true, Pairs: []KVPair{{Key: k, Value: v}}}},
	{"KVScan", &KVScan{Prefix: []byte("user:"), Start: []byte{}, End: []byte{}, After: []byte{}, Match: []byte{}}},
	{"KVScan/after", &KVScan{Flags: ScanKeysOnly | ScanReverse | ScanAfter, Limit: 100, Examine: 1000, Prefix: []byte("p"), Start: []byte("pa"), End: []byte("pz"), After: []byte("pk"), Match: []byte("p*")}},
	{"KVTxn", &KVTxn{
		Compares: []KVCompare{{Version: 300, Key: k}, {DB: 1, Key: []byte("absent")}},
		Ops:      []KVOp{{Op: OpKVSet, Body: (&KVSet{Key: k, Value: v}).Append(nil)}, {Op: OpKVGet, Body: (&KVKey{Key: k}).Append(nil)}},
	}},
	{"KVWatch", &KVWatch{DB: AllDatabases, From: 300, Prefix: []byte("p")}},
	{"KVCopy", &KVCopy{DB: 0, DstDB: 1, Replace: true, Src: k, Dst: []byte("copy")}},
	{"KVDB", &KVDB{DB: 0, Other: 1, Prefix: []byte("p")}},
	{"KVBit", &KVBit{Bit: 1, Offset: 300, Key: k}},
	{"KVBitScan", &KVBitScan{Bit: 1, Range: BitRangeStart | BitRangeEnd, Start: 1, End: -1, Key: k}},
	{"KVBitOp", &KVBitOp{Kind: BitXor, Dst: []byte("dst"), Srcs: [][]byte{k, []byte("b")}}},
	{"KVBitField", &KVBitField{Key: k, Ops: []BitFieldOp{{Kind: BitFieldIncr, Overflow: OverflowSat, Signed: true, Bits: 5, Offset: 100, Value: -1}}}},
	{"KVLCS", &KVLCS{Flags: LCSIdx, MinLen: 4, A: k, B: []byte("b")}},
	{"QueueName", &QueueName{Queue: q}},
	{"QueuePush", &QueuePush{Queue: q, Messages: []QueueMessage{{Body: v}}}},
	{"QueuePush/batch", &QueuePush{Queue: q, Messages: []QueueMessage{
		{Flags: MessageDelayed, NotBefore: 1500, Body: v},
		{Flags: MessageAt | MessagePriority | MessageTTL, NotBefore: 1_900_000_000_000, Priority: 9, TTL: 60_000, Body: []byte{}},
		{Flags: MessageDedup | MessageGroup | MessageHeaders, Dedup: []byte("id-1"), Group: []byte("g"), Headers: headers, Body: v},
	}}},
	{"QueuePop", &QueuePop{Queue: q, Count: 1}},
	{"QueuePop/wait-lease", &QueuePop{Queue: q, Count: 100, Wait: 20_000, Lease: 30_000}},
	{"QueueAck", &QueueAck{Queue: q, Receipts: []Receipt{receipt, {ID: NewMessageID(9, 18), Attempt: 1, Nonce: 1}}}},
	{"QueueNack", &QueueNack{Queue: q, Receipt: receipt, Error: []byte{}}},
	{"QueueNack/delay-error", &QueueNack{Queue: q, Receipt: receipt, Delay: 5000, Error: []byte("why")}},
	{"QueueExtend", &QueueExtend{Queue: q, Receipt: receipt, Lease: 30_000}},
	{"QueuePeek", &QueuePeek{Queue: q, Count: 10}},
	{"QueueMessageID", &QueueMessageID{Queue: q, ID: NewMessageID(9, 18)}},
	{"QueueCreate", &QueueCreate{Queue: q, Settings: QueueSettings{DeadLetter: []byte{}}}},
	{"QueueCreate/all", &QueueCreate{
		Queue:    q,
		Fields:   QueueHasLease | QueueHasMaxDeliver | QueueHasDeadLetter | QueueHasMaxLen | QueueHasOverflow | QueueHasTTL | QueueHasWindow,
		Settings: settings,
	}},
	{"QueueInfo", &QueueInfo{
		Name: q, Settings: settings, Paused: true, Created: 1_900_000_000_000, Ready: 1, Delayed: 2, Leased: 3, Dead: 4, Oldest: 1_900_000_000_001,
		Pushed: 300, Popped: 6, Acked: 7, Died: 8, Dropped: 9, PushRate: 10, PopRate: 11,
	}},
	{"QueueList", &QueueList{After: []byte{}, Match: []byte{}}},
	{"QueueList/page", &QueueList{After: q, Match: []byte("j*"), Limit: 1000}},
	{"QueueRedrive", &QueueRedrive{Queue: q}},
	{"QueueRedrive/count", &QueueRedrive{Queue: q, Count: 300}},
	{"QueueReturn", &QueueReturn{Queue: q, Leased: true, Deliveries: []QueueDelivery{leased, ready}}},
	{"TopicName", &TopicName{Topic: topic}},
	{"TopicCreate", &TopicCreate{Topic: topic, Partitions: 4, Fields: TopicHasRetention, Settings: TopicSettings{Retention: -1}}},
	{"TopicCreate/all", &TopicCreate{
		Topic: topic, Partitions: 300, Fields: TopicHasRetention | TopicHasMaxBytes | TopicHasMaxMessage | TopicHasCompression, Settings: topicSettings,
	}},
	{"TopicInfo", &TopicInfo{Name: topic, Settings: topicSettings, Created: 1_900_000_000_000, Partitions: []PartitionInfo{
		{Start: 300, End: 1000, Bytes: 1 << 30, Batches: 70, Newest: 1_900_000_000_001}, {},
	}}},
	{"StreamList", &StreamList{After: []byte{}, Match: []byte{}, Topic: []byte{}}},
	{"StreamList/page", &StreamList{After: topic, Match: []byte("e*"), Limit: 1000, Topic: topic}},
	{"StreamPublish", &StreamPublish{Topic: topic, Partition: AnyPartition, Records: []StreamRecord{{Value: v}}}},
	{"StreamPublish/batch", &StreamPublish{Topic: topic, Partition: 300, Records: []StreamRecord{
		{Flags: RecordKey, Key: k, Value: []byte{}},
		{Flags: RecordKey | RecordTime | RecordHeaders | RecordNull, Time: 1_900_000_000_000, Key: []byte{}, Headers: headers},
	}}},
	{"StreamAppend", &StreamAppend{Topic: topic, Partition: 3, Batch: []byte("a record batch")}},
	{"StreamFetch", &StreamFetch{Topic: topic, Partition: 3, Offset: OffsetEarliest}},
	{"StreamFetch/all", &StreamFetch{
		Topic: topic, Partition: 3, Offset: 1_900_000_000_000, ByTime: true, Count: 500, MinBytes: 1 << 10, MaxBytes: 1 << 20, Wait: 20_000,
	}},
	{"StreamOffsets", &StreamOffsets{Topic: topic, Partition: AnyPartition, Time: OffsetLatest}},
	{"StreamSubscribe", &StreamSubscribe{Topic: topic, Group: group, Consumer: consumer}},
	{"StreamSubscribe/all", &StreamSubscribe{
		Topic: topic, Group: group, Consumer: consumer, Latest: true, Assignor: AssignRange, Session: 10_000, Poll: 300_000,
	}},
	{"StreamAssignment", &StreamAssignment{Generation: 300, Partitions: []int32{0, 3, 300}}},
	{"StreamMember", &StreamMember{Topic: topic, Group: group, Consumer: consumer}},
	{"StreamConsume", &StreamConsume{Topic: topic, Group: group, Consumer: consumer, Count: 500, MaxBytes: 1 << 20, Wait: 20_000, Turn: 300}},
	{"StreamCommit", &StreamCommit{Topic: topic, Group: group, Consumer: []byte{}, Offsets: []StreamCommitted{{Partition: 3, Offset: 1000, Metadata: []byte{}}}}},
	{"StreamCommit/fenced", &StreamCommit{Topic: topic, Group: group, Consumer: consumer, Generation: 300, Offsets: []StreamCommitted{
		{Partition: 0, Offset: 7, Metadata: []byte("host-1")}, {Partition: 300, Offset: 0, Metadata: []byte{}},
	}}},
	{"StreamSeek", &StreamSeek{Topic: topic, Group: group, Consumer: consumer, Partition: 3, Offset: OffsetLatest}},
	{"StreamReset", &StreamReset{Topic: topic, Group: group, Partition: AnyPartition, Offset: 1_900_000_000_000, ByTime: true}},
	{"StreamReset/resolved", &StreamReset{Topic: topic, Group: group, Partition: 3, Offset: 7, Resolved: []StreamOffset{{Partition: 3, Offset: 7, Time: -1}}}},
	{"StreamGroupName", &StreamGroupName{Group: group, Topic: topic}},
	{"GroupInfo", &GroupInfo{
		Name: group, Generation: 300, Assignor: AssignRange, Members: []GroupMember{{Name: consumer, Session: 10_000, Poll: 300_000, Joined: 1_900_000_000_000}},
		Partitions: []GroupPartition{
			{Topic: topic, Partition: 0, Owner: 1, Since: 299, Committed: 7, Time: 1_900_000_000_001, Metadata: []byte("host-1"), Start: 3, End: 1000},
			{Topic: topic, Partition: 300, Committed: -1, Metadata: []byte{}},
		},
	}},
	{"StreamEvict", &StreamEvict{Group: group, Members: []StreamEvicted{{Consumer: consumer, Joined: 300}}}},
}

// What the golden payloads of the stream engine are made of.
var (
	topic         = []byte("events")
	group         = []byte("processors")
	consumer      = []byte("worker-1")
	topicSettings = TopicSettings{Retention: DefaultRetention, MaxBytes: -1, MaxMessage: DefaultRecordBytes, Compression: CompressionZstd}
	section       = StreamSection{Partition: 3, From: 300, To: 310, Start: 7, End: 1000, Batches: []byte("record batches")}
)

// What the golden payloads of the queue engine are made of.
var (
	q        = []byte("jobs")
	receipt  = Receipt{ID: NewMessageID(0, 17), Attempt: 2, Nonce: 0x0102030405060708}
	headers  = []Header{{Name: []byte("content-type"), Value: []byte("text/plain")}, {Name: []byte("n"), Value: []byte{}}}
	settings = QueueSettings{Lease: 30_000, MaxDeliver: 10, DeadLetter: []byte("jobs.dead"), MaxLen: 1_000_000, Overflow: QueueDrop, TTL: 86_400_000, Window: 300_000}
	leased   = QueueDelivery{
		Receipt: receipt, State: DeliveryLeased, PushedAt: 1_900_000_000_000, Until: 1_900_000_030_000, Expires: 1_900_000_060_000,
		Group: []byte("g"), Headers: headers, Body: v,
	}
	ready = QueueDelivery{Receipt: Receipt{ID: NewMessageID(9, 18)}, PushedAt: 1_900_000_000_000, Group: []byte{}, Body: []byte{}}
)

var requests = []struct {
	name string
	req  Request
}{
	{"ping", Request{Op: OpPing, Tag: 7, Body: []byte("hi")}},
	{"get", Request{Op: OpKVGet, Tag: 1<<32 | 2, Body: (&KVKey{Key: k}).Append(nil)}},
	{"get/deadline-1500ms", Request{Op: OpKVGet, Tag: 3, Deadline: goldenNow + 1500e6, Body: (&KVKey{Key: k}).Append(nil)}},
	{"get/stale-leader", Request{Op: OpKVGet, Tag: 4, Flags: FlagStale | FlagLeader, Body: (&KVKey{Key: k}).Append(nil)}},
	{"set/session", Request{Op: OpKVSet, Tag: 5, Session: 11, Seq: 12, Acked: 13, Body: (&KVSet{Key: k, Value: v}).Append(nil)}},
	{"queue-lease/deadline-25s", Request{
		Op: OpQueueLease, Tag: 7, Deadline: goldenNow + 25_000e6, Body: (&QueuePop{Queue: q, Count: 100, Wait: 20_000}).Append(nil),
	}},
	{"stream-fetch/deadline-25s-stale", Request{
		Op: OpStreamFetch, Tag: 8, Flags: FlagStale, Deadline: goldenNow + 25_000e6, Body: (&StreamFetch{Topic: topic, Wait: 20_000}).Append(nil),
	}},
	{"doc-find/deadline-1500ms", Request{Op: OpDocFind, Tag: 9, Deadline: goldenNow + 1500e6, Body: (&DocFind{Name: people, Filter: document}).Append(nil)}},
	{"set/deadline-session", Request{Op: OpKVSet, Tag: 6, Deadline: goldenNow + 1e6, Session: 11, Seq: 12, Acked: 13, Body: (&KVSet{Key: k, Value: v}).Append(nil)}},
}

var responses = []struct {
	name string
	tag  uint64
	resp Response
}{
	{"ok", 7, Response{Body: []byte("hi")}},
	{"value", 1<<32 | 2, Response{Rev: 300, Num: 1_900_000_000_000, Body: v}},
	{"number", 3, Response{Num: -5, Body: []byte{}}},
	{"not-found", 4, Response{Code: NotFound, Body: []byte{}}},
	{"error", 5, Response{Code: Invalid, Sub: 11000, Body: []byte("says why")}},
	{"more", 6, Response{More: true, Rev: 300, Body: AppendKVEvent(nil, &KVEvent{Kind: EventSet, DB: 1, Rev: 300, Key: k, Value: v})}},
	{"entries", 8, Response{Body: AppendKVEntry(AppendKVEntry(nil, &KVEntry{Version: 300, Expires: 1_900_000_000_000, Key: k, Value: v}), &KVEntry{})}},
	{"results", 9, Response{Body: AppendKVResult(nil, &Response{Code: NotFound, Rev: 1, Num: -1, Body: v})}},
	{"pushed", 10, Response{Num: 1, Body: binary.BigEndian.AppendUint64(binary.BigEndian.AppendUint64(nil, uint64(NewMessageID(0, 17))), uint64(NewMessageID(9, 18)))}},
	{"deliveries", 11, Response{Num: 2, Body: AppendDelivery(AppendDelivery(nil, &leased), &ready)}},
	{"empty", 12, Response{Code: Empty, Body: []byte{}}},
	{"acked-one-of-two", 13, Response{Num: 1, Body: []byte{byte(OK), byte(Fenced)}}},
	{"published", 14, Response{Num: 2, Body: []byte{0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 1, 44, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}},
	{"fetched", 15, Response{Num: 10, Body: section.Append(nil)}},
	{"consumed", 16, Response{Num: 10, Body: section.Append(AppendUvarint(nil, 300))}},
	{"offsets", 17, Response{Body: AppendStreamOffset(AppendStreamOffset(nil, StreamOffset{Offset: 300, Time: 1_900_000_000_000}), StreamOffset{Partition: 1, Time: -1})}},
	{"groups", 18, Response{Num: 1, Body: AppendGroupSummary(nil, &GroupSummary{Name: group, Generation: 300, Members: 3, Topics: 1, Lag: 1000})}},
	{"found-and-a-cursor", 19, Response{Num: 1 << 40, Body: append(append([]byte{}, document...), document...)}},
	{"inserted-some", 20, Response{Body: results.Append(nil)}},
	{"last-word", ConnTag, Response{Code: Unavailable, Body: []byte("the server is stopping")}},
}

const goldenNow = int64(1e12)

// golden renders everything that testdata/golden.txt holds: a name and the bytes in hexadecimal on a line.
func golden() string {
	var b strings.Builder
	for _, p := range payloads {
		fmt.Fprintf(&b, "payload %s %x\n", p.name, p.m.Append(nil))
	}
	for i := range requests {
		fmt.Fprintf(&b, "request %s %x\n", requests[i].name, AppendRequest(nil, &requests[i].req, goldenNow))
	}
	for i := range responses {
		fmt.Fprintf(&b, "answer %s %x\n", responses[i].name, AppendResponse(nil, responses[i].tag, &responses[i].resp))
	}
	fmt.Fprintf(&b, "opening hello %x\n", AppendRequest([]byte(Magic), &Request{Op: OpHello, Tag: 1, Body: payloads[0].m.Append(nil)}, 0))
	return b.String()
}

func TestTheBytesAreThoseOfTheGoldenFile(t *testing.T) {
	const path = "testdata/golden.txt"
	if *rewrite {
		if err := os.WriteFile(path, []byte(golden()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, wanted := strings.Split(golden(), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(got), len(wanted)) {
		switch {
		case i >= len(got):
			t.Errorf("missing: %s", wanted[i])
		case i >= len(wanted):
			t.Errorf("not in the file: %s", got[i])
		case got[i] != wanted[i]:
			t.Errorf("got  %s\nwant %s", got[i], wanted[i])
		}
	}
}

// TestTheGoldenBytesMeanWhatTheySay decodes the file, which a client in another language is tested with too.
func TestTheGoldenBytesMeanWhatTheySay(t *testing.T) {
	file, err := os.ReadFile("testdata/golden.txt")
	if err != nil {
		t.Fatal(err)
	}
	lines := map[string][]byte{}
	for line := range strings.Lines(string(file)) {
		f := strings.Fields(line)
		if len(f) == 2 {
			f = append(f, "")
		}
		if lines[f[0]+" "+f[1]], err = hex.DecodeString(f[2]); err != nil {
			t.Fatal(err)
		}
	}
	for _, p := range payloads {
		m := reflect.New(reflect.TypeOf(p.m).Elem()).Interface().(message) // it is one of them
		if err := m.Decode(lines["payload "+p.name]); err != nil {
			t.Errorf("%s: %v", p.name, err)
		} else if !bytes.Equal(m.Append(nil), lines["payload "+p.name]) || fmt.Sprintf("%+v", m) != fmt.Sprintf("%+v", p.m) {
			t.Errorf("%s: got %+v, want %+v", p.name, m, p.m)
		}
	}
	for i := range requests {
		var req Request
		err := DecodeRequest(lines["request "+requests[i].name][LenSize:], &req, goldenNow)
		if err != nil || !reflect.DeepEqual(req, requests[i].req) {
			t.Errorf("%s: %+v %v", requests[i].name, req, err)
		}
	}
	for i := range responses {
		var resp Response
		tag, err := DecodeResponse(lines["answer "+responses[i].name][LenSize:], &resp)
		if err != nil || tag != responses[i].tag || !reflect.DeepEqual(resp, responses[i].resp) {
			t.Errorf("%s: %d %+v %v", responses[i].name, tag, resp, err)
		}
	}
}
