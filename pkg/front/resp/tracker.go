package resp

import (
	"context"
	"hash/maphash"
	"strings"
	"sync"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

const (
	watchCredit  = 64                     // answers that the watch may be ahead
	watchBackoff = 200 * time.Millisecond // before a watch that ended is begun again
)

// tracker tells clients of changes to keys that they have read. It watches the engine while there are such clients.
// It is the Replier of that watch.
type tracker struct {
	s     *Server
	table trackTable
	wake  chan struct{} // of run; one pending signal is enough

	flushed uint64 // the revision of the last flush that was told; of the goroutine that the watch answers on

	mu       sync.Mutex // guards what follows; never held while a client is told or the engine is asked
	members  map[*follower]*tracking
	tag      uint64        // of the watch under way; 0: none
	tags     uint64        // numbers given so far
	standing bool          // it has begun to report
	stands   chan struct{} // closed when standing changes, or the watch fails
	gap      bool          // changes may have been missed before it stood
	failure  error         // why the last one ended
	owed     int           // answers to be credited
	overdue  []overdue     // to be told by run
}

// overdue is a message that could not be sent where it arose.
type overdue struct {
	who  *follower
	keys []string
}

func newTracker(s *Server) *tracker {
	return &tracker{
		s: s, table: trackTable{seed: maphash.MakeSeed()}, wake: make(chan struct{}, 1),
		members: make(map[*follower]*tracking), stands: make(chan struct{}),
	}
}

func (t *tracker) signal() {
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// join adds a client, or changes what it asked for, and returns when the watch stands.
func (t *tracker) join(m *tracking) error {
	t.mu.Lock()
	t.members[m.who] = m
	t.mu.Unlock()
	t.signal()
	timeout := time.NewTimer(requestTimeout)
	defer timeout.Stop()
	for {
		t.mu.Lock()
		standing, failure, stands := t.standing, t.failure, t.stands
		t.mu.Unlock()
		if standing {
			return nil
		}
		if failure != nil && wire.CodeOf(failure) == wire.Unsupported {
			return failure
		}
		select {
		case <-stands:
		case <-timeout.C:
			return wire.Errorf(wire.Unavailable, "the watch that tracking needs did not begin within %v", requestTimeout)
		}
	}
}

// leave takes a client out.
func (t *tracker) leave(who *follower) {
	t.mu.Lock()
	delete(t.members, who)
	t.mu.Unlock()
	t.signal()
}

func (t *tracker) register(r *reading) {
	for who, keys := range t.table.register(r) {
		t.later(who, keys)
	}
}

func (t *tracker) settle(r *reading, rev uint64) []string { return t.table.settle(r, rev) }

// later has a message sent by run, for callers that hold an output's lock.
func (t *tracker) later(who *follower, keys []string) {
	t.mu.Lock()
	t.overdue = append(t.overdue, overdue{who, keys})
	t.mu.Unlock()
	t.signal()
}

// run begins and ends the watch as it is needed.
func (t *tracker) run(ctx context.Context) {
	for {
		t.step()
		select {
		case <-t.wake:
		case <-ctx.Done():
			t.mu.Lock()
			tag := t.tag
			t.mu.Unlock()
			if tag != 0 {
				t.s.cfg.Engine.Cancel(t, tag)
			}
			return
		}
		t.mu.Lock()
		again := t.tag == 0 && t.failure != nil && len(t.members) > 0
		t.mu.Unlock()
		if again {
			select {
			case <-time.After(watchBackoff):
			case <-ctx.Done():
				return
			}
		}
	}
}

// step does what there is to do.
func (t *tracker) step() {
	t.mu.Lock()
	messages, owed, tag := t.overdue, t.owed, t.tag
	t.overdue, t.owed = nil, 0
	begin := tag == 0 && len(t.members) > 0
	end := tag != 0 && len(t.members) == 0
	if begin {
		t.tags++
		t.tag = t.tags
		t.failure = nil
		tag = t.tag
	}
	if end {
		// Whoever comes from here on waits for a watch of his own: he is not told that this one has ended.
		t.tag, t.standing = 0, false
	}
	t.mu.Unlock()
	for _, m := range messages {
		m.who.tell(m.keys)
	}
	switch {
	case begin:
		body := (&wire.KVWatch{DB: wire.AllDatabases}).Append(nil)
		t.s.cfg.Engine.Submit(wire.Request{Op: wire.OpKVWatch, Tag: tag, Body: body}, t)
		t.s.cfg.Engine.Credit(t, tag, watchCredit)
	case end:
		t.s.cfg.Engine.Cancel(t, tag)
	case owed > 0 && tag != 0:
		t.s.cfg.Engine.Credit(t, tag, owed)
	}
}

// Reply takes an answer of the watch.
func (t *tracker) Reply(tag uint64, resp wire.Response) {
	t.mu.Lock()
	if tag != t.tag {
		t.mu.Unlock()
		return
	}
	gap := false
	switch {
	case !resp.More:
		t.tag, t.standing, t.gap = 0, false, true
		if t.failure = resp.Err(); t.failure == nil {
			t.failure = wire.Errorf(wire.Unavailable, "the watch that tracking needs has ended")
		}
		t.announce()
	case !t.standing:
		gap, t.gap = t.gap, false
		t.standing = true
		t.announce()
		t.owed++
	default:
		t.owed++
	}
	empty := len(t.members) == 0
	t.mu.Unlock()
	t.signal()
	if gap || !resp.More {
		t.flush(^uint64(0))
	}
	if resp.More && !empty {
		t.changes(resp.Body)
	}
}

// announce wakes those who wait for the watch. It is called with mu held.
func (t *tracker) announce() {
	close(t.stands)
	t.stands = make(chan struct{})
}

// changes tells clients of the events in a watch's answer.
func (t *tracker) changes(body []byte) {
	r := wire.NewReader(body)
	var told []*follower
	for r.Len() > 0 {
		e := wire.TakeKVEvent(&r)
		if r.Err() != nil {
			t.s.log.Error("a watch's answer cannot be read; clients that track keys may hold old values")
			return
		}
		if e.Kind == wire.EventFlush {
			if e.Rev != t.flushed { // of a flush of all databases each tells
				t.flushed = e.Rev
				t.flush(e.Rev)
			}
			continue
		}
		told = t.table.change(e.Key, e.Rev, told[:0])
		for _, who := range told {
			t.tell(who, string(e.Key), e.Rev)
		}
		t.broadcast(&e)
	}
}

// broadcast tells the clients that asked for every key with certain prefixes.
func (t *tracker) broadcast(e *wire.KVEvent) {
	t.mu.Lock()
	var told []*follower
	key := string(e.Key)
	for who, m := range t.members {
		if m.bcast && hasPrefix(key, m.prefixes) {
			told = append(told, who)
		}
	}
	t.mu.Unlock()
	for _, who := range told {
		t.tell(who, key, e.Rev)
	}
}

func hasPrefix(key string, prefixes []string) bool {
	for _, p := range prefixes {
		if strings.HasPrefix(key, p) {
			return true
		}
	}
	return len(prefixes) == 0
}

// tell tells a client of a change, unless it made the change itself and does not want to know.
func (t *tracker) tell(who *follower, key string, rev uint64) {
	c := who.conn.Load()
	if c == nil {
		return
	}
	if m := c.tracking.Load(); m != nil && m.noLoop && !who.own.judge(key, rev, c.head.Load(), c.tail.Load()) {
		return
	}
	who.tell([]string{key})
}

// flush tells every client that nothing it holds is valid.
func (t *tracker) flush(rev uint64) {
	t.table.flush(rev)
	t.mu.Lock()
	all := make([]*follower, 0, len(t.members))
	for who := range t.members {
		all = append(all, who)
	}
	t.mu.Unlock()
	for _, who := range all {
		who.tell(nil)
	}
}
