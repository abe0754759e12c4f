package driver

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/redis/rueidis"
)

// RueidisStream opens rueidis on a Redis stream whose records have one field. It is left at its defaults. What members of
// the group are given goes on the group's list of what is pending and is taken off it by one XACK a batch; with noack neither.
func RueidisStream(noack bool) OpenStream {
	return func(addr string) (Stream, error) {
		c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{addr}})
		if err != nil {
			return nil, fmt.Errorf("rueidis: connect to %s: %w", addr, err)
		}
		create := c.B().XgroupCreate().Key(streamName).Group(streamName).Id("0").Mkstream().Build()
		if err := c.Do(context.Background(), create).Error(); err != nil && !rueidis.IsRedisBusyGroup(err) {
			c.Close()
			return nil, fmt.Errorf("rueidis: make a group: %w", err)
		}
		return &rueidisStream{c: c, noack: noack}, nil
	}
}

type rueidisStream struct {
	c     rueidis.Client
	noack bool
}

// field is the name of the one field of a record: it travels with each.
const field = "v"

func (q *rueidisStream) add(body []byte) rueidis.Completed {
	return q.c.B().Xadd().Key(streamName).Id("*").FieldValue().FieldValue(field, rueidis.BinaryString(body)).Build()
}

func (q *rueidisStream) Publish(body []byte) error {
	return q.c.Do(context.Background(), q.add(body)).Error()
}

// Fill puts all in the one place that there is.
func (q *rueidisStream) Fill(_ int, bodies [][]byte) error {
	cmds := make(rueidis.Commands, 0, len(bodies))
	for _, body := range bodies {
		cmds = append(cmds, q.add(body))
	}
	for _, resp := range q.c.DoMulti(context.Background(), cmds...) {
		if err := resp.Error(); err != nil {
			return err
		}
	}
	return nil
}

func (q *rueidisStream) Stored() (uint64, error) {
	return q.c.Do(context.Background(), q.c.B().Xlen().Key(streamName).Build()).AsUint64()
}

func (q *rueidisStream) Consumer(i, _ int) (Consumer, error) {
	return &rueidisConsumer{rueidisStream: q, consumer: "consumer" + strconv.Itoa(i)}, nil
}

func (q *rueidisStream) Close() error {
	q.c.Close()
	return nil
}

type rueidisConsumer struct {
	*rueidisStream
	consumer string
	ids      []string
}

// Next does not wait: the calls of all members share a connection.
func (q *rueidisConsumer) Next(n int, wait time.Duration, see func(body []byte) error) (int, error) {
	if wait > 0 {
		return 0, errors.New("rueidis: these members do not wait for records")
	}
	group := q.c.B().Xreadgroup().Group(streamName, q.consumer).Count(int64(n))
	var cmd rueidis.Completed
	if q.noack {
		cmd = group.Noack().Streams().Key(streamName).Id(">").Build()
	} else {
		cmd = group.Streams().Key(streamName).Id(">").Build()
	}
	entries, err := readEntries(q.c.Do(context.Background(), cmd))
	if err != nil || len(entries) == 0 {
		return 0, err
	}
	q.ids = q.ids[:0]
	for i := range entries {
		id, body, err := readEntry(&entries[i])
		if err == nil {
			err = see(body)
		}
		if err != nil {
			return 0, err
		}
		q.ids = append(q.ids, id)
	}
	if q.noack {
		return len(entries), nil
	}
	ack := q.c.B().Xack().Key(streamName).Group(streamName).Id(q.ids...).Build()
	if done, err := q.c.Do(context.Background(), ack).AsInt64(); err != nil || done != int64(len(q.ids)) {
		return 0, errors.Join(fmt.Errorf("XACK of %d records says %d", len(q.ids), done), err)
	}
	return len(entries), nil
}

// Close leaves the stream, which rueidisStream's would close.
func (q *rueidisConsumer) Close() error { return nil }

// readEntries takes the entries of the one stream out of what XREADGROUP answers. The library's own AsXRead makes a map of
// each record, which would cost it more.
func readEntries(resp rueidis.RedisResult) ([]rueidis.RedisMessage, error) {
	m, err := resp.ToMessage()
	if rueidis.IsRedisNil(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	streams, err := m.AsMap()
	if err != nil {
		return nil, err
	}
	for _, entries := range streams {
		return entries.ToArray()
	}
	return nil, nil
}

func readEntry(m *rueidis.RedisMessage) (id string, body []byte, err error) {
	entry, err := m.ToArray()
	if err != nil || len(entry) != 2 {
		return "", nil, errors.Join(errors.New("XREADGROUP gave an entry that is none"), err)
	}
	if id, err = entry[0].ToString(); err != nil {
		return "", nil, err
	}
	fields, err := entry[1].ToArray()
	if err != nil || len(fields) != 2 {
		return "", nil, errors.Join(fmt.Errorf("entry %s has %d fields and values, not 2", id, len(fields)), err)
	}
	body, err = fields[1].AsBytes()
	return id, body, err
}
