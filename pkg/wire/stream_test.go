package wire

import (
	"bytes"
	"strings"
	"testing"
)

func TestAPublishThatIsDecodedAnewKeepsNothingOfTheOneBefore(t *testing.T) {
	full := StreamPublish{Topic: topic, Partition: 3, Records: []StreamRecord{
		{Flags: RecordKey | RecordTime | RecordHeaders, Time: 5, Key: k, Headers: headers, Value: v}, {Value: v},
	}}
	var m StreamPublish
	if err := m.Decode(full.Append(nil)); err != nil {
		t.Fatal(err)
	}
	plain := StreamPublish{Topic: topic, Partition: AnyPartition, Records: []StreamRecord{{Flags: RecordNull}}}
	if err := m.Decode(plain.Append(nil)); err != nil {
		t.Fatal(err)
	}
	one := m.Records[0]
	if len(m.Records) != 1 || m.Partition != AnyPartition || one.Key != nil || one.Time != 0 || len(one.Headers) != 0 || one.Value != nil {
		t.Errorf("%+v", m)
	}
	if n := testing.AllocsPerRun(100, func() {
		if m.Decode(full.Append(make([]byte, 0, 512))) != nil || m.Decode(plain.Append(make([]byte, 0, 512))) != nil {
			t.Error("decoding")
		}
	}); n > 2 { // the two payloads; perhaps not even those
		t.Errorf("%v allocations to decode two publishes into one", n)
	}
}

func TestARecordWithoutAKeyOrAValueIsNotOneWithEmptyOnes(t *testing.T) {
	m := StreamPublish{Topic: topic, Records: []StreamRecord{{Flags: RecordKey, Key: []byte{}, Value: []byte{}}, {Flags: RecordNull}}}
	var got StreamPublish
	if err := got.Decode(m.Append(nil)); err != nil {
		t.Fatal(err)
	}
	empty, none := got.Records[0], got.Records[1]
	if empty.Flags&RecordKey == 0 || empty.Key == nil || empty.Value == nil || none.Flags&RecordKey != 0 || none.Flags&RecordNull == 0 || none.Value != nil {
		t.Errorf("%+v", got.Records)
	}
}

func TestAPartitionThatDoesNotFitIsOneThatIsNotThere(t *testing.T) {
	for _, n := range []int64{1 << 31, -1<<31 - 1, 1 << 62, -1 << 62} {
		p := append(AppendVarint(AppendBytes(nil, topic), n), "batch"...)
		var m StreamAppend
		if err := m.Decode(p); err != nil || m.Partition != 1<<31-1 || !bytes.Equal(m.Batch, []byte("batch")) {
			t.Errorf("%d: %+v %v", n, m, err)
		}
	}
}

func TestListsOfTheStreamEngineAreBoundedBeforeTheyCostMemory(t *testing.T) {
	huge := bytes.Repeat([]byte{0}, MaxPartitions+10)
	for name, m := range map[string]message{
		"records":    &StreamPublish{},
		"partitions": &StreamAssignment{},
	} {
		var p []byte
		switch name {
		case "records":
			p = AppendUvarint(AppendVarint(AppendBytes(nil, topic), 0), MaxBatch+1)
		default:
			p = AppendUvarint(AppendUvarint(nil, 1), MaxPartitions+1)
		}
		if err := m.Decode(append(p, huge...)); CodeOf(err) != TooLarge || !strings.Contains(err.Error(), "10000") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestASectionIsWrittenInTwoPartsOrInOne(t *testing.T) {
	if got := append(section.AppendHead(nil, len(section.Batches)), section.Batches...); !bytes.Equal(got, section.Append(nil)) {
		t.Errorf("% x", got)
	}
	var got StreamSection
	r := NewReader(section.Append(section.Append(nil)))
	for range 2 {
		TakeStreamSection(&r, &got)
		if got.Partition != 3 || got.From != 300 || got.To != 310 || got.Start != 7 || got.End != 1000 || string(got.Batches) != "record batches" {
			t.Errorf("%+v", got)
		}
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestALagIsWhatIsKeptBehindWhatIsCommitted(t *testing.T) {
	for _, c := range []struct{ committed, start, end, lag int64 }{{7, 3, 10, 3}, {-1, 3, 10, 7}, {1, 3, 10, 7}, {10, 10, 10, 0}, {-1, 0, 0, 0}} {
		if p := (GroupPartition{Committed: c.committed, Start: c.start, End: c.end}); p.Lag() != c.lag {
			t.Errorf("%+v: %d", c, p.Lag())
		}
	}
}
