package fsm

import (
	"fmt"
	"runtime"
	"slices"

	"github.com/skshohagmiah/flin/pkg/record"
)

// piece is a batch that is to be read.
type piece struct {
	base int64
	next int64 // offset behind it
	size int
}

// pieces are as many batches as are looked up at a time.
type pieces [64]piece

// leaderEpoch is what batches are read with. There is one log for all partitions, in which no epoch ever goes back.
const leaderEpoch = 0

// readSlack is the room beside its body that reading a batch needs in a buffer: key, head, and the store's own 16 bytes.
const readSlack = 128

// politeSize is from how many bytes on a batch that was read lets other goroutines run before the next.
const politeSize = 16 << 10

// readTries bounds how often somebody looks again because retention has taken what he was about to read.
const readTries = 100

// Fetch appends to buf the whole batches of a partition that hold the offsets [from, to), with their offsets written in: at least
// one if there is any, and from then on at most maxBytes of them. next is the offset behind what was appended, at most to; a to
// behind the end is the end. Where nothing is, from being the end or to, next is from. buf gets more memory if it has too little;
// out shares it and begins with what buf held.
//
// The errors are NotFound, and OutOfRange for a partition or an offset that is not there, or that retention has taken meanwhile.
// Others are faults of the disk. Any goroutine may call it; it may read the disk, without any lock, and keeps no memory.
func (m *Machine) Fetch(topic []byte, partition int, from, to int64, maxBytes int, buf []byte) (out []byte, next int64, err error) {
	out, next = buf, from
	var list pieces
	for begun := uint64(0); ; {
		tid, n, err := m.plan(topic, partition, next, to, maxBytes-(len(out)-len(buf)), begun, &list)
		if err != nil && begun != 0 {
			return out, next, nil // what has been read is good
		}
		if err != nil {
			return buf, from, err
		}
		begun = tid
		done := 0
		if out, done, err = m.readPieces(out, tid, int32(partition), list[:n]); err != nil {
			return buf, from, err
		}
		if done > 0 {
			next = min(list[done-1].next, to)
		}
		switch {
		case done == n && n < len(list):
			return out, next, nil
		case done < n && len(out) > len(buf):
			return out, next, nil // the next fetch will be told what has become of the rest
		case done < n:
			return buf, from, m.gone(topic, partition, tid, list[done].base)
		}
	}
}

// plan lists the next batches to read, and says which topic they are of. begun is the topic that those before were of, 0 for the
// first: if that has been deleted, another of its name has nothing to do with it.
func (m *Machine) plan(topic []byte, partition int, from, to int64, room int, begun uint64, list *pieces) (tid uint64, n int, err error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	p, err := m.locate(topic, partition)
	if err != nil {
		return 0, 0, err
	}
	if begun != 0 && begun != p.t.snap.ID {
		return 0, 0, errNoTopic(topic)
	}
	if from < p.start || from > p.end {
		return 0, 0, errOffset(p, from)
	}
	to = min(to, p.end)
	if from >= to {
		return p.t.snap.ID, 0, nil
	}
	at := p.list.find(from)
	for more := true; more && n < len(list); {
		x := piece{base: p.list.offsetOf(at), size: p.list.sizeOf(at), next: p.end}
		if x.base >= to || room < x.size && !(begun == 0 && n == 0) {
			break
		}
		if at, more = p.list.next(at); more {
			x.next = p.list.offsetOf(at)
		}
		list[n] = x
		n++
		room -= x.size
	}
	return p.t.snap.ID, n, nil
}

// readPieces appends batches to out, until one is not there any more. done is how many it has appended.
func (m *Machine) readPieces(out []byte, tid uint64, partition int32, list []piece) (_ []byte, done int, err error) {
	need := 0
	for i := range list {
		need += list[i].size
	}
	if need > 0 {
		out = slices.Grow(out, need+readSlack)
	}
	var mem [32]byte
	for i := range list {
		x := &list[i]
		v, ok, err := m.st.Get(appendBatchKey(mem[:0], tid, partition, x.base), out[len(out):])
		if err != nil {
			return out, i, fmt.Errorf("stream: batch at offset %d of a partition: %w", x.base, err)
		}
		if !ok {
			return out, i, nil
		}
		if len(v.Body) != x.size {
			return out, i, errDamaged
		}
		start := len(out)
		out = append(out, v.Body...) // which may lie further on in out itself
		record.Batch(out[start:]).Patch(x.base, leaderEpoch)
		if x.size >= politeSize {
			runtime.Gosched() // who publishes waits for less
		}
	}
	return out, len(list), nil
}

// gone says why a batch that memory had is not in the store: it has been removed meanwhile, or the store is damaged. While a
// snapshot is being installed memory is behind the store; at the end of an entry it is for a moment as well, and damage is told when
// somebody looks again.
func (m *Machine) gone(topic []byte, partition int, tid uint64, base int64) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	p, err := m.locate(topic, partition)
	switch {
	case err != nil:
		return err
	case p.t.snap.ID != tid:
		return errNoTopic(topic) // the one that was asked for has been deleted; this is another
	case base < p.start:
		return errOffset(p, base)
	case m.st.Applied().Index != m.index.Load():
		return errInstalled
	}
	return errDamaged
}
