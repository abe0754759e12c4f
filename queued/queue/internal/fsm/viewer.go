package fsm

import (
	"github.com/skshohagmiah/flin/pkg/store/keys"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// viewer looks at messages from outside the apply goroutine. It looks under the lock at what is in memory; what is missing
// it reads from the store without the lock, and looks again.
type viewer struct {
	m       *Machine
	read    map[place]*content
	missing []place
	found   []sight
	sent    int
}

// place names a chunk.
type place struct{ qid, first uint64 }

// content is a chunk that a viewer has read itself.
type content struct {
	first  uint64
	msgs   []msg
	deltas []uint32
}

func (c *content) id(i int) uint64 {
	if c.deltas == nil {
		return c.first + uint64(i)
	}
	return c.first + uint64(c.deltas[i])
}

// sight is a message as it was found.
type sight struct {
	receipt wire.Receipt
	state   wire.DeliveryState
	until   int64
	msg     msg
}

// viewTries bounds how often a viewer looks again because the queue has moved on under it.
const viewTries = 100

func newViewer(m *Machine) *viewer { return &viewer{m: m, read: map[place]*content{}} }

// look calls fn with the queue, nil if it is not there, until fn has found all it needs in memory.
func (v *viewer) look(name []byte, fn func(q *queue) error) error {
	for range viewTries {
		v.missing, v.found = v.missing[:0], v.found[:0]
		v.m.mu.RLock()
		err := fn(v.m.queues[string(name)])
		v.m.mu.RUnlock()
		if err != nil || len(v.missing) == 0 {
			return err
		}
		for _, p := range v.missing {
			if err := v.fetch(p); err != nil {
				return err
			}
		}
	}
	return errBusy
}

// fetch reads a chunk. One that is not there has gone meanwhile: the next look will not miss it.
func (v *viewer) fetch(p place) error {
	if v.read[p] != nil {
		return nil
	}
	val, ok, err := v.m.st.Get(keys.Append(nil, kindChunk, p.qid, p.first), nil)
	if err != nil || !ok {
		return err
	}
	var h head
	if err := h.decode(val.Head); err != nil {
		return err
	}
	c := &content{first: p.first}
	c.msgs, c.deltas, err = decodeChunk(p.first, &h, val.Body)
	v.read[p] = c
	return err
}

// lack notes a chunk that has to be read. What was read of it before was of another time.
func (v *viewer) lack(p place) {
	delete(v.read, p)
	v.missing = append(v.missing, p)
}

// at finds the message of an id, whatever its status.
func (v *viewer) at(q *queue, id uint64) error {
	l := q.lane(id)
	if l == nil {
		return nil
	}
	b, i := l.seek(id)
	if b < 0 {
		return nil
	}
	v.inside(q, &l.blocks[b][i], id)
	return nil
}

// inside finds a message that may be in a chunk, and reports whether it is there or the chunk has to be read first.
func (v *viewer) inside(q *queue, d *desc, id uint64) {
	p := place{q.qid, d.first}
	c := d.c
	if c != nil && c.msgs != nil {
		if i, ok := c.index(id); ok {
			v.see(c, i, id, &c.msgs[i])
		}
		return
	}
	r := v.read[p]
	if r == nil {
		v.lack(p)
		return
	}
	for i := range r.msgs {
		if r.id(i) != id {
			continue
		}
		k := i
		if c != nil {
			var ok bool
			if k, ok = c.index(id); !ok {
				return
			}
		}
		v.see(c, k, id, &r.msgs[i])
		return
	}
	if c != nil && (c.deltas != nil || c.flags&flagDense != 0) {
		if i, ok := c.index(id); ok && !c.isGone(i) {
			v.lack(p)
		}
	}
}

// see keeps a message unless it is gone or has expired. c is nil if nothing has become of it.
func (v *viewer) see(c *chunk, i int, id uint64, ms *msg) {
	if ms.expires != 0 && ms.expires <= v.m.now {
		return
	}
	s := sight{receipt: wire.Receipt{ID: wire.MessageID(id)}, msg: *ms}
	if c != nil {
		var e ext
		if c.ext != nil {
			e = c.ext[i]
		}
		s.receipt.Attempt = e.attempt
		switch c.status(i) {
		case gone:
			return
		case ready:
		case delayed:
			s.state, s.until = wire.DeliveryDelayed, e.until
		case leased, doomed:
			s.state, s.until, s.receipt.Nonce = wire.DeliveryLeased, e.until, e.nonce
		}
	}
	v.found = append(v.found, s)
}

// append appends what was found, until it is as long as an answer may be.
func (v *viewer) append(b []byte) []byte {
	start := len(b)
	for i := range v.found {
		if len(b)-start >= wire.MaxDeliveryBody {
			break
		}
		s := &v.found[i]
		b = appendDelivery(b, s.receipt, s.state, s.until, &s.msg)
		v.sent++
	}
	return b
}
