package stream

import (
	"encoding/binary"
	"slices"

	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// part is what a publish has for one partition: an item of a batch that it shares.
type part struct {
	pub   *publish
	src   *source
	first int // in publish.order
	count int
	bytes int // that it takes in a batch of its own, at most
	base  int // the place of its first record in the batch
}

// at returns which of the publish's records is the part's k-th.
func (p *part) at(k int) int {
	if len(p.pub.order) == 0 {
		return k
	}
	return int(p.pub.order[p.first+k])
}

func (p *part) record(k int) *wire.StreamRecord { return &p.pub.m.Records[p.at(k)] }

// Size returns the bytes of a command that has no other records, at most.
func (p *part) Size() int { return p.bytes + len(p.src.topic.Load().name) + 2*binary.MaxVarintLen32 }

// Lane returns whose order the records keep.
func (p *part) Lane() wire.Replier { return p.pub.client }

// Reply takes a refusal.
func (p *part) Reply(_ uint64, resp wire.Response) { p.settle(&resp) }

// fill puts the records into a batch.
func (p *part) fill(b *record.Builder) {
	for k := range p.count {
		m := p.record(k)
		r := record.Record{Timestamp: p.pub.now, Key: m.Key, Value: m.Value, Headers: m.Headers}
		if m.Flags&wire.RecordTime != 0 {
			r.Timestamp = m.Time
		}
		b.Add(&r)
	}
}

// settle takes what became of the records. The last part answers.
func (p *part) settle(resp *wire.Response) {
	u := p.pub
	u.mu.Lock()
	if resp.Code == wire.OK {
		u.done++
		u.rev = max(u.rev, resp.Rev)
		p.place(resp.Num + int64(p.base))
	} else if u.fail.Code != wire.OutcomeUnknown {
		u.fail = *resp
		u.fail.Body = slices.Clone(resp.Body)
	}
	over := u.through()
	u.mu.Unlock()
	if over {
		u.answer()
	}
}

// place notes where the records are, the first of which has the given offset.
func (p *part) place(offset int64) {
	u := p.pub
	if len(u.places) == 0 {
		u.places = slices.Grow(u.places, len(u.m.Records)*wire.PlaceSize)[:len(u.m.Records)*wire.PlaceSize]
	}
	for k := range p.count {
		b := u.places[p.at(k)*wire.PlaceSize:]
		binary.BigEndian.PutUint32(b, uint32(p.src.partition))
		binary.BigEndian.PutUint64(b[4:], uint64(offset+int64(k)))
	}
}
