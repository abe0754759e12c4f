package flin

import (
	"sync"
	"time"
)

const (
	aheadPart = 8           // of its lease a message that is leased ahead may be expected to wait,
	aheadTime = time.Second // and no longer than this: another worker might begin it sooner
	latePart  = 3           // of its lease after which a message is not begun any more
	meanOf    = 8           // how many handlers the mean is about
)

// leased is a message and when its lease has begun, by this machine's clock.
type leased struct {
	m  *Message
	at time.Time
}

// buffer holds the messages that are leased and not begun, in the order of their leases, and counts the workers.
type buffer struct {
	workers int           // at most
	ahead   int           // messages that may wait beside those for which a worker is free
	reach   time.Duration // what is leased ahead should be begun within it
	limit   time.Duration // what has waited so long is given back
	wake    chan struct{} // gets an element when there is something to do for the one who sleeps

	mu      sync.Mutex // guards what follows
	waiting []leased   // none while a worker is free
	missed  []*Message // to be given back
	running int        // workers
	mean    time.Duration
	known   bool // mean is: a handler has returned
	drained bool // there was nothing to lease ahead; that changes for those who wait for it only
	asleep  bool
}

func newBuffer(workers, ahead int, lease time.Duration) *buffer {
	return &buffer{
		workers: workers, ahead: ahead, wake: make(chan struct{}, 1),
		reach: min(lease/aheadPart, aheadTime), limit: lease / latePart,
	}
}

// add puts messages in whose leases have begun at the time at, and returns how many workers are to be started for them.
func (b *buffer) add(messages []*Message, at time.Time) (start int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, m := range messages {
		b.waiting = append(b.waiting, leased{m, at})
	}
	b.drained = false
	start = min(len(b.waiting), b.workers-b.running)
	b.running += start
	return start
}

// empty notes that there was nothing to lease.
func (b *buffer) empty() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.drained = true
}

// refuse takes in messages that are not to be begun.
func (b *buffer) refuse(messages []*Message) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.missed = append(b.missed, messages...)
}

// next takes the message out that a worker is to begin now; false: there is none, or over says that none is to be begun,
// and the worker counts no more.
func (b *buffer) next(now time.Time, over bool) (l leased, ok bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.miss(now)
	if ok = len(b.waiting) > 0 && !over; ok {
		l = b.waiting[0]
		b.waiting[0] = leased{}
		b.waiting = b.waiting[1:]
	} else {
		b.running--
	}
	if b.asleep {
		if n, _ := b.want(); n > 0 || len(b.missed) > 0 {
			b.asleep = false
			b.wake <- struct{}{}
		}
	}
	return l, ok
}

// took notes how long a handler took.
func (b *buffer) took(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.known {
		b.known, b.mean = true, d
		return
	}
	b.mean += (d - b.mean) / meanOf
}

// room returns how many messages to lease and how long the server may wait for the first. After n = 0 the caller sleeps
// until wake has an element.
func (b *buffer) room() (n int, wait time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case <-b.wake: // of an earlier sleep that ended otherwise
	default:
	}
	n, wait = b.want()
	b.asleep = n == 0
	return n, wait
}

// want is called with mu held. While every worker is busy only what is there is leased, because of what comes later
// another program may have a worker free; and it is leased by half buffers, for it costs a request however little it is.
func (b *buffer) want() (n int, wait time.Duration) {
	depth := b.depth()
	switch free := b.workers - b.running; {
	case free > 0:
		return free + depth, pollTime
	case b.drained || 2*len(b.waiting) > depth:
		return 0, 0
	default:
		return depth - len(b.waiting), 0
	}
}

// depth returns how many messages may wait at the pace that the handlers have. It is called with mu held.
func (b *buffer) depth() int {
	if !b.known {
		return 0
	}
	begun := float64(b.workers) * float64(b.reach) / float64(max(b.mean, 1)) // within reach
	return int(min(begun, float64(b.ahead)))
}

// late takes out what has waited for too long, and returns after what time there may be more.
func (b *buffer) late(now time.Time) (late []*Message, next time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.miss(now)
	late, b.missed = b.missed, nil
	next = pollTime
	if len(b.waiting) > 0 {
		next = b.limit - now.Sub(b.waiting[0].at)
	}
	return late, next
}

// miss is called with mu held.
func (b *buffer) miss(now time.Time) {
	for len(b.waiting) > 0 && now.Sub(b.waiting[0].at) >= b.limit {
		b.missed = append(b.missed, b.waiting[0].m)
		b.waiting[0] = leased{}
		b.waiting = b.waiting[1:]
	}
}

// close takes everything out.
func (b *buffer) close() []*Message {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := b.missed
	for _, l := range b.waiting {
		all = append(all, l.m)
	}
	b.waiting, b.missed = nil, nil
	return all
}
