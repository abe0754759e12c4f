package fsm

import (
	"fmt"
	"slices"
	"strings"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// model is what the queues should do, told as plainly as possible: a list of messages a queue, looked through from the
// front for everything.
type model struct {
	now    int64
	queues map[string]*modelQueue
}

type modelQueue struct {
	name     string
	set      wire.QueueSettings
	paused   bool
	seq      uint64
	messages []*modelMessage // by id
	turn     uint64
	turns    map[string]uint64 // "" are the messages without a group
	dedup    []modelDedup
	letters  bool // dead letters came here
}

type modelMessage struct {
	id       wire.MessageID
	pushed   int64
	expires  int64
	group    string
	headers  []wire.Header
	body     string
	state    status
	until    int64
	attempt  uint32
	nonce    uint64
	finished bool // no delivery follows
}

type modelDedup struct {
	key        string
	id         wire.MessageID
	start, end int64 // of the bucket
}

func newModel() *model { return &model{queues: map[string]*modelQueue{}} }

func (m *model) defaults(name string) wire.QueueSettings {
	s := wire.QueueSettings{Lease: 30_000, MaxDeliver: 10, Window: 300_000}
	if strings.HasSuffix(name, ".dead") {
		s.MaxDeliver = 0
	} else if !m.comesBack(name, name+".dead") {
		s.DeadLetter = []byte(name + ".dead")
	}
	return s
}

func (m *model) comesBack(name, dead string) bool {
	for seen := map[string]bool{}; dead != ""; {
		if dead == name || seen[dead] {
			return true
		}
		seen[dead] = true
		if q := m.queues[dead]; q != nil {
			dead = string(q.set.DeadLetter)
		} else if strings.HasSuffix(dead, ".dead") {
			dead = ""
		} else {
			dead += ".dead"
		}
	}
	return false
}

func (m *model) ensure(name string) *modelQueue {
	if q := m.queues[name]; q != nil {
		return q
	}
	q := &modelQueue{name: name, turns: map[string]uint64{}}
	q.set = m.defaults(name)
	m.queues[name] = q
	return q
}

// pass lets time go on.
func (m *model) pass(now int64) {
	m.now = now
	for _, q := range m.queues {
		for _, x := range q.messages {
			if (x.state == leased || x.state == delayed) && x.until <= now {
				if x.state == leased && x.finished {
					x.state = doomed
				} else {
					x.state, x.until = ready, 0
				}
			}
		}
	}
}

func (q *modelQueue) count(s status) (n int) {
	for _, x := range q.messages {
		if x.state == s || s == leased && x.state == doomed {
			n++
		}
	}
	return n
}

// insert adds a message at its place. A group that was not there stands behind the others.
func (q *modelQueue) insert(x *modelMessage) {
	if !slices.ContainsFunc(q.messages, func(y *modelMessage) bool { return y.group == x.group }) {
		q.turn++
		q.turns[x.group] = q.turn
	}
	i, _ := slices.BinarySearchFunc(q.messages, x.id, func(y *modelMessage, id wire.MessageID) int {
		if y.id < id {
			return -1
		}
		return 1
	})
	q.messages = slices.Insert(q.messages, i, x)
}

func (q *modelQueue) delete(x *modelMessage) {
	q.messages = slices.DeleteFunc(q.messages, func(y *modelMessage) bool { return y == x })
}

func (m *model) push(p *wire.QueuePush) (code wire.Code, ids []wire.MessageID) {
	q := m.queues[string(p.Queue)]
	fresh := 0
	seen := map[string]bool{}
	for i := range p.Messages {
		key := string(p.Messages[i].Dedup)
		if key != "" && (seen[key] || q != nil && q.remembered(key) != 0) {
			continue
		}
		seen[key] = true
		fresh++
	}
	if q != nil && q.set.MaxLen > 0 && fresh > 0 {
		over := len(q.messages) + fresh - int(q.set.MaxLen)
		if over > 0 && (q.set.Overflow == wire.QueueReject || fresh > int(q.set.MaxLen) || over > q.count(ready)) {
			return wire.Full, nil
		}
		for ; over > 0; over-- {
			q.delete(q.oldest())
		}
	}
	q = m.ensure(string(p.Queue))
	for i := range p.Messages {
		w := &p.Messages[i]
		if id := q.remembered(string(w.Dedup)); len(w.Dedup) > 0 && id != 0 {
			ids = append(ids, id)
			continue
		}
		x := &modelMessage{pushed: m.now, group: string(w.Group), headers: w.Headers, body: string(w.Body)}
		if w.Flags&wire.MessageDelayed != 0 && w.NotBefore > 0 {
			x.state, x.until = delayed, m.now+w.NotBefore
		}
		if w.TTL > 0 {
			x.expires = m.now + w.TTL
		} else if q.set.TTL > 0 {
			x.expires = m.now + int64(q.set.TTL)
		}
		q.seq++
		x.id = wire.NewMessageID(w.Priority, q.seq)
		q.insert(x)
		if len(w.Dedup) > 0 {
			q.remember(string(w.Dedup), x.id, m.now)
		}
		ids = append(ids, x.id)
	}
	return wire.OK, ids
}

func (q *modelQueue) oldest() (oldest *modelMessage) {
	for _, x := range q.messages {
		if x.state == ready && (oldest == nil || x.id.Seq() < oldest.id.Seq()) {
			oldest = x
		}
	}
	return oldest
}

func (q *modelQueue) remembered(key string) wire.MessageID {
	for _, d := range q.dedup {
		if d.key == key {
			return d.id
		}
	}
	return 0
}

func (q *modelQueue) remember(key string, id wire.MessageID, now int64) {
	d := modelDedup{key: key, id: id, start: now, end: now + max(int64(q.set.Window)/10, 1000)}
	if n := len(q.dedup); n > 0 && q.dedup[n-1].end > now {
		d.start, d.end = q.dedup[n-1].start, q.dedup[n-1].end
	}
	q.dedup = append(q.dedup, d)
}

// next finds what is delivered next: of the highest priority that can be, whose turn it is, by id.
func (q *modelQueue) next() (best *modelMessage) {
	blocked := map[string]bool{}
	for _, x := range q.messages {
		if x.group != "" && (x.state == leased || x.state == doomed) {
			blocked[x.group] = true
		}
	}
	for _, x := range q.messages { // by priority and id
		if x.state != ready || blocked[x.group] {
			continue
		}
		if best == nil || x.id.Priority() == best.id.Priority() && q.turns[x.group] < q.turns[best.group] {
			best = x
		}
	}
	return best
}

func (m *model) pop(p *wire.QueuePop, lease bool) (list []*modelMessage) {
	q := m.queues[string(p.Queue)]
	if q == nil || q.paused {
		return nil
	}
	for len(list) < int(p.Count) {
		x := q.next()
		if x == nil {
			break
		}
		if x.expires != 0 && x.expires <= m.now {
			q.delete(x)
			continue
		}
		if q.grouped() {
			q.turn++
			q.turns[x.group] = q.turn
		}
		list = append(list, x)
		if !lease {
			q.delete(x)
			continue
		}
		ms := int64(p.Lease)
		if ms == 0 {
			ms = int64(q.set.Lease)
		}
		x.state, x.until, x.nonce = leased, m.now+ms, p.Nonce
		x.attempt++
		x.finished = q.set.MaxDeliver > 0 && uint64(x.attempt) >= q.set.MaxDeliver
	}
	return list
}

func (q *modelQueue) grouped() bool {
	return slices.ContainsFunc(q.messages, func(x *modelMessage) bool { return x.group != "" })
}

func (m *model) held(queue []byte, r wire.Receipt) (*modelQueue, *modelMessage) {
	q := m.queues[string(queue)]
	if q == nil {
		return nil, nil
	}
	for _, x := range q.messages {
		if x.id == r.ID && x.state == leased && x.attempt == r.Attempt && x.nonce == r.Nonce && (x.expires == 0 || x.expires > m.now) {
			return q, x
		}
	}
	return q, nil
}

func (m *model) kill(q *modelQueue, x *modelMessage, reason string) int64 {
	q.delete(x)
	if len(q.set.DeadLetter) == 0 {
		return 2
	}
	hs := append(own(x.headers),
		wire.Header{Name: []byte("x-origin-queue"), Value: []byte(q.name)},
		wire.Header{Name: []byte("x-attempts"), Value: fmt.Append(nil, x.attempt)},
		wire.Header{Name: []byte("x-last-error"), Value: []byte(reason)},
		wire.Header{Name: []byte("x-first-enqueued"), Value: fmt.Append(nil, x.pushed)})
	dq := m.ensure(string(q.set.DeadLetter))
	dq.letters = true
	m.move(dq, x, hs)
	return 1
}

func (m *model) move(q *modelQueue, x *modelMessage, hs []wire.Header) {
	q.seq++
	y := &modelMessage{id: wire.NewMessageID(x.id.Priority(), q.seq), pushed: m.now, group: x.group, headers: hs, body: x.body}
	if q.set.TTL > 0 {
		y.expires = m.now + int64(q.set.TTL)
	}
	q.insert(y)
}

func own(hs []wire.Header) (list []wire.Header) {
	for _, h := range hs {
		if !strings.HasPrefix(string(h.Name), "x-") {
			list = append(list, h)
		}
	}
	return list
}

// tick does everything that is overdue.
func (m *model) tick(order []string) {
	for _, name := range order {
		q := m.queues[name]
		for _, x := range slices.Clone(q.messages) {
			if x.expires != 0 && x.expires <= m.now {
				q.delete(x)
			} else if x.state == doomed {
				m.kill(q, x, "the lease ran out")
			}
		}
		q.dedup = slices.DeleteFunc(q.dedup, func(d modelDedup) bool { return d.end+int64(q.set.Window) <= m.now })
	}
}

func headersOf(list []wire.Header) string {
	var out strings.Builder
	for _, h := range list {
		fmt.Fprintf(&out, "%s=%s;", h.Name, h.Value)
	}
	return out.String()
}
