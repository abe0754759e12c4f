package bus

import (
	"bytes"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

var rewrite = flag.Bool("rewrite", false, "write testdata/golden.txt anew; then read the diff: a message that changed is a broken protocol")

// golden are messages with all that may be in them, by what they are.
func golden() (names []string, messages map[string][]byte) {
	const link = 0x0102030405060708
	const clock = 1_000_000_000
	messages = make(map[string][]byte)
	add := func(name string, b []byte) {
		names = append(names, name)
		messages[name] = bytes.Clone(b)
	}
	// data makes messages of what fill puts into a sender, at a moment that is the same each time.
	data := func(name string, fill func(s *sender)) {
		s := newSender(link, 2<<10, 1<<20, new(flow))
		s.room(0).head.clock = clock
		fill(s)
		for i := 1; ; i++ {
			if len(s.open) == 0 && len(s.long) > 0 {
				s.room(0)
			}
			for _, m := range s.open {
				m.head.clock = clock
			}
			buf, number := s.next()
			if buf == nil {
				return
			}
			if name := fmt.Sprintf("%s/%d", name, i); number == 0 {
				add(name, append(bytes.Clone(buf[:dataHead-8]), 0, 0, 0, 0, 0x3b, 0x9a, 0xca, 0)) // its clock is what it is
			} else {
				add(name, buf)
			}
		}
	}
	add("open", appendOpen(link, 4<<20))
	add("welcome", (&welcome{
		node: "n1", subject: "_flin.kv.0.node.n1.0a", window: 4 << 20, requests: 4096, bytes: 64 << 20, leads: true, leader: "n1",
	}).append(nil, link))
	add("welcome/refused", (&welcome{refused: "no room"}).append(nil, link))
	add("ping", appendLink(nil, kindPing, link))
	add("pong", append(appendLink(nil, kindPong, link), 1))
	add("reset", wire.AppendString(appendLink(nil, kindReset, link), "why"))
	add("close", appendLink(nil, kindClose, link))
	add("presence", (&presence{asks: true, serving: true, age: 60_000, cluster: "c1", node: "n1"}).append(nil))
	data("requests", func(s *sender) {
		s.request(3<<1, &wire.Request{Op: wire.OpKVGet, Tag: 1, Flags: wire.FlagStale, Body: []byte{0, 'k'}})
		s.request(4<<1|1, &wire.Request{Op: wire.OpKVSet, Tag: 2, Flags: wire.FlagOrdered, Deadline: clock + 250e6, Session: 5, Seq: 6, Acked: 4, Body: []byte("body")})
		s.request(0, &wire.Request{Op: wire.OpCredit, Body: (&wire.Credit{Tag: 1, N: 64}).Append(nil)})
		s.took(300, 0)
	})
	data("answers", func(s *sender) {
		s.answer(1, &wire.Response{More: true, Rev: 7, Body: []byte("value")})
		s.answer(1, &wire.Response{Code: wire.NotFound, Num: -1, Sub: 9})
		s.moved("n2")
	})
	data("pieces", func(s *sender) {
		s.answer(1, &wire.Response{Body: bytes.Repeat([]byte("0123456789"), 250)})
		s.answer(2, &wire.Response{})
	})
	data("a piece that breaks off", func(s *sender) {
		long := &transfer{lane: 3, size: 3000, begin: func(int64) []byte { return make([]byte, 3000) }}
		s.add(long)
		s.next()
		s.room(0)
		s.drop(long)
	})
	data("an acknowledgement", func(s *sender) { s.took(ackEvery, 0) })
	data("an acknowledgement beside a full window", func(s *sender) {
		s.answer(1, &wire.Response{})
		s.window = 0
		s.took(ackEvery, 0)
	})
	return names, messages
}

func TestMessagesAreAsTheyWereWrittenDown(t *testing.T) {
	const file = "testdata/golden.txt"
	names, messages := golden()
	if *rewrite {
		var b strings.Builder
		for _, name := range names {
			fmt.Fprintf(&b, "%s: %x\n", name, messages[name])
		}
		if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != len(names) {
		t.Errorf("%d messages are written down, there are %d", len(lines), len(names))
	}
	for _, line := range lines {
		name, digits, _ := strings.Cut(line, ": ")
		want, err := hex.DecodeString(digits)
		if err != nil {
			t.Fatal(err)
		}
		if got := messages[name]; !bytes.Equal(got, want) {
			t.Errorf("%s is\n%x\nnot\n%x", name, got, want)
		}
	}
}

func TestMessagesThatWereWrittenDownCanBeRead(t *testing.T) {
	_, messages := golden()
	var w welcome
	k, link, r := takeLink(messages["welcome"])
	if err := w.take(&r); err != nil || k != kindWelcome || link != 0x0102030405060708 {
		t.Fatalf("a welcome is read as %v of %x: %v", k, link, err)
	}
	if want := (welcome{
		node: "n1", subject: "_flin.kv.0.node.n1.0a", window: 4 << 20, requests: 4096, bytes: 64 << 20, leads: true, leader: "n1",
	}); w != want {
		t.Errorf("a welcome is read as %+v", w)
	}
	_, _, r = takeLink(messages["welcome/refused"])
	if err := w.take(&r); err != nil || w.refused != "no room" {
		t.Errorf("a refusal is read as %+v: %v", w, err)
	}
	_, _, r = takeLink(append(appendLink(nil, kindWelcome, 1), version+1, 0))
	if err := w.take(&r); wire.CodeOf(err) != wire.Unsupported {
		t.Errorf("a welcome of a later version is read with %v", err)
	}
	y, rc := &tray{}, &receiver{limit: 1 << 20, flow: new(flow)}
	_, _, r = takeLink(messages["requests/1"])
	if err := rc.receive(&r, len(messages["requests/1"]), newSender(7, 4<<10, 1<<20, new(flow)), y); err != nil {
		t.Fatal(err)
	}
	var req wire.Request
	if err := wire.DecodeRequest(y.frames[1], &req, 0); err != nil || len(y.frames) != 3 || y.lanes[1] != 4<<1|1 {
		t.Fatalf("%d frames are read, the second in lane %d: %v", len(y.frames), y.lanes[1], err)
	}
	if req.Tag != 2 || req.Deadline != 250e6 || req.Session != 5 || req.Seq != 6 || req.Acked != 4 || string(req.Body) != "body" {
		t.Errorf("a request is read as %+v", req)
	}
}
