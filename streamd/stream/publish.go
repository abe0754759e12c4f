package stream

import (
	"slices"
	"sync"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
	"github.com/skshohagmiah/flin/streamd/stream/internal/fsm"
)

// publish is one OpStreamPublish. Its memory is used again.
type publish struct {
	e      *Engine
	client engine.Replier
	tag    uint64
	m      wire.StreamPublish // on loan while Submit runs
	now    int64              // the time of records that have none
	home   []int32            // the partition of each record, where they have several
	order  []int32            // the records in the order of their partitions, likewise
	parts  []part             // for each partition
	held   bool               // what the client asks for in order waits for it

	mu     sync.Mutex // guards what follows
	open   int        // parts that are not settled, and one while Submit runs
	done   int        // parts that have been written
	rev    uint64
	fail   wire.Response // of a part that was not; its body is our own
	places []byte        // the answer
}

// publish begins an OpStreamPublish.
func (e *Engine) publish(g *replica.Group, req *wire.Request, r engine.Replier, is trust) {
	u := e.publishes.Get().(*publish)
	err := u.m.Decode(req.Body)
	if err == nil {
		err = e.machine.CheckPublish(&u.m)
	}
	if err != nil {
		u.refuse(r, req.Tag, err)
		return
	}
	if is == unsure && e.creations.join(req, r, u.m.Topic) {
		u.release()
		return
	}
	t, ok := e.machine.Topic(u.m.Topic)
	if !ok || u.m.Partition >= int32(t.Partitions) {
		if is != sure {
			e.doubt(g, req, r, u.m.Topic, !ok && is == unsure)
			u.release()
			return
		}
		_, _, err := e.machine.Span(u.m.Topic, int(u.m.Partition))
		u.refuse(r, req.Tag, err)
		return
	}
	for i := range u.m.Records {
		if n := fsm.RecordSize(&u.m.Records[i]); uint64(n) > t.Settings.MaxMessage {
			u.refuse(r, req.Tag, wire.Errorf(wire.TooLarge, "record of %d bytes is over the limit of %d of topic %q", n, t.Settings.MaxMessage, t.Name))
			return
		}
	}
	if err = u.divide(e.topic(&t), t.Partitions); err != nil {
		u.refuse(r, req.Tag, err)
		return
	}
	u.client, u.tag, u.now = r, req.Tag, wallClock()
	u.send(g, req.Deadline, t.Settings.Compression)
}

// divide decides where the records go: into parts, one for each partition.
func (u *publish) divide(t *topic, partitions int) error {
	u.parts = u.parts[:0]
	if keys := u.keyed(); u.m.Partition == wire.AnyPartition && keys > 0 && (len(u.m.Records) > 1) {
		return u.sortOut(t, partitions)
	} else if u.m.Partition == wire.AnyPartition {
		u.m.Partition = t.sticky.Load() % int32(partitions)
		if keys > 0 {
			u.m.Partition = int32(record.Partition(u.m.Records[0].Key, partitions))
		}
	}
	u.home, u.order = u.home[:0], u.order[:0]
	u.parts = append(u.parts, part{pub: u, src: t.sources[u.m.Partition], count: len(u.m.Records)})
	return u.measure()
}

// keyed counts the records that have a key.
func (u *publish) keyed() (n int) {
	for i := range u.m.Records {
		if u.m.Records[i].Flags&wire.RecordKey != 0 {
			n++
		}
	}
	return n
}

// sortOut makes the parts of records for which their keys choose partitions.
func (u *publish) sortOut(t *topic, partitions int) error {
	sticky := t.sticky.Load() % int32(partitions)
	u.home, u.order = u.home[:0], u.order[:0]
	for i := range u.m.Records {
		home := sticky
		if u.m.Records[i].Flags&wire.RecordKey != 0 {
			home = int32(record.Partition(u.m.Records[i].Key, partitions))
		}
		u.home, u.order = append(u.home, home), append(u.order, int32(i))
	}
	slices.SortFunc(u.order, func(a, b int32) int {
		if u.home[a] != u.home[b] {
			return int(u.home[a]) - int(u.home[b])
		}
		return int(a) - int(b)
	})
	for i, at := range u.order {
		if n := len(u.parts); n == 0 || u.parts[n-1].src.partition != u.home[at] {
			u.parts = append(u.parts, part{pub: u, src: t.sources[u.home[at]], first: i})
		}
		u.parts[len(u.parts)-1].count++
	}
	return u.measure()
}

