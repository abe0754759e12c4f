package flin

import (
	"iter"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// Overflow says what a push to a queue of its greatest length does.
type Overflow = wire.QueueOverflow

// The kinds of Overflow.
const (
	RejectNew  = wire.QueueReject // the push is ErrFull
	DropOldest = wire.QueueDrop   // the oldest messages that are ready make room
)

// QueueSetting is a setting that Create and Configure give a queue; those that are not given stay, or get their defaults.
type QueueSetting interface{ setting(m *wire.QueueCreate) }

type settingFunc func(m *wire.QueueCreate)

func (f settingFunc) setting(m *wire.QueueCreate) { f(m) }

// LeaseTime is how long messages are leased for unless a lease says otherwise: 1 ms to 12 hours, by default 30 s.
func LeaseTime(d time.Duration) QueueSetting {
	return settingFunc(func(m *wire.QueueCreate) {
		m.Fields |= wire.QueueHasLease
		m.Settings.Lease = milliseconds(d)
	})
}

// MaxDeliveries is after how many deliveries a message that was not acknowledged is dead: by default 10; 0 is no bound.
func MaxDeliveries(n int) QueueSetting {
	return settingFunc(func(m *wire.QueueCreate) {
		m.Fields |= wire.QueueHasMaxDeliver
		m.Settings.MaxDeliver = uint64(max(n, 0))
	})
}

// DeadLetter names the queue that dead messages go to: by default the queue's own name and ".dead". With an empty name they
// are discarded. A chain of dead-letter queues that comes back to its beginning is ErrInvalid.
func DeadLetter(queue string) QueueSetting {
	return settingFunc(func(m *wire.QueueCreate) {
		m.Fields |= wire.QueueHasDeadLetter
		m.Settings.DeadLetter = []byte(queue)
	})
}

// MaxLength bounds how many messages a queue holds, in any state; 0 is no bound.
func MaxLength(n int64) QueueSetting {
	return settingFunc(func(m *wire.QueueCreate) {
		m.Fields |= wire.QueueHasMaxLen
		m.Settings.MaxLen = uint64(max(n, 0))
	})
}

// OnOverflow says what a push to a queue of its MaxLength does; by default RejectNew.
func OnOverflow(o Overflow) QueueSetting {
	return settingFunc(func(m *wire.QueueCreate) {
		m.Fields |= wire.QueueHasOverflow
		m.Settings.Overflow = o
	})
}

// DedupWindow is how long a DedupID is remembered, by default 5 minutes.
func DedupWindow(d time.Duration) QueueSetting {
	return settingFunc(func(m *wire.QueueCreate) {
		m.Fields |= wire.QueueHasWindow
		m.Settings.Window = milliseconds(d)
	})
}

// QueueSettings are all settings of a queue. As a QueueSetting they give every one of them.
type QueueSettings struct {
	LeaseTime     time.Duration
	MaxDeliveries int    // 0: no bound
	DeadLetter    string // empty: dead messages are discarded
	MaxLength     int64  // 0: no bound
	Overflow      Overflow
	MessageTTL    time.Duration // 0: for ever
	DedupWindow   time.Duration
}

func (s QueueSettings) setting(m *wire.QueueCreate) {
	for _, one := range [...]QueueSetting{
		LeaseTime(s.LeaseTime), MaxDeliveries(s.MaxDeliveries), DeadLetter(s.DeadLetter), MaxLength(s.MaxLength),
		OnOverflow(s.Overflow), MessageTTL(s.MessageTTL), DedupWindow(s.DedupWindow),
	} {
		one.setting(m)
	}
}

// Create makes a queue, or changes the settings of one that is there, and reports whether it was made.
func (q *Queue) Create(queue string, settings ...QueueSetting) (made bool, err error) {
	m := &wire.QueueCreate{Queue: []byte(queue)}
	for _, s := range settings {
		s.setting(m)
	}
	resp, err := q.ask(wire.OpQueueCreate, false, m)
	return resp.Num != 0, err
}

// Configure is Create for those who do not mind whether the queue was there.
func (q *Queue) Configure(queue string, settings ...QueueSetting) error {
	_, err := q.Create(queue, settings...)
	return err
}

// QueueInfo is what is known of a queue.
type QueueInfo struct {
	Name     string
	Settings QueueSettings
	Paused   bool
	Created  time.Time
	Ready    int64 // could be delivered now, or when their group is free
	Delayed  int64
	Leased   int64
	Dead     int64     // messages in its dead-letter queue, whichever queue they came from
	Oldest   time.Time // when the oldest message that is ready was pushed; zero: there is none
	Pushed   int64     // since the queue was made, as all that follow
	Popped   int64     // deliveries: taken and leased
	Acked    int64     // taken and acknowledged
	Died     int64     // moved to the dead-letter queue, or discarded in its place
	Dropped  int64     // expired, or made room
	PushRate float64   // messages a second, over the last ten, that the node which answered has seen
	PopRate  float64   // deliveries, likewise
}

func newQueueInfo(m *wire.QueueInfo) QueueInfo {
	const rateSeconds = 10
	s := &m.Settings
	return QueueInfo{
		Name: string(m.Name), Paused: m.Paused, Created: expires(m.Created), Ready: int64(m.Ready), Delayed: int64(m.Delayed),
		Leased: int64(m.Leased), Dead: int64(m.Dead), Oldest: expires(m.Oldest), Pushed: int64(m.Pushed), Popped: int64(m.Popped),
		Acked: int64(m.Acked), Died: int64(m.Died), Dropped: int64(m.Dropped),
		PushRate: float64(m.PushRate) / rateSeconds, PopRate: float64(m.PopRate) / rateSeconds,
		Settings: QueueSettings{
			LeaseTime: time.Duration(s.Lease) * time.Millisecond, MaxDeliveries: int(s.MaxDeliver), DeadLetter: string(s.DeadLetter),
			MaxLength: int64(s.MaxLen), Overflow: s.Overflow, MessageTTL: time.Duration(s.TTL) * time.Millisecond,
			DedupWindow: time.Duration(s.Window) * time.Millisecond,
		},
	}
}

// Info returns what is known of a queue, or ErrNotFound.
func (q *Queue) Info(queue string) (QueueInfo, error) {
	resp, err := q.ask(wire.OpQueueInfo, true, &wire.QueueName{Queue: []byte(queue)})
	if err != nil {
		return QueueInfo{}, err
	}
	var m wire.QueueInfo
	if err := m.Decode(resp.Body); err != nil {
		return QueueInfo{}, badAnswer(wire.OpQueueInfo, err)
	}
	return newQueueInfo(&m), nil
}

// List returns the queues whose names match a glob, as in Redis's SCAN, in the order of their names; an empty glob is all.
// Each page of a hundred is read at one moment, the next one at a later. The loop ends after an error.
func (q *Queue) List(match string) iter.Seq2[QueueInfo, error] {
	return func(yield func(QueueInfo, error) bool) {
		page := wire.QueueList{Match: []byte(match)}
		for {
			resp, err := q.ask(wire.OpQueueList, true, &page)
			if err != nil {
				yield(QueueInfo{}, err)
				return
			}
			r := wire.NewReader(resp.Body)
			var m wire.QueueInfo
			for r.Len() > 0 {
				wire.TakeQueueInfo(&r, &m)
				if r.Err() != nil {
					break
				}
				if !yield(newQueueInfo(&m), nil) {
					return
				}
			}
			if err := r.Err(); err != nil {
				yield(QueueInfo{}, badAnswer(wire.OpQueueList, err))
				return
			}
			if resp.Num == 0 || len(resp.Body) == 0 {
				return
			}
			page.After = m.Name
		}
	}
}
