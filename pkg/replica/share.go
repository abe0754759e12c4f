package replica

import (
	"github.com/skshohagmiah/flin/pkg/wire"
)

// Shared is a command that goes on growing while the entry that it will be in is open: what many ask for at the same time
// becomes one body. Its Reply gets the answer to the command, with tag 0, and is to answer all who share it.
//
// Add and Finish are called under the group's lock, or by the one goroutine that owns the entry: they must be quick and must
// not call the group.
type Shared interface {
	wire.Replier
	// Add lets one more share the command. It copies what is on loan.
	Add(it Item)
	// Finish appends the body to b. Nobody joins any more.
	Finish(b []byte) []byte
}

// Source makes the commands that are shared. It has one open at a time in an entry, and is comparable as a pointer is.
type Source interface {
	// Begin returns a command that nobody shares yet. It is called under the group's lock.
	Begin() Shared
}

// Item is what one request adds to a Shared. Its own Reply, with tag 0, is called only if it is refused.
type Item interface {
	wire.Replier
	Laned
	// Size returns how many bytes it adds to the body at most, if it has the command to itself.
	Size() int
}

// Share makes it part of the command op that src has open, which is proposed with the entry. Commands that are proposed in
// the ordinary way to the same engine come behind what was shared before them. An item whose entry is full has a command of
// its own. deadline is by wire.Clock, 0 is none; a shared command is refused as Timeout when the last of its items is late.
//
// Any goroutine may call it. The rules of Propose hold otherwise.
func (g *Group) Share(src Source, op wire.Op, deadline int64, it Item) {
	h := g.fsm.byID[op.Engine()]
	if h == nil {
		it.Reply(0, wire.Failf(wire.Unsupported, "group %s does not run engine %s", g.cfg.Name, op.Engine()))
		return
	}
	if err := h.store.Full(); err != nil {
		it.Reply(0, wire.Fail(err))
		return
	}
	g.prop.share(src, op, deadline, it)
}

// sharing is a command that still grows.
type sharing struct {
	src      Source
	cmd      Shared
	op       wire.Op
	size     int   // bytes it will have at most
	items    int   // that share it
	deadline int64 // the latest of its items'; 0: one has none
}

// shared is a batch's commands that still grow.
type shared struct {
	open    []sharing
	index   map[Source]int // of open, once there are more than a few
	pledged int            // bytes that open will have at most
	guests  int            // who wait for the entry and are not counted by its commands
}

// fewShared is how many sources are searched one by one.
const fewShared = 8

// share puts it into the command that its source has open, or into one of its own.
func (p *proposer) share(src Source, op wire.Op, deadline int64, it Item) {
	size := commandHead + it.Size()
	if size > wire.MaxCommand {
		it.Reply(0, wire.Failf(wire.TooLarge, "a command of %d bytes is over the limit of %d", size, wire.MaxCommand))
		return
	}
	p.mu.Lock()
	var err *wire.Error
	if p.leading && p.fits(size) {
		p.open.join(src, op, deadline, it, size)
		p.proposed++
	} else {
		err = p.alone(src, op, deadline, it)
	}
	wake := err == nil && p.takeWake()
	p.mu.Unlock()
	switch {
	case err != nil:
		it.Reply(0, wire.Fail(err))
	case wake:
		p.wake <- struct{}{}
	}
}

// alone puts an item into a command of its own. The lock is held.
func (p *proposer) alone(src Source, op wire.Op, deadline int64, it Item) *wire.Error {
	if err := p.refusal(); err != nil && !p.leading {
		return err
	}
	cmd := src.Begin()
	cmd.Add(it)
	body := cmd.Finish(make([]byte, 0, it.Size()))
	p.open.close(op.Engine(), p.limit)
	return p.put(&wire.Request{Op: op, Deadline: deadline, Body: body}, false, cmd, it.Lane())
}

// join lets it share what its source has open, opening it first if need be.
func (b *batch) join(src Source, op wire.Op, deadline int64, it Item, size int) {
	i := b.find(src)
	if i < 0 {
		i = len(b.open)
		b.open = append(b.open, sharing{src: src, cmd: src.Begin(), op: op, deadline: deadline})
		if b.index != nil {
			b.index[src] = i
		} else if len(b.open) > fewShared {
			b.index = make(map[Source]int, 4*fewShared)
			for j := range b.open {
				b.index[b.open[j].src] = j
			}
		}
	}
	s := &b.open[i]
	s.cmd.Add(it)
	s.size += size
	s.items++
	if s.deadline != 0 && (deadline == 0 || deadline > s.deadline) {
		s.deadline = deadline
	}
	b.pledged += size
	b.guests++
}

// find returns what src has open, or -1.
func (s *shared) find(src Source) int {
	if s.index != nil {
		if i, ok := s.index[src]; ok {
			return i
		}
		return -1
	}
	for i := range s.open {
		if s.open[i].src == src {
			return i
		}
	}
	return -1
}

// close finishes what is open if it is the engine's.
func (b *batch) close(e wire.EngineID, limit int) {
	if len(b.open) > 0 && b.open[0].op.Engine() == e {
		b.finish(limit)
	}
}

// finish puts what is open into buf: nobody joins it any more.
func (b *batch) finish(limit int) {
	if len(b.open) == 0 {
		return
	}
	b.grow(b.pledged, 0, limit)
	b.buf = b.buf[:b.size()]
	for i := range b.open {
		s := &b.open[i]
		b.buf = append(b.buf, byte(s.op>>8), byte(s.op), 0)
		at := len(b.buf)
		b.buf = s.cmd.Finish(append(b.buf, make([]byte, sharedLength)...))
		putLength(b.buf[at:], len(b.buf)-at-sharedLength)
		b.added(s.cmd, 0, s.deadline)
		b.guests--
	}
	b.shared.clear()
}

// sharedLength is the bytes of the length of a shared command's body: a uvarint of a fixed number of bytes, because the body
// is written behind it before its length is known.
const sharedLength = 4

func putLength(b []byte, n int) {
	b[0], b[1], b[2], b[3] = byte(n)|0x80, byte(n>>7)|0x80, byte(n>>14)|0x80, byte(n>>21)&0x7F
}

// clear forgets what was open. The number of guests stays.
func (s *shared) clear() {
	clear(s.open)
	s.open, s.pledged = s.open[:0], 0
	if len(s.index) > keepShared {
		s.index = nil
	}
	clear(s.index)
}

// keepShared is the largest index that is used again.
const keepShared = 4096

// reset forgets everything but memory.
func (s *shared) reset() {
	s.clear()
	s.guests = 0
}
