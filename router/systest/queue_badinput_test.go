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

// canary pushes a message that what follows must not harm, and returns the check that it did not, which takes it.
func canary(t *testing.T, client *flin.Client, queue string) (unharmed func()) {
	t.Helper()
	body := payload(queue, 1, smallValue)
	if err := client.Queue.Push(queue, body, flin.Headers(map[string]string{"a": "b"})); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		info, err := client.Queue.Info(queue)
		if err != nil || info.Ready != 1 || info.Leased+info.Delayed+info.Dead+info.Died+info.Dropped != 0 || info.Pushed != 1 {
			t.Errorf("of the one message of %s the queue says %+v, %v", queue, info, err)
		}
		m, err := client.Queue.Lease(queue)
		if err != nil || !bytes.Equal(m.Body, body) || m.Headers["a"] != "b" || m.Attempt != 1 {
			t.Fatalf("the message of %s: %+v, %v", queue, m, err)
		}
		if err := m.Ack(); err != nil {
			t.Error(err)
		}
	}
}

// denial is a call with the error that it must get.
type denial struct {
	name string
	call func() error
	is   error
	says []string
}

// refuse makes the calls and compares.
func refuse(t *testing.T, all []denial) {
	t.Helper()
	for _, c := range all {
		t.Run(c.name, func(t *testing.T) {
			err := c.call()
			if !errors.Is(err, c.is) {
				t.Fatalf("it is answered %v, not %v", err, c.is)
			}
			says(t, err.Error(), c.says...)
		})
	}
}

// Settings that make no sense, a chain of dead-letter queues that bites its tail among them, are refused, and leave what
// was set.
func TestSettingsThatMakeNoSenseAreRefused(t *testing.T) {
	s := start(t)
	client := newClient(t, s.addrs())
	q := client.Queue
	chain := []string{"a", "b", "c", "d"}
	for i, name := range chain[:3] {
		if err := q.Configure(name, flin.DeadLetter(chain[i+1])); err != nil {
			t.Fatal(err)
		}
	}
	p, err := dialPipe(s.port)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	set := func(queue string, o flin.QueueSetting) func() error {
		return func() error { return q.Configure(queue, o) }
	}
	refuse(t, []denial{
		{"its own dead letters", set("a", flin.DeadLetter("a")), flin.ErrInvalid, []string{"a", "dead"}},
		{"a new queue's own dead letters", set("new", flin.DeadLetter("new")), flin.ErrInvalid, []string{"new", "dead"}},
		{"a circle of three", set("c", flin.DeadLetter("a")), flin.ErrInvalid, []string{"a", "dead"}},
		{"a circle of two", set("b", flin.DeadLetter("a")), flin.ErrInvalid, []string{"a", "dead"}},
		{"a circle through a new queue", set("d", flin.DeadLetter("a")), flin.ErrInvalid, []string{"a", "dead"}},
		{"a lease of nothing", set("a", flin.LeaseTime(0)), flin.ErrInvalid, []string{"lease"}},
		{"a lease too long", set("a", flin.LeaseTime(12*time.Hour+time.Millisecond)), flin.ErrInvalid, []string{"43200001", "43200000"}},
		{"a time to live too long", set("a", flin.MessageTTL((wire.MaxDelay+1)*time.Millisecond)), flin.ErrInvalid, []string{"315360000001", "315360000000"}},
		{"an unknown overflow", set("a", flin.OnOverflow(7)), flin.ErrInvalid, []string{"7", "overflow"}},
	})
	for _, args := range [][]string{
		{"Q.CREATE", "c", "DLQ", "a"},
		{"Q.CREATE", "a", "LEASE", "0"},
		{"Q.CREATE", "a", "LEASE", "-1"},
		{"Q.CREATE", "a", "LEASE", "43200001"},
		{"Q.CREATE", "a", "OVERFLOW", "burst"},
		{"Q.CREATE", "a", "MAXLEN", "many"},
		{"Q.CREATE", "a", "LEASE"},
		{"Q.CREATE", "a", "SPEED", "9"},
	} {
		v, err := p.do(args...)
		if e, ok := errors.AsType[replyError](err); !ok || !strings.HasPrefix(string(e), "ERR ") {
			t.Errorf("%v is answered %v, %v", args, v, err)
		}
	}
	for i, name := range chain[:3] {
		info, err := q.Info(name)
		if err != nil || info.Settings.DeadLetter != chain[i+1] || info.Settings.LeaseTime != 30*time.Second {
			t.Errorf("the settings of %s are %+v, %v", name, info.Settings, err)
		}
	}
	// The dead go down the chain, one step for each rejection, and stay at its end.
	if err := q.Push("a", []byte("falling")); err != nil {
		t.Fatal(err)
	}
	for _, name := range chain[:3] {
		m, err := q.Lease(name)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := m.Reject(flin.Reason("down")); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
	}
	m, err := q.Lease("d")
	if err != nil || string(m.Body) != "falling" || m.Headers["x-origin-queue"] != "c" || m.Headers["x-last-error"] != "down" {
		t.Errorf("at the end of the chain: %+v, %v", m, err)
	}
	stillServes(t, s)
}

