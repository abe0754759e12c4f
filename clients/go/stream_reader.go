package flin

import (
	"context"
	"crypto/rand"
	"iter"
	"sync"
	"time"

	"github.com/skshohagmiah/flin/pkg/wire"
)

const (
	readerWait   = 5 * time.Second // how long one consume waits at the server
	readerAhead  = 2               // answers that are read ahead
	readerCount  = 1000            // records of one
	readerCommit = time.Second
)

// Reader is a member of a consumer group that reads a topic: it consumes ahead in the background, says that it is alive, joins anew when it
// was taken for dead, and commits what has been dealt with.
//
// By default that is what Read, ReadBatch or Records have handed out and the program has come back for more: it is committed once a second
// and at Close. With ManualCommit it is what the program says by Commit. A record is delivered at least once: when partitions move to
// another member, what was not committed comes again there. A record that was read ahead of a partition that the reader does not own any more
// is not handed out.
//
// A Reader is for one goroutine, except that Commit, Lag and Close may be called by any. It is to be closed.
type Reader struct {
	stream *Stream // its calls end with the client, not with a context
	topic  string
	key    memberKey
	member wire.StreamSubscribe
	fetch  wire.StreamConsume
	every  time.Duration // between commits; 0: the program commits
	stop   context.CancelFunc
	ctx    context.Context // ends with Close, or with the client
	ended  chan struct{}   // closed when the background has come to its end
	polled time.Time       // when the last consume ended; the background's

	mu         sync.Mutex    // guards what follows; never held across a request
	ahead      []Record      // read ahead, those of partitions that were lost included
	answers    []int         // records of ahead that came with one answer, each
	changed    chan struct{} // closed when something of this has changed for those who wait for it
	generation uint64
	parts      map[int]*reading // by partition: those that are owned
	handed     []Position       // what was handed out last: the offsets behind it, by partition
	taken      bool             // something was handed out since the last consume
	fenced     bool             // it has to join anew
	failed     error            // why it cannot go on
	closed     bool
}

// reading is how far a partition is read, from where the member began to.
type reading struct {
	begun     bool
	next      int64 // offset of the next record that the server should hand out
	out       int64 // behind the last record that was handed out
	done      int64 // behind the last record that has been dealt with
	committed int64 // nothing before it is to be committed
	eras      []era // in their order; once it has begun at least one
}

// era is the generation of the group in which a reading's records from an offset on were consumed: what is committed of them is
// committed as of that, so that it does not count if the partition was another's, or was reset, since.
type era struct {
	from       int64
	generation uint64
}

// ReaderOption modifies Reader. The options of Subscribe are such, too.
type ReaderOption interface{ reader(r *Reader) }

type readerFunc func(r *Reader)

func (f readerFunc) reader(r *Reader) { f(r) }

// ConsumerName is a reader's name in its group. Without it the reader makes one up, and a program that is started anew is another member.
func ConsumerName(name string) ReaderOption {
	return readerFunc(func(r *Reader) { r.key.consumer = name })
}

// ManualCommit leaves it to the program to call Reader.Commit.
func ManualCommit() ReaderOption { return readerFunc(func(r *Reader) { r.every = 0 }) }

// CommitEvery is how often a reader commits by itself, by default every second.
func CommitEvery(d time.Duration) ReaderOption {
	return readerFunc(func(r *Reader) { r.every = max(d, time.Millisecond) })
}

func (o MaxRecordsOption) reader(r *Reader) { r.fetch.Count = uint64(min(max(o.n, 1), wire.MaxBatch)) }
func (o MaxBytesOption) reader(r *Reader)   { r.fetch.MaxBytes = uint64(max(o.n, 1)) }

// came notes that records from an offset on have come in a generation.
func (p *reading) came(from int64, generation uint64) {
	if n := len(p.eras); n == 0 || p.eras[n-1].generation != generation {
		p.eras = append(p.eras, era{from, generation})
	}
}

// generation returns in which generation the last record before an offset has come.
func (p *reading) generation(end int64) uint64 {
	i := len(p.eras) - 1
	for i > 0 && p.eras[i].from >= end {
		i--
	}
	return p.eras[i].generation
}

// commit notes what is committed. Eras that end before it do not matter any more.
func (p *reading) commit(end int64) {
	p.committed = max(p.committed, end)
	for len(p.eras) > 1 && p.eras[1].from <= p.committed {
		p.eras = p.eras[1:]
	}
}

