package systest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/clients/go"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// A receipt that is not, or no longer, that of a lease changes nothing and says so.
func TestStaleReceiptsAreRefused(t *testing.T) {
	s := start(t)
	client := newClient(t, s.addrs())
	q := client.Queue
	p, err := dialPipe(s.port)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	if err := q.Push("q", []byte("the message")); err != nil {
		t.Fatal(err)
	}
	expired, err := q.Lease("q", flin.For(30*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	held, err := q.Lease("q", flin.Wait(10*time.Second)) // comes when the first lease is over
	if err != nil || held.ID != expired.ID || held.Attempt != 2 {
		t.Fatalf("the second lease: %+v, %v", held, err)
	}
	guessed := wire.Receipt{ID: wire.NewMessageID(0, 1), Attempt: 2, Nonce: 12345}.String()
	later := wire.Receipt{ID: wire.NewMessageID(3, 999), Attempt: 1, Nonce: 12345}.String()
	for name, receipt := range map[string]string{"expired": expired.Receipt, "guessed": guessed, "of no message": later} {
		m, err := q.Leased("q", receipt)
		if err != nil {
			t.Fatal(err)
		}
		refuse(t, []denial{
			{name + " ack", m.Ack, flin.ErrFenced, []string{"stale"}},
			{name + " nack", func() error { return m.Nack() }, flin.ErrFenced, []string{"stale"}},
			{name + " reject", func() error { return m.Reject() }, flin.ErrFenced, []string{"stale"}},
			{name + " extend", func() error { return m.Extend(time.Minute) }, flin.ErrFenced, []string{"stale"}},
			{name + " ack of a batch", func() error { _, err := q.AckBatch([]*flin.Message{m, m}); return err }, flin.ErrFenced, []string{"2 of 2"}},
		})
		for _, args := range [][]string{
			{"Q.ACK", "q", receipt}, {"Q.ACK", "q", receipt, receipt}, {"Q.NACK", "q", receipt}, {"Q.REJECT", "q", receipt}, {"Q.EXTEND", "q", receipt, "1000"},
		} {
			v, err := p.do(args...)
			if err == nil {
				t.Fatalf("%v is answered %v", args, v)
			}
			says(t, err.Error(), "ERR", "stale")
		}
	}
	for _, text := range []string{"", "x", "nonsense", expired.Receipt + "A", strings.Repeat("A", 1000)} {
		if _, err := q.Leased("q", text); !errors.Is(err, flin.ErrInvalid) {
			t.Errorf("%.30q is taken for a receipt: %v", text, err)
		}
		if v, err := p.do("Q.ACK", "q", text); err == nil {
			t.Errorf("Q.ACK of %.30q is answered %v", text, v)
		}
	}
	if m, err := q.Leased("nowhere", held.Receipt); err != nil || !errors.Is(m.Ack(), flin.ErrFenced) {
		t.Errorf("an ack in a queue that is not there: %v", err)
	}
	// One good receipt among stale ones counts.
	stale, err := q.Leased("q", guessed)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := q.AckBatch([]*flin.Message{stale, held}); n != 1 || !errors.Is(err, flin.ErrFenced) {
		t.Errorf("a batch with one good receipt: %d, %v", n, err)
	}
	if err := held.Ack(); !errors.Is(err, flin.ErrFenced) {
		t.Errorf("a second ack: %v", err)
	}
	info, err := q.Info("q")
	if err != nil || info.Ready+info.Leased+info.Delayed+info.Dead != 0 || info.Acked != 1 {
		t.Errorf("in the end the queue says %+v, %v", info, err)
	}
	stillServes(t, s)
}