// Bounds of pops and looks are said with the limit, and what is not there is not found.
func TestBadRequestsForMessagesAreRefused(t *testing.T) {
	s := start(t)
	client := newClient(t, s.addrs())
	q := client.Queue
	unharmed := canary(t, client, "q")
	held := func(call func(m *flin.Message) error) func() error {
		return func() error {
			m, err := q.Leased("q", wire.Receipt{ID: 1, Attempt: 1, Nonce: 1}.String())
			if err != nil {
				return err
			}
			return call(m)
		}
	}
	refuse(t, []denial{
		{"a wait too long", func() error { _, err := q.Pop("nothing", flin.Wait(time.Hour+time.Millisecond)); return err }, flin.ErrInvalid, []string{"3600001", "3600000"}},
		{"a lease too long", func() error { _, err := q.Lease("q", flin.For(12*time.Hour+time.Millisecond)); return err }, flin.ErrInvalid, []string{"43200001", "43200000"}},
		{"no messages", func() error { _, err := q.PopBatch("q", 0); return err }, flin.ErrInvalid, nil},
		{"too many messages", func() error { _, err := q.LeaseBatch("q", wire.MaxBatch+1); return err }, flin.ErrTooLarge, []string{"10001", "10000"}},
		{"too many to look at", func() error { _, err := q.PeekN("q", wire.MaxPeek+1); return err }, flin.ErrInvalid, []string{"1001", "1000"}},
		{"an extension too long", held(func(m *flin.Message) error { return m.Extend(12*time.Hour + time.Millisecond) }), flin.ErrInvalid, []string{"43200001"}},
		{"a delay of what is given back", held(func(m *flin.Message) error { return m.Nack(flin.Delay((wire.MaxDelay + 1) * time.Millisecond)) }), flin.ErrInvalid, []string{"315360000001"}},
		{"a message that is not there", func() error { _, err := q.GetMessage("q", "99"); return err }, flin.ErrNotFound, nil},
		{"a message of another priority", func() error { return q.RemoveMessage("q", "1-5") }, flin.ErrNotFound, nil},
		{"an id that is none", func() error { _, err := q.GetMessage("q", "one"); return err }, flin.ErrInvalid, []string{"one"}},
		{"no such queue", func() error { _, err := q.Info("nowhere"); return err }, flin.ErrNotFound, []string{"nowhere"}},
		{"no such queue to delete", func() error { _, err := q.DeleteQueue("nowhere"); return err }, flin.ErrNotFound, []string{"nowhere"}},
		{"no such queue to redrive", func() error { _, err := q.Redrive("nowhere"); return err }, flin.ErrNotFound, []string{"nowhere"}},
		{"no such queue to pop", func() error { _, err := q.Pop("nowhere"); return err }, flin.ErrEmpty, nil},
	})
	unharmed()
	stillServes(t, s)
}

// Every operation number of the queues with every kind of garbage for a payload is answered, and what of it got into
// the log is applied again at the next start.
func TestGarbagePayloadsOfEveryQueueOperation(t *testing.T) {
	s := start(t)
	rng := rand.New(rand.NewPCG(seeded(t), 14))
	n := dialFrames(t, s.port)
	defer n.close()
	const rounds = 150
	for op := wire.Op(0x0210); op < 0x0300; op++ {
		if op == 0x0240 {
			op = 0x02E8
		}
		var sent bytes.Buffer
		for range rounds {
			body := make([]byte, rng.IntN(40))
			for i := range body {
				body[i] = byte(rng.Uint32())
				if rng.IntN(2) == 0 {
					body[i] = byte(rng.IntN(4)) // small numbers go deeper into a decoder
				}
			}
			switch {
			case rng.IntN(8) == 0:
				body = []byte("qq")
			case rng.IntN(4) > 0:
				body = append(wire.AppendBytes(nil, []byte("qq")), body...) // a queue that there may be
			}
			n.tag++
			req := wire.Request{Op: op, Tag: n.tag, Body: body, Deadline: int64(200 * time.Millisecond)} // nobody waits for an hour
			sent.Write(wire.AppendRequest(nil, &req, 0))
		}
		go func() { _, _ = n.conn.Write(sent.Bytes()) }() // a failure shows in what is read
		for range rounds {
			if _, _, err := n.read(); err != nil {
				t.Fatalf("%v: %v\n%s", op, err, s.log.tail(4<<10))
			}
		}
	}
	stillServes(t, s)
	s.kill()
	s.launch()
	stillServes(t, s)
}