// Reader joins a group that shares the partitions of a topic, and begins to read. It takes the options of Subscribe too.
func (s *Stream) Reader(topic, group string, opts ...ReaderOption) (*Reader, error) {
	root := s.client.members.client
	r := &Reader{
		topic: topic, key: memberKey{topic, group, "reader-" + rand.Text()}, every: readerCommit, changed: make(chan struct{}),
		ended: make(chan struct{}), parts: map[int]*reading{}, fetch: wire.StreamConsume{Count: readerCount, Wait: milliseconds(readerWait)},
	}
	for _, o := range opts {
		o.reader(r)
	}
	r.member.Topic, r.member.Group, r.member.Consumer = []byte(topic), []byte(group), []byte(r.key.consumer)
	r.fetch.Topic, r.fetch.Group, r.fetch.Consumer = r.member.Topic, r.member.Group, r.member.Consumer
	r.ctx, r.stop = context.WithCancel(root.pool.ctx)
	r.stream = root.With(r.ctx).Stream
	a, err := s.subscribe(&r.member, r.key, r.hear)
	if err != nil {
		r.stop()
		return nil, err
	}
	r.own(a)
	if !root.pool.start(r.run) {
		r.stop()
		return nil, ErrClosed
	}
	return r, nil
}

// Read returns the next record, waiting for it. What it returned before counts as dealt with. Its error is the end of ctx, ErrClosed, or why the
// reader cannot go on: the topic is not there any more, say. While the server cannot be reached it waits.
func (r *Reader) Read(ctx context.Context) (Record, error) {
	list, err := r.ReadBatch(ctx, 1)
	if err != nil {
		return Record{}, err
	}
	return list[0], nil
}

// ReadBatch is Read for up to n records, at least one: what is there.
func (r *Reader) ReadBatch(ctx context.Context, n int) ([]Record, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.comeBack()
	for {
		switch {
		case r.closed:
			return nil, ErrClosed
		case len(r.ahead) > 0:
			return r.take(max(n, 1)), nil
		case r.failed != nil:
			return nil, r.failed
		}
		changed := r.changed
		r.mu.Unlock()
		select {
		case <-changed:
		case <-r.ended:
		case <-ctx.Done():
		}
		r.mu.Lock()
		switch {
		case ctx.Err() != nil:
			return nil, r.stream.client.over(&call{op: wire.OpStreamConsume, read: true}, false, context.Cause(ctx))
		case r.ctx.Err() != nil && !r.closed:
			return nil, ErrClosed
		}
	}
}

// Records returns the records as they come, one after the other, as Read does. The loop ends after an error.
func (r *Reader) Records(ctx context.Context) iter.Seq2[Record, error] {
	return func(yield func(Record, error) bool) {
		for {
			one, err := r.Read(ctx)
			if !yield(one, err) || err != nil {
				return
			}
		}
	}
}

// take hands up to n records out. It is called with mu held, as is all below.
func (r *Reader) take(n int) []Record {
	n = min(n, len(r.ahead))
	list := r.ahead[:n:n]
	r.ahead = r.ahead[n:]
	for left := n; left > 0; {
		if r.answers[0] > left {
			r.answers[0] -= left
			break
		}
		left -= r.answers[0]
		r.answers = r.answers[1:]
	}
	for i := range list {
		if last := len(r.handed) - 1; last >= 0 && r.handed[last].Partition == list[i].Partition {
			r.handed[last].Offset = list[i].Offset + 1
			continue
		}
		r.handed = append(r.handed, Position{list[i].Partition, list[i].Offset + 1})
	}
	for _, at := range r.handed {
		if p := r.parts[at.Partition]; p != nil {
			p.out = max(p.out, at.Offset)
		}
	}
	r.taken = true
	r.notify()
	return list
}

// comeBack notes that what was handed out has been dealt with.
func (r *Reader) comeBack() {
	for _, at := range r.handed {
		if p := r.parts[at.Partition]; p != nil && p.begun {
			p.done = max(p.done, at.Offset)
		}
	}
	r.handed = r.handed[:0]
}

// notify wakes those who wait for a change.
func (r *Reader) notify() {
	close(r.changed)
	r.changed = make(chan struct{})
}

// Lag returns how many records the reader's group has before it in the topic, over all partitions and members.
func (r *Reader) Lag() (int64, error) { return r.stream.Lag(r.topic, r.key.group) }

// Consumer returns the reader's name in its group.
func (r *Reader) Consumer() string { return r.key.consumer }

// Assignment returns the partitions that the reader owns, as far as it knows.
func (r *Reader) Assignment() Assignment {
	r.mu.Lock()
	defer r.mu.Unlock()
	a := Assignment{Generation: r.generation, Partitions: make([]int, 0, len(r.parts))}
	for p := range r.parts {
		a.Partitions = append(a.Partitions, p)
	}
	return a
}
