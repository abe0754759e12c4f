package replica

import "github.com/skshohagmiah/flin/pkg/wire"

// quantum is how many bytes of a lane's commands pass at each of its turns.
const quantum = 16 << 10

// lane holds, in order, the commands of one Replier (see Laned) that found the open batch full.
type lane struct {
	r     wire.Replier
	buf   []byte // commands, encoded as in an entry
	cmds  []pending
	head  int // the first command in cmds that has not passed on
	off   int // where its bytes begin
	grant int // bytes that may still pass in this turn
}

// lanes shares the next batches among connections, round-robin by bytes, so that one which sends without end delays the
// others by a turn at most. The proposer's mutex guards it.
type lanes struct {
	by    map[wire.Replier]*lane
	ring  []*lane
	turn  int // whose turn it is in ring
	bytes int // that wait, withdrawn ones included
	live  int // commands that wait and are not withdrawn
	spare []*lane
}

// add puts a command at the end of its owner's lane.
func (l *lanes) add(req *wire.Request, read bool, r, owner wire.Replier, deadline int64) {
	ln := l.by[owner]
	if ln == nil {
		if n := len(l.spare); n > 0 {
			ln, l.spare = l.spare[n-1], l.spare[:n-1]
		} else {
			ln = &lane{}
		}
		ln.r = owner
		if l.by == nil {
			l.by = make(map[wire.Replier]*lane)
		}
		l.by[owner] = ln
		l.ring = append(l.ring, ln)
	}
	before := len(ln.buf)
	ln.buf = appendCommand(ln.buf, req, read)
	ln.cmds = append(ln.cmds, pending{r: r, tag: req.Tag, deadline: deadline, end: len(ln.buf)})
	l.bytes += len(ln.buf) - before
	l.live++
}

// refill moves commands into b until it is full or no lane has any. A command larger than limit passes alone.
func (l *lanes) refill(b *batch, guess, limit int) {
	for len(l.ring) > 0 {
		if l.turn >= len(l.ring) {
			l.turn = 0
		}
		ln := l.ring[l.turn]
		if ln.grant <= 0 {
			ln.grant += quantum
		}
		for ln.grant > 0 && ln.head < len(ln.cmds) {
			c := ln.cmds[ln.head]
			n := c.end - ln.off
			if c.r != nil {
				if b.crowd() > 0 && b.weight()+n > limit {
					return
				}
				b.grow(n, guess, limit)
				b.buf = append(b.buf[:b.size()], ln.buf[ln.off:c.end]...)
				b.added(c.r, c.tag, c.deadline)
				l.live--
				ln.grant -= n
			}
			ln.cmds[ln.head].r = nil
			ln.head++
			ln.off = c.end
			l.bytes -= n
		}
		if ln.head == len(ln.cmds) {
			l.drop(l.turn)
			continue
		}
		ln.shift()
		l.turn++
	}
}

// drop takes the i-th lane, which is empty, out of the ring.
func (l *lanes) drop(i int) {
	ln := l.ring[i]
	delete(l.by, ln.r)
	copy(l.ring[i:], l.ring[i+1:])
	l.ring[len(l.ring)-1] = nil
	l.ring = l.ring[:len(l.ring)-1]
	// What a burst has grown is given back; what is ordinary is used again.
	if cap(ln.buf) <= 64<<10 && len(l.spare) < 64 {
		*ln = lane{buf: ln.buf[:0], cmds: ln.cmds[:0]}
		l.spare = append(l.spare, ln)
	}
}

// shift forgets what has passed on once that is most of the lane, so that a lane that never empties stays small.
func (ln *lane) shift() {
	if ln.off < 64<<10 || ln.off < len(ln.buf)/2 {
		return
	}
	ln.buf = ln.buf[:copy(ln.buf, ln.buf[ln.off:])]
	n := copy(ln.cmds, ln.cmds[ln.head:])
	clear(ln.cmds[n:])
	ln.cmds = ln.cmds[:n]
	for i := range ln.cmds {
		ln.cmds[i].end -= ln.off
	}
	ln.head, ln.off = 0, 0
}
