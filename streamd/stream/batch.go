package stream

import (
	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// batch is a record batch that grows: those who publish to a partition at the same time share it. It gets the answer to the
// command that carries it, and answers them.
type batch struct {
	src     *source
	records record.Builder
	parts   []*part
	// Of a batch that is gathered:
	bytes    int   // what it counts for in Engine.pressing
	deadline int64 // the latest of its publishes', by wire.Clock; 0: one has none
}

// Add takes the records of a part.
func (b *batch) Add(it replica.Item) { b.add(it.(*part)) }

func (b *batch) add(p *part) {
	p.base = b.records.Len()
	p.fill(&b.records)
	b.parts = append(b.parts, p)
}

// Finish appends the command's body to dst. A batch without a codec cannot fail to be written.
func (b *batch) Finish(dst []byte) []byte {
	b.src.closed()
	dst, _ = b.finish(dst, wire.CompressionNone)
	return dst
}

func (b *batch) finish(dst []byte, codec wire.Compression) ([]byte, error) {
	m := wire.StreamAppend{Topic: b.src.topic.Load().name, Partition: b.src.partition}
	return b.records.AppendTo(m.Append(dst), codec, record.NoProducer)
}

// Reply takes what became of the batch.
func (b *batch) Reply(_ uint64, resp wire.Response) {
	src, gathered := b.src, b.bytes
	for _, p := range b.parts {
		p.settle(&resp)
	}
	b.release()
	if gathered > 0 {
		src.settled(gathered)
	}
}

// release gives the batch's memory to others.
func (b *batch) release() {
	e := b.src.e
	clear(b.parts)
	b.records.Reset()
	b.src, b.parts, b.bytes, b.deadline = nil, b.parts[:0], 0, 0
	e.batches.Put(b)
}
