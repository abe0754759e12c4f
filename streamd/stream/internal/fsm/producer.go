package fsm

import (
	"math"

	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// producer is what is remembered of an idempotent producer in one partition.
type producer struct {
	p     *partition
	pid   int64
	epoch int16
	n     int8                  // of recent
	last  [remembered]sequences // the newest first
	rev   uint64                // of the last batch's command
	time  int64                 // of its entry

	newer, older *producer // in producerList
	listed       bool
}

// remembered is how many batches a producer may have in flight, as in Kafka.
const remembered = 5

// sequences are the numbers of a batch's first and last record, and the offset that it got.
type sequences struct {
	first, last int32
	base        int64
}

// newProducer serves OpStreamProducer: no other command has this revision.
func newProducer(m *Machine, c *replica.Command, ans *wire.Response) error {
	if err := checkNothing(m, &m.p, c.Body); err != nil {
		return err
	}
	ans.Num = int64(c.Revision)
	return nil
}

// advance returns the sequence number n behind s: they go round at 2³¹-1.
func advance(s int32, n int) int32 { return int32((int64(s) + int64(n)) & math.MaxInt32) }

// judge decides about a batch of n records of a producer. known is the offset of a batch that is there already, else -1; pr is the
// producer that is to accept the batch.
func (m *Machine) judge(p *partition, from record.Producer, n int) (pr *producer, known int64, err error) {
	if from.Epoch < 0 || from.Sequence < 0 {
		return nil, -1, wire.Errorf(wire.Invalid, "a batch of producer %d has epoch %d and sequence number %d: neither may be below 0",
			from.ID, from.Epoch, from.Sequence)
	}
	pr = p.producers[from.ID]
	switch {
	case pr == nil && m.producers.count >= wire.MaxProducers:
		return nil, -1, wire.Errorf(wire.Full, "%d pairs of a producer and a partition are remembered, as many as there may be: publish without a producer id, or wait until idle ones are forgotten",
			wire.MaxProducers)
	case pr == nil:
		return &producer{p: p, pid: from.ID, epoch: from.Epoch}, -1, nil
	case from.Epoch < pr.epoch:
		return nil, -1, wire.Errorf(wire.Fenced, "producer %d has epoch %d by now, the batch is of epoch %d: ask for a new producer id",
			from.ID, pr.epoch, from.Epoch)
	case from.Epoch > pr.epoch && from.Sequence != 0:
		return nil, -1, wire.Errorf(wire.Conflict, "the first batch of producer %d in epoch %d has sequence number %d, not 0: batches are missing",
			from.ID, from.Epoch, from.Sequence)
	case from.Epoch > pr.epoch:
		return pr, -1, nil
	}
	last := advance(from.Sequence, n-1)
	for _, s := range pr.last[:pr.n] {
		if s.first == from.Sequence && s.last == last {
			return nil, s.base, nil
		}
	}
	switch next := advance(pr.last[0].last, 1); {
	case from.Sequence == next:
		return pr, -1, nil
	case (next-from.Sequence)&math.MaxInt32 < 1<<30:
		return nil, -1, wire.Errorf(wire.Exists, "the batch of producer %d from sequence number %d on is there already, and is not one of the last %d: its offset is not known any more",
			from.ID, from.Sequence, remembered)
	default:
		return nil, -1, wire.Errorf(wire.Conflict, "the batch of producer %d begins with sequence number %d, the next is %d: batches are missing",
			from.ID, from.Sequence, next)
	}
}

// accept notes a batch.
func (pr *producer) accept(from record.Producer, n int, base int64, c *replica.Command) {
	if from.Epoch != pr.epoch {
		pr.epoch, pr.n = from.Epoch, 0
	}
	copy(pr.last[1:], pr.last[:])
	pr.last[0] = sequences{first: from.Sequence, last: advance(from.Sequence, n-1), base: base}
	pr.n = min(pr.n+1, remembered)
	pr.rev, pr.time = c.Revision, c.Time
}

func (pr *producer) append(b []byte) []byte {
	b = wire.AppendUvarint(wire.AppendUvarint(b, pr.rev), uint64(pr.time))
	b = wire.AppendUvarint(wire.AppendUvarint(b, uint64(pr.epoch)), uint64(pr.n))
	for _, s := range pr.last[:pr.n] {
		b = wire.AppendUvarint(wire.AppendUvarint(b, uint64(s.first)), uint64(s.last))
		b = wire.AppendUvarint(b, uint64(s.base))
	}
	return b
}

func (pr *producer) decode(p []byte) error {
	r := wire.NewReader(p)
	pr.rev, pr.time = r.Uvarint(), int64(r.Uvarint())
	pr.epoch = int16(r.Uvarint())
	n := r.Uvarint()
	if n < 1 || n > remembered {
		return errDamaged
	}
	pr.n = int8(n)
	for i := range pr.last[:pr.n] {
		pr.last[i] = sequences{first: int32(r.Uvarint()), last: int32(r.Uvarint()), base: int64(r.Uvarint())}
	}
	if r.Close() != nil {
		return errDamaged
	}
	return nil
}

// producerList has all producers in the order of their last batches' commands.
type producerList struct {
	oldest, newest *producer
	count          int
}

// renew puts a producer behind all others, and adds it to its partition if it is new.
func (l *producerList) renew(pr *producer) {
	if pr.listed {
		l.unlink(pr)
	} else {
		if pr.p.producers == nil {
			pr.p.producers = map[int64]*producer{}
		}
		pr.p.producers[pr.pid] = pr
		pr.listed = true
		l.count++
	}
	pr.older, pr.newer = l.newest, nil
	if l.newest != nil {
		l.newest.newer = pr
	} else {
		l.oldest = pr
	}
	l.newest = pr
}

func (l *producerList) unlink(pr *producer) {
	if pr.older != nil {
		pr.older.newer = pr.newer
	} else {
		l.oldest = pr.newer
	}
	if pr.newer != nil {
		pr.newer.older = pr.older
	} else {
		l.newest = pr.older
	}
	pr.older, pr.newer = nil, nil
}

// remove forgets a producer.
func (l *producerList) remove(pr *producer) {
	l.unlink(pr)
	pr.listed = false
	l.count--
	delete(pr.p.producers, pr.pid)
}
