package driver

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"
)

// The subjects of the map behind request and reply.
const (
	natsGet = "bench.get" // the key; answered with the value, or with nothing
	natsSet = "bench.set" // u16 length of the key, key, value; answered with natsDone
)

var natsDone = []byte("+")

// natsPatience bounds a request: the responder is on this machine, and a measurement that loses one has failed.
const natsPatience = 10 * time.Second

// AnswerNATS answers requests for keys out of a map, on one connection, as the bus has, until ctx ends.
func AnswerNATS(ctx context.Context, addr string) error {
	nc, err := nats.Connect("nats://"+addr, nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1), nats.ReconnectWait(10*time.Millisecond))
	if err != nil {
		return fmt.Errorf("connect to %s: %w", addr, err)
	}
	defer nc.Close()
	values := map[string][]byte{} // of the one goroutine of the subscription
	_, err = nc.Subscribe("bench.*", func(m *nats.Msg) {
		ans := natsDone
		switch m.Subject {
		case natsGet:
			ans = values[string(m.Data)]
		case natsSet:
			n := binary.BigEndian.Uint16(m.Data)
			values[string(m.Data[2:2+n])] = bytes.Clone(m.Data[2+n:])
		}
		_ = m.Respond(ans) // whoever asked notices
	})
	if err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// NATSMap opens nats.go on a NATS server behind which AnswerNATS has a map: plain request and reply, over one connection unless
// conns says otherwise.
func NATSMap(addr string, conns int) (KV, error) {
	k := &natsKV{}
	for range max(conns, 1) {
		nc, err := nats.Connect("nats://" + addr)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("nats.go: connect to %s: %w", addr, err), k.Close())
		}
		k.conns = append(k.conns, nc)
	}
	return k, nil
}

// NATSMapAnswers returns nil when a request to the map at addr is answered.
func NATSMapAnswers(_ context.Context, addr string) error {
	nc, err := nats.Connect("nats://" + addr)
	if err != nil {
		return err
	}
	defer nc.Close()
	_, err = nc.Request(natsGet, []byte("first"), time.Second)
	return err
}

type natsKV struct{ conns []*nats.Conn }

// conn returns the connection of a key.
func (k *natsKV) conn(key string) *nats.Conn { return k.conns[int(key[len(key)-1])%len(k.conns)] }

func (k *natsKV) Set(key string, value []byte) error {
	b := make([]byte, 0, 2+len(key)+len(value))
	b = binary.BigEndian.AppendUint16(b, uint16(len(key)))
	b = append(append(b, key...), value...)
	_, err := k.conn(key).Request(natsSet, b, natsPatience)
	return err
}

func (k *natsKV) Get(key string) ([]byte, error) {
	m, err := k.conn(key).Request(natsGet, []byte(key), natsPatience)
	if err != nil {
		return nil, err
	}
	if len(m.Data) == 0 {
		return nil, &MissingError{key}
	}
	return m.Data, nil
}

func (k *natsKV) MSet(keys []string, values [][]byte) error {
	for i, key := range keys {
		if err := k.Set(key, values[i]); err != nil {
			return err
		}
	}
	return nil
}

func (k *natsKV) MGet(keys []string) ([][]byte, error) {
	values := make([][]byte, len(keys))
	for i, key := range keys {
		value, err := k.Get(key)
		if err != nil {
			return nil, err
		}
		values[i] = value
	}
	return values, nil
}

func (k *natsKV) Close() error {
	for _, nc := range k.conns {
		nc.Close()
	}
	return nil
}
