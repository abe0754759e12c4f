package wire

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestAnErrorIsItsCode(t *testing.T) {
	want := []struct {
		code Code
		name string
		http int
		resp string
	}{
		{1, "Invalid", 400, "ERR"},
		{2, "NotFound", 404, "ERR"},
		{3, "Exists", 409, "ERR"},
		{4, "Conflict", 409, "ERR"},
		{5, "TooLarge", 413, "ERR"},
		{6, "NotLeader", 421, "CLUSTERDOWN"},
		{7, "Unavailable", 503, "CLUSTERDOWN"},
		{8, "Busy", 429, "TRYAGAIN"},
		{9, "Timeout", 504, "ERR"},
		{10, "Unauthorized", 403, "NOPERM"},
		{11, "WrongType", 409, "WRONGTYPE"},
		{12, "Internal", 500, "ERR"},
		{13, "Unauthenticated", 401, "NOAUTH"},
		{14, "OutOfRange", 416, "ERR"},
		{15, "Compacted", 410, "ERR"},
		{16, "Fenced", 409, "ERR"},
		{17, "OutcomeUnknown", 504, "ERR"},
		{18, "Full", 507, "OOM"},
		{19, "Empty", 404, "ERR"},
		{20, "Unsupported", 501, "ERR"},
		{21, "Canceled", 499, "ERR"},
		{22, "CrossGroup", 400, "CROSSSLOT"},
	}
	if len(want) != len(codes)-1 {
		t.Errorf("%d codes are tested, there are %d", len(want), len(codes)-1)
	}
	for _, w := range want {
		if w.code.String() != w.name || w.code.HTTPStatus() != w.http || w.code.RESPPrefix() != w.resp {
			t.Errorf("%d: %v %d %s", w.code, w.code, w.code.HTTPStatus(), w.code.RESPPrefix())
		}
		err := fmt.Errorf("wrapped: %w", &Error{Code: w.code, Sub: 1, Msg: "why"})
		if !errors.Is(err, &Error{Code: w.code}) || errors.Is(err, &Error{Code: w.code + 1}) || CodeOf(err) != w.code {
			t.Errorf("%v is not itself", w.code)
		}
	}
	if Code(200).String() != "Code(200)" || Code(200).HTTPStatus() != 500 || Code(200).RESPPrefix() != "ERR" {
		t.Error("a code that does not exist")
	}
	if CodeOf(nil) != OK || CodeOf(io.EOF) != Internal || (&Error{Code: Busy}).Error() != "Busy" {
		t.Error("the edges")
	}
	resp := Fail(io.EOF)
	if err := resp.Err(); CodeOf(err) != Internal || err.Error() != "EOF" {
		t.Error(err)
	}
}

func TestATruncatedPayloadIsRefused(t *testing.T) {
	for _, p := range payloads {
		full := p.m.Append(nil)
		m := reflect.New(reflect.TypeOf(p.m).Elem()).Interface().(message) // it is one of them
		for n := range full {
			if err := m.Decode(full[:n]); err == nil && !bytes.Equal(m.Append(nil), full[:n]) {
				t.Errorf("%s: %d of %d bytes were taken for %+v", p.name, n, len(full), m)
			}
		}
	}
}

func TestABatchOverTheLimitIsRefused(t *testing.T) {
	m := KVKeys{Keys: make([][]byte, MaxBatch+1)}
	if err := new(KVKeys).Decode(m.Append(nil)); CodeOf(err) != TooLarge || !strings.Contains(err.Error(), "10000") {
		t.Error(err)
	}
	if err := new(KVKeys).Decode([]byte{0, 0xFF, 0xFF, 0xFF, 0x7F}); !errors.Is(err, ErrTruncated) {
		t.Errorf("a count beyond the payload: %v", err)
	}
}

func TestUnknownFlagsAreRefused(t *testing.T) {
	b := AppendRequest(nil, &Request{Op: OpPing, Tag: 5}, 0)[LenSize:]
	b[2] |= 0x80
	var req Request
	if err := DecodeRequest(b, &req, 0); CodeOf(err) != Unsupported || req.Tag != 5 {
		t.Errorf("request: %v, tag %d", err, req.Tag)
	}
	b = AppendResponse(nil, 5, &Response{})[LenSize:]
	b[1] |= 0x80
	var resp Response
	if _, err := DecodeResponse(b, &resp); CodeOf(err) != Unsupported {
		t.Errorf("answer: %v", err)
	}
}

