package systest

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/clients/go"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// What is wrong with a push is said with the limit, and nothing of it is pushed.
func TestBadPushesAreRefusedNatively(t *testing.T) {
	s := start(t, "-max-value=512KiB")
	client := newClient(t, s.addrs())
	q := client.Queue
	unharmed := canary(t, client, "q")
	push := func(size int, opts ...flin.PushOption) func() error {
		return func() error { return q.Push("q", make([]byte, size), opts...) }
	}
	headers := func(n, size int) flin.PushOption {
		all := map[string]string{}
		for i := range n {
			all[fmt.Sprint("h", i)] = strings.Repeat("v", size)
		}
		return flin.Headers(all)
	}
	const tooLong = (wire.MaxDelay + 60_000) * time.Millisecond
	refuse(t, []denial{
		{"an oversized message", push(512<<10 + 1), flin.ErrTooLarge, []string{"524289", "524288", "-max-value"}},
		{"one oversized message of a batch", func() error {
			_, err := q.PushBatch("q", [][]byte{[]byte("small"), make([]byte, 512<<10+1)})
			return err
		}, flin.ErrTooLarge, []string{"524289", "-max-value"}},
		{"a batch too long", func() error { _, err := q.PushBatch("q", make([][]byte, wire.MaxBatch+1)); return err }, flin.ErrTooLarge, []string{"10001", "10000"}},
		{"a delay over the limit", push(1, flin.Delay(tooLong)), flin.ErrInvalid, []string{"delay", "315360060000", "315360000000"}},
		{"a time too far ahead", push(1, flin.NotBefore(time.Now().Add(tooLong))), flin.ErrInvalid, []string{"315360000000"}},
		{"a time to live over the limit", push(1, flin.MessageTTL(tooLong)), flin.ErrInvalid, []string{"315360060000", "315360000000"}},
		{"a dedup id too long", push(1, flin.DedupID(strings.Repeat("d", 257))), flin.ErrInvalid, []string{"dedup", "257", "256"}},
		{"an empty dedup id", push(1, flin.DedupID("")), flin.ErrInvalid, []string{"dedup", "empty"}},
		{"a group key too long", push(1, flin.GroupKey(strings.Repeat("g", 257))), flin.ErrInvalid, []string{"group", "257", "256"}},
		{"too many headers", push(1, headers(65, 1)), flin.ErrInvalid, []string{"headers", "65", "64"}},
		{"headers too long", push(1, headers(64, 2000)), flin.ErrInvalid, []string{"headers", "65536"}},
	})
	unharmed()
	if err := push(512 << 10)(); err != nil {
		t.Errorf("the largest message: %v", err)
	}
	stillServes(t, s)
}

// Names that are none are refused by every operation that could make a queue or look for one.
func TestNamesThatAreNoneAreRefused(t *testing.T) {
	s := start(t)
	client := newClient(t, s.addrs())
	q := client.Queue
	p, err := dialPipe(s.port)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	for _, name := range []string{"", ".", "..", "a b", "a/b", "naïve", "a\x00b", "a\nb", "*", strings.Repeat("n", wire.MaxName+1)} {
		for op, call := range map[string]func() error{
			"push":   func() error { return q.Push(name, []byte("x")) },
			"pop":    func() error { _, err := q.Pop(name); return err },
			"lease":  func() error { _, err := q.Lease(name); return err },
			"create": func() error { return q.Configure(name) },
			"dead":   func() error { return q.Configure("good", flin.DeadLetter(name)) },
			"info":   func() error { _, err := q.Info(name); return err },
			"len":    func() error { _, err := q.Len(name); return err },
			"peek":   func() error { _, err := q.Peek(name); return err },
			"pause":  func() error { return q.Pause(name) },
			"purge":  func() error { return q.Clear(name) },
		} {
			if err := call(); !errors.Is(err, flin.ErrInvalid) && (op != "dead" || name != "") {
				t.Errorf("%s of the queue %.20q: %v", op, name, err)
			}
		}
		for _, args := range [][]string{
			{"Q.PUSH", name, "x"},
			{"Q.MPUSH", name, "x"},
			{"Q.POP", name},
			{"Q.LEASE", name},
			{"Q.CREATE", name},
			{"Q.INFO", name},
			{"Q.LEN", name},
			{"Q.PEEK", name},
			{"Q.PAUSE", name},
			{"Q.PURGE", name},
			{"Q.DEL", name},
			{"Q.REDRIVE", name},
		} {
			v, err := p.do(args...)
			if e, ok := errors.AsType[replyError](err); !ok || !strings.HasPrefix(string(e), "ERR ") {
				t.Errorf("%s %.20q is answered %v, %v", args[0], name, v, err)
			}
		}
	}
	longest := strings.Repeat("n", wire.MaxName)
	for _, name := range []string{longest, "A-Z_a.z:09", "...", "x"} {
		if err := q.Push(name, []byte(name)); err != nil {
			t.Errorf("push to %.20q: %v", name, err)
		}
		if body, err := q.Pop(name); err != nil || string(body) != name {
			t.Errorf("pop of %.20q: %q, %v", name, body, err)
		}
	}
	if _, err := q.Info(longest); err != nil {
		t.Error(err)
	}
	if info, err := q.Info("good"); err == nil && info.Settings.DeadLetter != "" {
		t.Errorf("a refused setting holds: %+v", info)
	}
	stillServes(t, s)
}

