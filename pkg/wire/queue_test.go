package wire

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

func TestANameIsLettersDigitsAndFourSigns(t *testing.T) {
	for _, good := range []string{"a", "jobs", "Jobs.2026_eu-west:1", "...", strings.Repeat("n", MaxName), "0"} {
		if err := CheckName("queue", []byte(good)); err != nil {
			t.Errorf("%q: %v", good, err)
		}
	}
	for bad, says := range map[string]string{
		"": "empty", ".": `"."`, "..": `".."`, "a b": `"a b"`, "a/b": "letters", "ä": "letters", "a\x00": "letters", "a*": "letters",
		strings.Repeat("n", MaxName+1): "250 bytes is over the limit of 249",
	} {
		if err := CheckName("queue", []byte(bad)); CodeOf(err) != Invalid || !strings.Contains(err.Error(), says) || !strings.Contains(err.Error(), "queue") {
			t.Errorf("%q: %v", bad, err)
		}
	}
	if err := CheckName("topic", []byte("a:b")); CodeOf(err) != Invalid {
		t.Errorf("a topic with a colon: %v", err)
	}
}

func TestAMessageIDSortsAsMessagesAreDelivered(t *testing.T) {
	inOrder := []MessageID{
		NewMessageID(255, 1), NewMessageID(255, 1<<56-1), NewMessageID(9, 3), NewMessageID(9, 4), NewMessageID(0, 1), NewMessageID(0, 2),
	}
	if !slices.IsSorted(inOrder) {
		t.Errorf("%v", inOrder)
	}
	for text, id := range map[string]MessageID{
		"17": NewMessageID(0, 17), "17-5": NewMessageID(5, 17), "1-255": NewMessageID(255, 1),
		"72057594037927935": NewMessageID(0, 1<<56-1),
	} {
		if got, err := ParseMessageID(text); err != nil || got != id || id.String() != text || id.Priority() != got.Priority() {
			t.Errorf("%s: %v %v %s", text, got, err, id)
		}
	}
	for _, bad := range []string{"", "0", "-5", "17-", "17-0", "17-256", "x", "17-5-5", "+17", "72057594037927936", "18446744073709551616"} {
		if id, err := ParseMessageID(bad); CodeOf(err) != Invalid || id != 0 {
			t.Errorf("%q is taken for %v, %v", bad, id, err)
		}
	}
}

func TestAReceiptIsTextThatNeedsNoQuoting(t *testing.T) {
	text := receipt.String()
	if got, err := ParseReceipt(text); err != nil || got != receipt || len(text) != 27 {
		t.Errorf("%s: %+v %v", text, got, err)
	}
	if strings.ContainsAny(text, " /+=%&?\"'") {
		t.Errorf("%s", text)
	}
	for _, bad := range []string{"", "x", text[:26], text + "A", text[:26] + "=", strings.Repeat("*", 27)} {
		if _, err := ParseReceipt(bad); CodeOf(err) != Invalid {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestAPushThatIsDecodedAnewKeepsNothingOfTheOneBefore(t *testing.T) {
	full := QueuePush{Queue: q, Messages: []QueueMessage{
		{Flags: MessageAt | MessagePriority | MessageDedup | MessageGroup | MessageTTL | MessageHeaders, NotBefore: 1, Priority: 2, Dedup: k, Group: k, TTL: 3, Headers: headers, Body: v},
		{Body: v},
	}}
	var m QueuePush
	if err := m.Decode(full.Append(nil)); err != nil {
		t.Fatal(err)
	}
	plain := QueuePush{Queue: q, Messages: []QueueMessage{{Body: k}}}
	if err := m.Decode(plain.Append(nil)); err != nil {
		t.Fatal(err)
	}
	one := m.Messages[0]
	if len(m.Messages) != 1 || one.Flags != 0 || one.NotBefore != 0 || one.Priority != 0 || one.Dedup != nil || one.Group != nil ||
		one.TTL != 0 || len(one.Headers) != 0 || !bytes.Equal(one.Body, k) {
		t.Errorf("%+v", m.Messages)
	}
	if n := testing.AllocsPerRun(100, func() {
		if m.Decode(full.Append(make([]byte, 0, 512))) != nil || m.Decode(plain.Append(make([]byte, 0, 512))) != nil {
			t.Error("decoding")
		}
	}); n > 2 { // the two payloads; perhaps not even those
		t.Errorf("%v allocations to decode two pushes into one", n)
	}
}

func TestHeadersAreBoundedBeforeTheyCostMemory(t *testing.T) {
	most := QueuePush{Queue: q, Messages: []QueueMessage{{Flags: MessageHeaders, Headers: make([]Header, MaxHeaders)}}}
	if err := new(QueuePush).Decode(most.Append(nil)); err != nil {
		t.Error(err)
	}
	most.Messages[0].Headers = make([]Header, MaxHeaders+deadHeaders+1)
	if err := new(QueuePush).Decode(most.Append(nil)); CodeOf(err) != Invalid || !strings.Contains(err.Error(), "64") {
		t.Error(err)
	}
}

func TestABatchOfAQueueOverTheLimitIsRefused(t *testing.T) {
	for _, m := range []message{
		&QueuePush{Queue: q, Messages: make([]QueueMessage, MaxBatch+1)},
		&QueueAck{Queue: q, Receipts: make([]Receipt, MaxBatch+1)},
		&QueueReturn{Queue: q, Deliveries: make([]QueueDelivery, MaxBatch+1)},
	} {
		if err := m.Decode(m.Append(nil)); CodeOf(err) != TooLarge || !strings.Contains(err.Error(), "10000") {
			t.Errorf("%T: %v", m, err)
		}
	}
	if err := new(QueueAck).Decode(append(AppendBytes(nil, q), 200, 1)); !errors.Is(err, ErrTruncated) {
		t.Errorf("a count beyond the payload: %v", err)
	}
}
