package driver

import (
	"context"
	"errors"
	"fmt"

	"github.com/redis/go-redis/v9"
)

// GoRedis opens go-redis, a client whose calls each take a connection from a pool of conns, by default 10 for each core.
// It does not repeat calls that failed: a failure ends a measurement.
func GoRedis(addr string, conns int) (KV, error) {
	c := redis.NewClient(&redis.Options{Addr: addr, PoolSize: conns, MaxRetries: -1})
	if err := c.Ping(context.Background()).Err(); err != nil {
		return nil, errors.Join(fmt.Errorf("go-redis: connect to %s: %w", addr, err), c.Close())
	}
	return goRedisKV{c}, nil
}

type goRedisKV struct{ c *redis.Client }

func (g goRedisKV) Set(key string, value []byte) error {
	return g.c.Set(context.Background(), key, value, 0).Err()
}

func (g goRedisKV) Get(key string) ([]byte, error) {
	value, err := g.c.Get(context.Background(), key).Bytes()
	if errors.Is(err, redis.Nil) {
		return nil, &MissingError{key}
	}
	return value, err
}

func (g goRedisKV) MSet(keys []string, values [][]byte) error {
	pairs := make([]any, 0, 2*len(keys))
	for i, key := range keys {
		pairs = append(pairs, key, values[i])
	}
	return g.c.MSet(context.Background(), pairs...).Err()
}

func (g goRedisKV) MGet(keys []string) ([][]byte, error) {
	list, err := g.c.MGet(context.Background(), keys...).Result()
	if err != nil {
		return nil, err
	}
	values := make([][]byte, len(list))
	for i, value := range list {
		text, ok := value.(string)
		if !ok {
			return nil, &MissingError{keys[i]}
		}
		values[i] = []byte(text)
	}
	return values, nil
}

func (g goRedisKV) Close() error { return g.c.Close() }
