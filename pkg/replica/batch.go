package replica

import (
	"github.com/skshohagmiah/flin/pkg/wire"
)

// pending is a command that somebody waits for.
type pending struct {
	r        wire.Replier // nil: withdrawn, already answered
	tag      uint64
	deadline int64 // by wire.Clock; 0 is none
	end      int   // where its bytes end in the buffer that holds it
}

// batch is the entry being filled, or one on its way. The proposer's mutex guards it until it is sealed; then the proposer's
// goroutine owns it; once in flight it belongs to whoever takes it out of there.
type batch struct {
	seq    uint64
	buf    []byte    // entryHead bytes, then commands; nil while there is none
	cmds   []pending // the i-th is the i-th command in buf
	live   int       // of cmds, those not withdrawn
	shared           // commands that go on growing
	soon   int64     // no deadline in cmds is before it; 0: there is none
	mark   *byte     // the first byte of buf after sealing: the very memory that comes back from Raft
	must   bool      // it is sent even if it is empty
	left   int64     // when it was put in flight, by wire.Clock
	// taken says that somebody is answering its commands: the apply goroutine, or whoever learned that it failed.
	taken bool
}

// size returns the bytes of what is in buf.
func (b *batch) size() int { return max(len(b.buf), entryHead) }

// weight returns the bytes that the entry would have, at most.
func (b *batch) weight() int { return b.size() + b.pledged }

// crowd returns how many wait for the entry.
func (b *batch) crowd() int { return b.live + b.guests }

// grow makes room for n more bytes; guess is the size that a new buffer begins with.
func (b *batch) grow(n, guess, limit int) {
	need := b.size() + n
	if need <= cap(b.buf) {
		return
	}
	size := max(need, guess)
	if b.buf != nil {
		// Doubling stops at the size at which an entry closes: little can follow.
		size = max(need, min(2*cap(b.buf), limit+limit/8))
	}
	buf := make([]byte, b.size(), size)
	copy(buf, b.buf)
	b.buf = buf
}

// added notes the command whose bytes now end buf.
func (b *batch) added(r wire.Replier, tag uint64, deadline int64) {
	b.cmds = append(b.cmds, pending{r: r, tag: tag, deadline: deadline, end: len(b.buf)})
	b.live++
	if deadline != 0 && (b.soon == 0 || deadline < b.soon) {
		b.soon = deadline
	}
}

// compact takes the bytes of withdrawn commands out of buf.
func (b *batch) compact() {
	if b.live == len(b.cmds) {
		return
	}
	from, to, kept := entryHead, entryHead, b.cmds[:0]
	for _, c := range b.cmds {
		if c.r != nil {
			copy(b.buf[to:], b.buf[from:c.end])
			to += c.end - from
			from, c.end = c.end, to
			kept = append(kept, c)
			continue
		}
		from = c.end
	}
	clear(b.cmds[len(kept):])
	b.buf, b.cmds = b.buf[:to], kept
}

// reset makes b ready to be filled again. Its buffer stays with the log and the machines.
func (b *batch) reset() {
	clear(b.cmds)
	b.shared.reset()
	*b = batch{cmds: b.cmds[:0], shared: b.shared}
}
