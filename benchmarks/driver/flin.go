package driver

import (
	"context"
	"errors"

	flin "github.com/skshohagmiah/flin/clients/go"
)

// Flin opens Flin's own client. Conns is how many connections all callers share, 0 its default.
func Flin(addr string, conns int) (KV, error) {
	opts := flin.DefaultOptions(addr)
	opts.Name = "benchmark"
	if conns > 0 {
		opts.Connections = conns
	}
	c, err := flin.NewClient(opts)
	if err != nil {
		return nil, err
	}
	return flinKV{c}, nil
}

type flinKV struct{ c *flin.Client }

func (f flinKV) Set(key string, value []byte) error { return f.c.KV.Set(key, value) }

func (f flinKV) Get(key string) ([]byte, error) {
	value, err := f.c.KV.Get(key)
	if errors.Is(err, flin.ErrNotFound) {
		return nil, &MissingError{key}
	}
	return value, err
}

func (f flinKV) MSet(keys []string, values [][]byte) error { return f.c.KV.MSet(keys, values) }

func (f flinKV) MGet(keys []string) ([][]byte, error) {
	values, err := f.c.KV.MGet(keys)
	if err != nil {
		return nil, err
	}
	for i, value := range values {
		if value == nil {
			return nil, &MissingError{keys[i]}
		}
	}
	return values, nil
}

// Scan reads all keys under prefix and their values, once, until ctx ends.
func (f flinKV) Scan(ctx context.Context, prefix string) (n int, err error) {
	for _, err := range f.c.With(ctx).KV.Scan(prefix) {
		if err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

func (f flinKV) Close() error { return f.c.Close() }