func TestADeadlineTravelsAsWhatIsLeft(t *testing.T) {
	now := int64(1000 * time.Second)
	for left, want := range map[time.Duration]time.Duration{
		time.Second: time.Second, time.Microsecond: time.Millisecond, -time.Hour: time.Millisecond,
		100 * 24 * time.Hour: (1<<32 - 1) * time.Millisecond,
	} {
		b := AppendRequest(nil, &Request{Op: OpPing, Deadline: now + int64(left)}, now)
		var req Request
		if err := DecodeRequest(b[LenSize:], &req, 5); err != nil || time.Duration(req.Deadline-5) != want {
			t.Errorf("%v arrives as %v, %v", left, time.Duration(req.Deadline-5), err)
		}
	}
}

func TestEveryOperationHasAName(t *testing.T) {
	for op, name := range opNames {
		if op.String() != name || op.Internal() != (byte(op) >= 0xF0 && op.Engine() != EngineAdmin) {
			t.Errorf("%#04x: %v", uint16(op), op)
		}
	}
	if Op(0x7FFE).Internal() || !OpKVSweep.Internal() || !OpKVWatch.Streams() || OpKVGet.Streams() {
		t.Error("kinds of operations")
	}
	if !OpQueuePop.Waits() || !OpQueueLease.Waits() || OpQueuePeek.Waits() || OpKVWatch.Waits() || !OpStreamFetch.Waits() ||
		!OpStreamConsume.Waits() || OpStreamPublish.Waits() {
		t.Error("which operations wait")
	}
	if got := Op(0x0199).String(); got != "op-0x199" && got != "op-0x0199" {
		t.Error(got)
	}
}

// FuzzPayloads sees to it that no bytes make a decoder panic or read without end, and that what a decoder takes it writes
// so that it takes it again.
func FuzzPayloads(f *testing.F) {
	for i, p := range payloads {
		f.Add(uint8(i), p.m.Append(nil))
	}
	f.Fuzz(func(t *testing.T, which uint8, b []byte) {
		p := payloads[int(which)%len(payloads)]
		m := reflect.New(reflect.TypeOf(p.m).Elem()).Interface().(message) // it is one of them
		if m.Decode(b) != nil {
			return
		}
		again := reflect.New(reflect.TypeOf(p.m).Elem()).Interface().(message) // the same
		once := m.Append(nil)
		if err := again.Decode(once); err != nil || !bytes.Equal(again.Append(nil), once) {
			t.Fatalf("%s: %+v, then %+v: %v", p.name, m, again, err)
		}
	})
}

// FuzzFrames does the same for frames and lists.
func FuzzFrames(f *testing.F) {
	for i := range requests {
		f.Add(AppendRequest(nil, &requests[i].req, goldenNow)[LenSize:])
	}
	for i := range responses {
		f.Add(AppendResponse(nil, responses[i].tag, &responses[i].resp)[LenSize:])
		f.Add(responses[i].resp.Body)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		var req, req2 Request
		if DecodeRequest(b, &req, goldenNow) == nil {
			again := AppendRequest(nil, &req, goldenNow)[LenSize:]
			if err := DecodeRequest(again, &req2, goldenNow); err != nil || !bytes.Equal(req.Body, req2.Body) || req.Tag != req2.Tag || req.Op != req2.Op {
				t.Fatalf("%+v, then %+v: %v", req, req2, err)
			}
		}
		var resp, resp2 Response
		if tag, err := DecodeResponse(b, &resp); err == nil {
			again := AppendResponse(nil, tag, &resp)[LenSize:]
			if tag2, err := DecodeResponse(again, &resp2); err != nil || tag != tag2 || !bytes.Equal(resp.Body, resp2.Body) || resp.Code != resp2.Code {
				t.Fatalf("%+v, then %+v: %v", resp, resp2, err)
			}
		}
		for _, take := range []func(*Reader){
			func(r *Reader) { TakeKVEntry(r) }, func(r *Reader) { TakeKVEvent(r) }, func(r *Reader) { TakeKVResult(r) },
			func(r *Reader) { TakeDelivery(r, new(QueueDelivery)) }, func(r *Reader) { TakeQueueInfo(r, new(QueueInfo)) },
			func(r *Reader) { TakeTopicInfo(r, new(TopicInfo)) }, func(r *Reader) { TakeStreamSection(r, new(StreamSection)) },
			func(r *Reader) { TakeStreamOffset(r) }, func(r *Reader) { TakeGroupSummary(r, new(GroupSummary)) },
		} {
			for r := NewReader(b); r.Err() == nil && r.Len() > 0; {
				before := r.Len()
				if take(&r); r.Err() == nil && r.Len() >= before {
					t.Fatal("an element of no bytes")
				}
			}
		}
	})
}
