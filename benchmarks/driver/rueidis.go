package driver

import (
	"context"
	"fmt"

	"github.com/redis/rueidis"
)

// Rueidis opens rueidis, a client that sends the commands of many goroutines through few connections by itself. It is
// left at its defaults; conns is not used.
func Rueidis(addr string, _ int) (KV, error) {
	c, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{addr}})
	if err != nil {
		return nil, fmt.Errorf("rueidis: connect to %s: %w", addr, err)
	}
	return rueidisKV{c}, nil
}

type rueidisKV struct{ c rueidis.Client }

// A context that cannot end is what rueidis is fastest with; a hung call is ended by Close.
func (r rueidisKV) Set(key string, value []byte) error {
	cmd := r.c.B().Set().Key(key).Value(rueidis.BinaryString(value)).Build()
	return r.c.Do(context.Background(), cmd).Error()
}

func (r rueidisKV) Get(key string) ([]byte, error) {
	value, err := r.c.Do(context.Background(), r.c.B().Get().Key(key).Build()).AsBytes()
	if rueidis.IsRedisNil(err) {
		return nil, &MissingError{key}
	}
	return value, err
}

func (r rueidisKV) MSet(keys []string, values [][]byte) error {
	cmd := r.c.B().Mset().KeyValue()
	for i, key := range keys {
		cmd = cmd.KeyValue(key, rueidis.BinaryString(values[i]))
	}
	return r.c.Do(context.Background(), cmd.Build()).Error()
}

func (r rueidisKV) MGet(keys []string) ([][]byte, error) {
	list, err := r.c.Do(context.Background(), r.c.B().Mget().Key(keys...).Build()).ToArray()
	if err != nil {
		return nil, err
	}
	values := make([][]byte, len(list))
	for i := range list {
		values[i], err = list[i].AsBytes()
		switch {
		case rueidis.IsRedisNil(err):
			return nil, &MissingError{keys[i]}
		case err != nil:
			return nil, err
		}
	}
	return values, nil
}

func (r rueidisKV) Close() error {
	r.c.Close()
	return nil
}