// A queue that is full takes nothing, or makes room, as it is set; a batch that does not fit as a whole is refused as a
// whole.
func TestAFullQueueRefusesOrMakesRoom(t *testing.T) {
	s := start(t)
	client := newClient(t, s.addrs())
	q := client.Queue
	if err := q.Configure("full", flin.MaxLength(3)); err != nil {
		t.Fatal(err)
	}
	if _, err := q.PushBatch("full", [][]byte{[]byte("1"), []byte("2")}); err != nil {
		t.Fatal(err)
	}
	refuse(t, []denial{{"a batch that does not fit", func() error {
		_, err := q.PushBatch("full", [][]byte{[]byte("x"), []byte("y")})
		return err
	}, flin.ErrFull, []string{"full", "3"}}})
	if err := q.Push("full", []byte("3")); err != nil {
		t.Fatal(err)
	}
	m, err := q.Lease("full") // what is leased counts
	if err != nil {
		t.Fatal(err)
	}
	p, err := dialPipe(s.port)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	refuse(t, []denial{
		{"one more", func() error { return q.Push("full", []byte("x")) }, flin.ErrFull, []string{"full", "3"}},
		{"one more, delayed", func() error { return q.Push("full", []byte("x"), flin.Delay(time.Hour)) }, flin.ErrFull, []string{"full", "3"}},
	})
	if v, err := p.do("Q.PUSH", "full", "x"); err == nil || !strings.HasPrefix(err.Error(), "OOM ") {
		t.Errorf("Q.PUSH to a full queue is answered %v, %v", v, err)
	}
	if err := m.Ack(); err != nil {
		t.Fatal(err)
	}
	if err := q.Push("full", []byte("4")); err != nil {
		t.Errorf("there is room again: %v", err)
	}
	expectBodies(t, q, "full", "2", "3", "4")

	if err := q.Configure("drop", flin.MaxLength(3), flin.OnOverflow(flin.DropOldest)); err != nil {
		t.Fatal(err)
	}
	for _, body := range []string{"1", "2", "3", "4", "5"} {
		if err := q.Push("drop", []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	refuse(t, []denial{{"a batch that never fits", func() error {
		_, err := q.PushBatch("drop", make([][]byte, 4))
		return err
	}, flin.ErrFull, []string{"drop", "3"}}})
	expectBodies(t, q, "drop", "3", "4", "5")
	if info, err := q.Info("drop"); err != nil || info.Dropped != 2 {
		t.Errorf("two messages made room, and the queue says %+v, %v", info, err)
	}
	stillServes(t, s)
}

// expectBodies takes everything out of a queue and compares.
func expectBodies(t *testing.T, q *flin.Queue, queue string, want ...string) {
	t.Helper()
	bodies, err := q.PopBatch(queue, 100)
	if err != nil {
		t.Fatalf("pop of %s: %v", queue, err)
	}
	if got := string(bytes.Join(bodies, []byte(" "))); got != strings.Join(want, " ") {
		t.Errorf("%s had %s, not %v", queue, got, want)
	}
}
