package fsm

import "github.com/skshohagmiah/flin/pkg/wire"

// CheckPublish is Check for an OpStreamPublish that has been decoded. The largest record of the topic is for the engine to hold it
// against (RecordSize).
func (m *Machine) CheckPublish(p *wire.StreamPublish) error {
	if err := wire.CheckName("topic", p.Topic); err != nil {
		return err
	}
	if p.Partition < wire.AnyPartition {
		return wire.Errorf(wire.Invalid, "%d is no partition: they are numbered from 0, -1 leaves the choice to the server", p.Partition)
	}
	if len(p.Records) == 0 {
		return errNone
	}
	for i := range p.Records {
		if err := m.checkRecord(&p.Records[i]); err != nil {
			return err
		}
	}
	return nil
}

const recordFlags = wire.RecordKey | wire.RecordTime | wire.RecordHeaders | wire.RecordNull

func (m *Machine) checkRecord(r *wire.StreamRecord) error {
	switch n := RecordSize(r); {
	case r.Flags&^recordFlags != 0:
		return errFlags
	case r.Time < 0:
		return wire.Errorf(wire.Invalid, "the timestamp %d is below 0", r.Time)
	case len(r.Headers) > wire.MaxHeaders:
		return over("the number of headers", uint64(len(r.Headers)), wire.MaxHeaders)
	case headerBytes(r) > wire.MaxHeaderBytes:
		return wire.Errorf(wire.TooLarge, "%d bytes of names and values of a record's headers are over the limit of %d: put them into the value", headerBytes(r), wire.MaxHeaderBytes)
	case n > m.o.MaxMessage:
		return wire.Errorf(wire.TooLarge, "record of %d bytes is over the limit of %d (-max-value)", n, m.o.MaxMessage)
	}
	return nil
}

// RecordSize is what limits are held against: the bytes of a record's key, value and headers.
func RecordSize(r *wire.StreamRecord) int {
	return len(r.Key) + len(r.Value) + headerBytes(r)
}

func headerBytes(r *wire.StreamRecord) (n int) {
	for _, h := range r.Headers {
		n += len(h.Name) + len(h.Value)
	}
	return n
}

func checkPublish(m *Machine, p *payloads, body []byte) error {
	if err := p.publish.Decode(body); err != nil {
		return err
	}
	err := m.CheckPublish(&p.publish)
	clear(p.publish.Records) // they share memory with the payload
	return err
}

// checkAppend judges all of an OpStreamAppend but the batch (see checkBatch).
func checkAppend(_ *Machine, p *payloads, body []byte) error {
	if err := p.append.Decode(body); err != nil {
		return err
	}
	if err := wire.CheckName("topic", p.append.Topic); err != nil {
		return err
	}
	if n := len(p.append.Batch); n > wire.MaxRecordBatch {
		return errLargeBatch(n)
	}
	return nil
}

// CheckFetch is Check for an OpStreamFetch that has been decoded.
func CheckFetch(p *wire.StreamFetch) error {
	if err := wire.CheckName("topic", p.Topic); err != nil {
		return err
	}
	switch {
	case p.ByTime && p.Offset < 0:
		return wire.Errorf(wire.Invalid, "%d is no time in ms since 1970", p.Offset)
	case p.MinBytes > wire.MaxFetchBytes:
		return over("the bytes to wait for", p.MinBytes, wire.MaxFetchBytes)
	}
	return checkRoom(p.MaxBytes, p.Wait)
}

// checkRoom judges what a fetch and a consume have in common.
func checkRoom(maxBytes, wait uint64) error {
	switch {
	case maxBytes > wire.MaxFetchBytes:
		return over("the bytes of a fetch", maxBytes, wire.MaxFetchBytes)
	case wait > wire.MaxFetchWait:
		return over("a wait in ms", wait, wire.MaxFetchWait)
	}
	return nil
}

func checkFetch(_ *Machine, p *payloads, body []byte) error {
	if err := p.fetch.Decode(body); err != nil {
		return err
	}
	return CheckFetch(&p.fetch)
}
