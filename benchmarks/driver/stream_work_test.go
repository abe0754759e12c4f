package driver

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/benchmarks/load"
)

// memoryStream is a stream in memory, of which each member of a group has its share, that can be told to do wrong.
type memoryStream struct {
	mu     sync.Mutex
	places [4][][]byte
	twice  bool // a record is handed out once more
	mangle bool // bodies are changed
	lose   bool // one record is acknowledged and not kept
}

func (s *memoryStream) Publish(body []byte) error { return s.Fill(int(body[0]), [][]byte{body}) }

func (s *memoryStream) Fill(place int, bodies [][]byte) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, body := range bodies {
		if s.lose {
			s.lose = false
			continue
		}
		to := &s.places[place%len(s.places)]
		*to = append(*to, bytes.Clone(body))
	}
	return nil
}

func (s *memoryStream) Stored() (n uint64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range s.places {
		n += uint64(len(p))
	}
	return n, nil
}

func (s *memoryStream) Close() error { return nil }

func (s *memoryStream) Consumer(i, n int) (Consumer, error) {
	if n != len(s.places) {
		return nil, errors.New("not one member a place")
	}
	return &memoryConsumer{memoryStream: s, place: i}, nil
}

type memoryConsumer struct {
	*memoryStream
	place, at int
}

func (c *memoryConsumer) Next(n int, wait time.Duration, see func([]byte) error) (int, error) {
	for end := time.Now().Add(wait); ; time.Sleep(time.Millisecond) {
		c.mu.Lock()
		list := c.places[c.place][c.at:]
		list = list[:min(n, len(list))]
		c.mu.Unlock()
		if len(list) == 0 && time.Now().Before(end) {
			continue
		}
		for _, body := range list {
			if c.mangle {
				body[len(body)-1]++
			}
			if err := see(body); err != nil {
				return 0, err
			}
		}
		if c.at += len(list); c.twice && len(list) > 0 {
			c.at--
		}
		return len(list), nil
	}
}

func (s *memoryStream) Sender(window int) (Sender, error) {
	return &memorySender{s: s, window: window}, nil
}

// memorySender stores what it sends when its window is full.
type memorySender struct {
	s      *memoryStream
	window int
	held   [][]byte
}

func (m *memorySender) Send(body []byte) (int, error) {
	m.held = append(m.held, bytes.Clone(body))
	if len(m.held) < m.window {
		return 0, nil
	}
	return m.Flush()
}

func (m *memorySender) Flush() (n int, err error) {
	n, err = len(m.held), m.s.Fill(0, m.held)
	m.held = nil
	return n, err
}

// times lets each worker call op n times.
func times(n int, op func(*load.Worker) load.Op) func(*load.Worker) load.Op {
	return func(w *load.Worker) load.Op {
		op, left := op(w), n
		return func() (int, error) {
			if left--; left < 0 {
				return 0, load.ErrDone
			}
			return op()
		}
	}
}

func TestWhatIsPublishedComesOnceToAGroup(t *testing.T) {
	s := &memoryStream{}
	w := NewStreamWork(s, load.NewValues(1, 100))
	for _, op := range []func(*load.Worker) load.Op{w.Fill(10, 500), times(100, w.Publish())} {
		if _, err := queueRun(t, 5, op); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.CheckStored(); err != nil || w.Published() != 1000 {
		t.Fatalf("%d published: %v", w.Published(), err)
	}
	if err := w.Join(4); err != nil {
		t.Fatal(err)
	}
	res, err := queueRun(t, 4, w.Consume(16))
	if err != nil || res.Keys != 1000 || w.Left() != 0 {
		t.Errorf("%d of 1000 came, %d are left: %v", res.Keys, w.Left(), err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

func TestOnlyWhatIsAcknowledgedCountsAsSent(t *testing.T) {
	w := NewStreamWork(&memoryStream{}, load.NewValues(1, 64))
	op, err := w.Send(3, 8)
	if err != nil {
		t.Fatal(err)
	}
	res, err := queueRun(t, 3, times(20, op))
	if err != nil || res.Ops != 60 || res.Keys != 48 {
		t.Fatalf("%d sent, %d acknowledged: %v", res.Ops, res.Keys, err)
	}
	if w.CheckStored() == nil {
		t.Error("what has not been acknowledged is said to be stored")
	}
	if err := errors.Join(w.Flush(), w.CheckStored()); err != nil {
		t.Error(err)
	}
}

func TestADeliveryIsTimedFromItsPublish(t *testing.T) {
	w := NewStreamWork(&memoryStream{}, load.NewValues(1, MinTimedBody))
	if err := w.Join(4); err != nil {
		t.Fatal(err)
	}
	res, err := w.Deliver(t.Context(), Delivery{Publishers: 4, Rate: 5000, Duration: 100 * time.Millisecond})
	if err != nil || res.Keys != w.Published() || res.Wait.Total() != res.Keys || res.Keys == 0 {
		t.Errorf("%d of %d came, %d were timed: %v", res.Keys, w.Published(), res.Wait.Total(), err)
	}
	small := NewStreamWork(&memoryStream{}, load.NewValues(1, MinTimedBody-1))
	if _, err := small.Deliver(t.Context(), Delivery{Publishers: 1}); err == nil {
		t.Error("a time was written into a body that is too small for it")
	}
}

func TestAStreamThatDoesWrongFailsTheRun(t *testing.T) {
	for says, s := range map[string]*memoryStream{
		"came twice":           {twice: true},
		"not as it was sent":   {mangle: true},
		"and the server has 3": {lose: true},
	} {
		t.Run(says, func(t *testing.T) {
			w := NewStreamWork(s, load.NewValues(1, 64))
			_, err := queueRun(t, 1, w.Fill(100, 400))
			if err == nil {
				err = w.CheckStored()
			}
			if err == nil {
				if err = w.Join(4); err == nil {
					_, err = queueRun(t, 4, w.Consume(100))
				}
			}
			if err == nil || !strings.Contains(err.Error(), says) {
				t.Errorf("the run ends with %v", err)
			}
		})
	}
}
