package people

import (
	"cmp"
	"math"
	"slices"

	"github.com/skshohagmiah/flin/pkg/record"
	"github.com/skshohagmiah/flin/pkg/wire"
)

const (
	tailLimit = 10       // records of a tail, unless it says
	tailMost  = 1000     // records of a tail, at most
	tailValue = 32 << 10 // bytes of a value that a tail shows among others; of a longer one it says the size
)

// tailed is a record that a tail shows.
type tailed struct {
	Partition int32             `json:"partition"`
	Offset    int64             `json:"offset"`
	Time      int64             `json:"time"` // ms since 1970
	Key       *string           `json:"key,omitempty"`
	KeyRaw    []byte            `json:"key_base64,omitempty"`
	Value     *string           `json:"value"` // null: it has none, or value_base64 or size says it
	ValueRaw  []byte            `json:"value_base64,omitempty"`
	ValueSize int               `json:"size,omitempty"` // of a value that is too long to be shown
	Headers   map[string]string `json:"headers,omitempty"`
}

func streamTail(c *call) error {
	limit := c.number("Limit", 1, tailMost, tailLimit)
	if c.given("Offset") {
		return tailFrom(c, limit)
	}
	resp, err := c.ask(wire.OpStreamInfo, (&wire.TopicName{Topic: c.name}).Append(nil))
	if err != nil {
		return err
	}
	var topic wire.TopicInfo
	if err := topic.Decode(resp.Body); err != nil {
		return err
	}
	wanted := c.partition()
	if int(wanted) >= len(topic.Partitions) {
		return wire.Errorf(wire.OutOfRange, "topic %s has no partition %d, only 0 to %d", c.name, wanted, len(topic.Partitions)-1)
	}
	found, err := c.newest(&topic, wanted, int(limit))
	if err != nil {
		return err
	}
	return c.showRecords(found)
}

// newest returns the last records of all partitions, or of that which is wanted, in the order of their times. The partitions that had
// news last are read first, so that it may end before all are read.
func (c *call) newest(topic *wire.TopicInfo, wanted int32, limit int) ([]tailed, error) {
	var order []int
	for i := range topic.Partitions {
		if p := &topic.Partitions[i]; p.End > p.Start && (wanted == wire.AnyPartition || i == int(wanted)) {
			order = append(order, i)
		}
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(topic.Partitions[b].Newest, topic.Partitions[a].Newest) })
	var found []tailed
	for _, i := range order {
		p := &topic.Partitions[i]
		if len(found) >= limit && found[len(found)-limit].Time > p.Newest {
			break // none of its records is as young
		}
		some, err := c.fetch(&wire.StreamFetch{Topic: c.name, Partition: int32(i), Offset: max(p.Start, p.End-int64(limit)), Count: uint64(limit)}, p.End)
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
		slices.SortStableFunc(found, func(a, b tailed) int { return cmp.Compare(a.Time, b.Time) })
		found = found[max(0, len(found)-limit):]
	}
	return found, nil
}

// tailFrom reads a partition from an offset on, and waits if there is nothing.
func tailFrom(c *call, limit uint64) error {
	m := wire.StreamFetch{
		Topic: c.name, Partition: max(c.partition(), 0), Offset: int64(c.number("Offset", 0, math.MaxInt64, 0)), Count: limit,
		Wait: uint64(c.wait().Milliseconds()),
	}
	found, err := c.fetchOnce(&m)
	if err != nil {
		return err
	}
	return c.showRecords(found)
}

// showRecords answers with records. With those that there is no room for the next request may begin: Flin-Offset says where.
func (c *call) showRecords(found []tailed) error {
	for i := range found {
		fits, err := c.line(&found[i])
		if err != nil {
			return err
		}
		if !fits {
			c.setNumber("Partition", uint64(found[i].Partition))
			c.setNumber("Offset", uint64(found[i].Offset))
			return nil
		}
	}
	return nil
}

// fetch reads records up to end, with as many requests as it takes.
func (c *call) fetch(m *wire.StreamFetch, end int64) (all []tailed, err error) {
	for m.Offset < end {
		some, err := c.fetchOnce(m)
		if err != nil {
			return nil, err
		}
		if len(some) == 0 {
			return all, nil // they have expired meanwhile
		}
		all = append(all, some...)
		m.Offset = some[len(some)-1].Offset + 1
		m.Count -= min(m.Count-1, uint64(len(some)))
	}
	return all, nil
}

func (c *call) fetchOnce(m *wire.StreamFetch) (found []tailed, err error) {
	resp, err := c.ask(wire.OpStreamFetch, m.Append(nil))
	if err != nil {
		return nil, err
	}
	var section wire.StreamSection
	r := wire.NewReader(resp.Body)
	if wire.TakeStreamSection(&r, &section); r.Err() != nil {
		return nil, r.Err()
	}
	var reader record.Reader
	var one record.Record
	for rest := section.Batches; len(rest) > 0; {
		batch, more, err := record.Next(rest)
		if err != nil {
			return nil, err
		}
		rest = more
		if err := reader.Reset(batch); err != nil {
			return nil, err
		}
		for {
			ok, err := reader.Next(&one)
			if err != nil {
				return nil, err
			}
			if !ok || one.Offset >= section.To {
				break
			}
			if one.Offset >= section.From {
				found = append(found, show(section.Partition, &one))
			}
		}
	}
	return found, nil
}

func show(partition int32, rec *record.Record) tailed {
	one := tailed{Partition: partition, Offset: rec.Offset, Time: rec.Timestamp}
	if rec.Key != nil {
		one.Key, one.KeyRaw = say(rec.Key)
	}
	switch {
	case len(rec.Value) > tailValue:
		one.ValueSize = len(rec.Value)
	case rec.Value != nil:
		one.Value, one.ValueRaw = say(rec.Value)
		one.ValueRaw = append([]byte(nil), one.ValueRaw...) // the batch's memory is used again
	}
	if len(rec.Headers) > 0 {
		one.Headers = make(map[string]string, len(rec.Headers))
		for _, h := range rec.Headers {
			one.Headers[string(h.Name)] = string(h.Value)
		}
	}
	return one
}
