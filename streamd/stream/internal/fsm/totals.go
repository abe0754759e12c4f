package fsm

// Totals are figures over all topics and groups, for metrics.
type Totals struct {
	Topics, Partitions      uint64
	Batches, Bytes, Records uint64 // that are kept
	Groups, Members         uint64
	Producers               uint64 // pairs of a producer and a partition that are remembered
	AppendedRecords         uint64 // since the process began
	AppendedBytes           uint64 // likewise, of batches
}

// Totals returns the figures of this moment. Any goroutine may call it.
func (m *Machine) Totals() Totals {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return Totals{
		Topics: uint64(len(m.topics)), Partitions: uint64(m.partitions),
		Batches: uint64(m.batches), Bytes: uint64(m.bytes), Records: uint64(m.records),
		Groups: uint64(len(m.groups)), Members: uint64(m.members), Producers: uint64(m.producers.count),
		AppendedRecords: m.appendedRecords.Load(), AppendedBytes: m.appendedBytes.Load(),
	}
}
