package fsm

import (
	"path"

	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// payloads are what bodies are decoded into, used again and again.
type payloads struct {
	publish   wire.StreamPublish
	append    wire.StreamAppend
	fetch     wire.StreamFetch
	consume   wire.StreamConsume
	seek      wire.StreamSeek
	create    wire.TopicCreate
	list      wire.StreamList
	offsets   wire.StreamOffsets
	subscribe wire.StreamSubscribe
	member    wire.StreamMember
	commit    wire.StreamCommit
	reset     wire.StreamReset
	group     wire.StreamGroupName
	evict     wire.StreamEvict
}

// Check reports what is wrong with a payload before it is proposed or served: that it cannot be decoded, names, sizes, bounds; of an
// OpStreamAppend that the batch is not good in every respect. What depends on what is there is judged when the command is applied.
// Any goroutine may call it; body is on loan.
func (m *Machine) Check(op wire.Op, body []byte) error {
	if KindOf(op) == None {
		return wire.Errorf(wire.Unsupported, "the stream engine has no operation %v", op)
	}
	p := m.pool.Get().(*payloads) //nolint:forcetypeassert // the pool holds nothing else
	err := ops[byte(op)].check(m, p, body)
	if err == nil && op == wire.OpStreamAppend {
		err = m.checkBatch(&p.append)
	}
	m.pool.Put(p)
	return err
}

// checkBatch looks at every record of a batch. That is not done again when it is applied: the log has what was let in.
func (m *Machine) checkBatch(a *wire.StreamAppend) error {
	limit := m.o.MaxMessage
	if t, ok := m.Topic(a.Topic); ok {
		limit = min(limit, int(t.Settings.MaxMessage))
	}
	_, err := record.Check(a.Batch, limit)
	return err
}

func checkNothing(_ *Machine, _ *payloads, body []byte) error {
	r := wire.NewReader(body)
	return r.Close()
}

func checkTopic(_ *Machine, _ *payloads, body []byte) error { return wire.CheckName("topic", body) }

func checkLimit(_ *Machine, _ *payloads, body []byte) error {
	_, err := wire.TakeLimit(body, 1)
	return err
}

func checkCreate(_ *Machine, p *payloads, body []byte) error {
	if err := p.create.Decode(body); err != nil {
		return err
	}
	if err := wire.CheckName("topic", p.create.Topic); err != nil {
		return err
	}
	f, s := p.create.Fields, &p.create.Settings
	const all = wire.TopicHasCompaction<<1 - 1
	switch {
	case f&^all != 0:
		return wire.Errorf(wire.Invalid, "a setting that does not exist is given")
	case f&wire.TopicHasCompaction != 0:
		return errCompaction
	case p.create.Partitions > wire.MaxPartitions:
		return over("the number of partitions", p.create.Partitions, wire.MaxPartitions)
	case f&wire.TopicHasRetention != 0 && s.Retention < -1:
		return wire.Errorf(wire.Invalid, "a retention of %d ms is negative: -1 keeps records for ever", s.Retention)
	case f&wire.TopicHasRetention != 0 && s.Retention > wire.MaxRetention:
		return over("a retention in ms", uint64(s.Retention), wire.MaxRetention)
	case f&wire.TopicHasMaxBytes != 0 && s.MaxBytes < -1:
		return wire.Errorf(wire.Invalid, "a bound of %d bytes is negative: -1 is no bound", s.MaxBytes)
	case f&wire.TopicHasMaxMessage != 0 && s.MaxMessage == 0:
		return wire.Errorf(wire.Invalid, "a topic whose records may have 0 bytes takes none")
	case f&wire.TopicHasMaxMessage != 0 && s.MaxMessage > wire.MaxRecord:
		return over("the bytes of the largest record", s.MaxMessage, wire.MaxRecord)
	case f&wire.TopicHasCompression != 0 && s.Compression > wire.CompressionZstd:
		return wire.Errorf(wire.Invalid, "there is no compression %d", s.Compression)
	}
	return nil
}

func checkAlter(m *Machine, p *payloads, body []byte) error { return checkCreate(m, p, body) }

const (
	defaultLimit = 100
	maxLimit     = 1000
)

func checkList(_ *Machine, p *payloads, body []byte) error {
	if err := p.list.Decode(body); err != nil {
		return err
	}
	if p.list.Limit > maxLimit {
		return over("the length of a list", p.list.Limit, maxLimit)
	}
	if match := string(p.list.Match); match != "" {
		if _, err := path.Match(match, ""); err != nil {
			return wire.Errorf(wire.Invalid, "%q is no pattern: * ? [a-z] [^a-z] and \\ are understood", match)
		}
	}
	if len(p.list.Topic) > 0 {
		return wire.CheckName("topic", p.list.Topic)
	}
	return nil
}

func checkOffsets(_ *Machine, p *payloads, body []byte) error {
	if err := p.offsets.Decode(body); err != nil {
		return err
	}
	if err := wire.CheckName("topic", p.offsets.Topic); err != nil {
		return err
	}
	if p.offsets.Time < wire.OffsetEarliest {
		return wire.Errorf(wire.Invalid, "%d is no time in ms since 1970", p.offsets.Time)
	}
	return nil
}