// measure finds out how large the parts are, and whether each has room in a batch.
func (u *publish) measure() error {
	for i := range u.parts {
		p := &u.parts[i]
		p.bytes = record.HeadSize
		for k := range p.count {
			m := p.record(k)
			p.bytes += fsm.RecordSize(m) + record.Overhead + record.HeaderOverhead*len(m.Headers)
		}
		if p.bytes > wire.MaxRecordBatch {
			return wire.Errorf(wire.TooLarge, "the records for partition %d of topic %q take %d bytes, a batch has %d at most: publish fewer of them at once",
				p.src.partition, p.src.topic.Load().name, p.bytes, wire.MaxRecordBatch)
		}
	}
	return nil
}

// send gives the parts to the log. u may be another's when it returns.
func (u *publish) send(g *replica.Group, deadline int64, codec wire.Compression) {
	gathers := codec != wire.CompressionNone || u.behind()
	if len(u.parts) == 1 && !gathers {
		u.open = 1
		g.Share(u.parts[0].src, wire.OpStreamAppend, deadline, &u.parts[0])
		return
	}
	u.open = len(u.parts) + 1
	if gathers {
		u.held = true
		u.e.held.Enter(wire.OpStreamPublish, u.client)
	}
	for i := range u.parts {
		if p := &u.parts[i]; gathers {
			p.src.take(p, codec, deadline)
		} else {
			g.Share(p.src, wire.OpStreamAppend, deadline, p)
		}
	}
	u.mu.Lock()
	over := u.through()
	u.mu.Unlock()
	if over {
		u.answer()
	}
}

// behind reports whether something is still gathered where the records go. Those of a topic that has no codec any more come behind
// it, by being gathered too: otherwise they would overtake what the same client has published before.
func (u *publish) behind() bool {
	for i := range u.parts {
		if u.parts[i].src.gather.busy.Load() {
			return true
		}
	}
	return false
}

// through notes that a part is settled, or that send is at its end, and reports whether that was the last. The lock is held.
func (u *publish) through() bool {
	u.open--
	return u.open == 0
}

// answer ends the publish. Only a request of which no part was written can say that surely nothing was executed.
func (u *publish) answer() {
	resp := wire.Response{Rev: u.rev, Num: int64(len(u.m.Records)), Body: u.places}
	if u.fail.Code != wire.OK {
		resp = u.fail
		if u.done > 0 && resp.Code != wire.OutcomeUnknown {
			resp = wire.Failf(wire.OutcomeUnknown, "%d of %d partitions have their records, another has not: %s", u.done, len(u.parts), resp.Body)
		}
	}
	e, client, held := u.e, u.client, u.held
	client.Reply(u.tag, resp)
	u.release()
	if held {
		e.held.Leave(wire.OpStreamPublish, client)
	}
}

// refuse answers a publish that does not begin.
func (u *publish) refuse(r engine.Replier, tag uint64, err error) {
	u.release()
	r.Reply(tag, wire.Fail(err))
}

// keepRecords is how many records the memory of a publish that is used again may have had.
const keepRecords = 1024

// release gives u's memory to others.
func (u *publish) release() {
	if cap(u.m.Records) > keepRecords {
		u.m.Records, u.home, u.order, u.places = nil, nil, nil, nil
	}
	all := u.m.Records[:cap(u.m.Records)]
	for i := range all {
		clear(all[i].Headers[:cap(all[i].Headers)])
		all[i] = wire.StreamRecord{Headers: all[i].Headers[:0]}
	}
	clear(u.parts)
	u.m = wire.StreamPublish{Records: u.m.Records[:0]}
	u.client, u.tag, u.parts, u.held = nil, 0, u.parts[:0], false
	u.done, u.rev, u.fail, u.places = 0, 0, wire.Response{}, u.places[:0]
	u.e.publishes.Put(u)
}
