//go:build peers

package systest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"
)

// rueidis works with its defaults: it tracks what it caches, and is told when that changes.
func TestRueidisCachesAndIsToldOfChanges(t *testing.T) {
	s := start(t)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	told := make(chan string, 1000)
	reader, err := rueidis.NewClient(rueidis.ClientOption{
		InitAddress: []string{s.port},
		OnInvalidations: func(keys []rueidis.RedisMessage) {
			if keys == nil {
				told <- "*"
			}
			for i := range keys {
				k, _ := keys[i].ToString()
				told <- k
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	writer := redis.NewClient(&redis.Options{Addr: s.port})
	defer writer.Close()

	get := func() (string, bool) {
		t.Helper()
		r := reader.DoCache(ctx, reader.B().Get().Key("k").Cache(), time.Minute)
		v, err := r.ToString()
		if err != nil && !rueidis.IsRedisNil(err) {
			t.Fatal(err)
		}
		return v, r.IsCacheHit()
	}
	// What was told of earlier changes may still come: a value that is cached stays so from some point on.
	cached := func(want string) {
		t.Helper()
		for ctx.Err() == nil {
			v, hit := get()
			if v != want {
				t.Fatalf("read %q, not %q", v, want)
			}
			if hit {
				return
			}
		}
		t.Fatal("nothing is cached")
	}
	await := func(what string) {
		t.Helper()
		for {
			select {
			case k := <-told:
				if k == what {
					return
				}
			case <-ctx.Done():
				t.Fatalf("never told of %q", what)
			}
		}
	}
	for i := range 50 {
		want := strconv.Itoa(i)
		if err := writer.Set(ctx, "k", want, 0).Err(); err != nil {
			t.Fatal(err)
		}
		if i > 0 {
			await("k")
		}
		cached(want)
	}
	for _, change := range []func() error{
		func() error { return writer.Append(ctx, "k", "x").Err() },
		func() error { return writer.Expire(ctx, "k", time.Hour).Err() },
		func() error { return writer.Rename(ctx, "k", "l").Err() },
		func() error { return writer.Rename(ctx, "l", "k").Err() },
		func() error { return writer.Del(ctx, "k").Err() },
		func() error { return writer.Set(ctx, "k", "v", time.Second).Err() },
		func() error { return nil }, // it expires
	} {
		if err := change(); err != nil {
			t.Fatal(err)
		}
		await("k")
		v, _ := get()
		cached(v)
	}
	if err := writer.FlushAll(ctx).Err(); err != nil {
		t.Fatal(err)
	}
	await("*")
}

// A value that rueidis has cached is never older than a write that was acknowledged and told of, however readers and
// writers race.
func TestRueidisNeverKeepsAnOldValue(t *testing.T) {
	s := start(t)
	ctx := context.Background()
	reader, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{s.port}})
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	writer := redis.NewClient(&redis.Options{Addr: s.port})
	defer writer.Close()
	const keys, writes = 4, 500
	var writing sync.WaitGroup
	stop := make(chan struct{})
	var reading sync.WaitGroup
	for k := range keys {
		key := fmt.Sprint("k", k)
		writing.Go(func() {
			for i := range writes {
				if err := writer.Set(ctx, key, i, 0).Err(); err != nil {
					t.Error(err)
					return
				}
			}
		})
		reading.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					_ = reader.DoCache(ctx, reader.B().Get().Key(key).Cache(), time.Minute).Error()
				}
			}
		})
	}
	writing.Wait()
	close(stop)
	reading.Wait()
	deadline := time.Now().Add(20 * time.Second)
	for k := range keys {
		for {
			v, err := reader.DoCache(ctx, reader.B().Get().Key(fmt.Sprint("k", k)).Cache(), time.Minute).AsInt64()
			if err == nil && v == writes-1 {
				break
			}
			if time.Now().After(deadline) {
				t.Fatalf("k%d is %d (%v) for ever, not %d", k, v, err, writes-1)
			}
		}
	}
}

// go-redis's transactions retry when a watched key changes, and lose nothing.
func TestGoRedisTransactionsCount(t *testing.T) {
	s := start(t)
	ctx := context.Background()
	c := redis.NewClient(&redis.Options{Addr: s.port})
	defer c.Close()
	const goroutines, each = 8, 20
	var wg sync.WaitGroup
	for range goroutines {
		wg.Go(func() {
			for range each {
				var err error = redis.TxFailedErr
				for errors.Is(err, redis.TxFailedErr) {
					err = c.Watch(ctx, func(tx *redis.Tx) error {
						n, err := tx.Get(ctx, "n").Int()
						if err != nil && !errors.Is(err, redis.Nil) {
							return err
						}
						_, err = tx.TxPipelined(ctx, func(p redis.Pipeliner) error { return p.Set(ctx, "n", n+1, 0).Err() })
						return err
					}, "n")
				}
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if n, err := c.Get(ctx, "n").Int(); err != nil || n != goroutines*each {
		t.Errorf("%d increments came to %d, %v", goroutines*each, n, err)
	}
}

// redis-cli's modes and redis-benchmark work unmodified.
func TestRedisCLI(t *testing.T) {
	s := start(t)
	host, port, err := net.SplitHostPort(s.port)
	if err != nil {
		t.Fatal(err)
	}
	cli := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("redis-cli", append([]string{"-h", host, "-p", port}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("redis-cli %v: %v\n%s", args, err, out)
		}
		return strings.TrimRight(string(out), "\n")
	}
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"SET", "k", "hello world"}, "OK"},
		{[]string{"GET", "k"}, "hello world"},
		{[]string{"-3", "GET", "missing"}, ""},
		{[]string{"--csv", "MGET", "k", "missing"}, `"hello world",NULL`},
		{[]string{"-n", "3", "SET", "k", "three"}, "OK"},
		{[]string{"-n", "3", "--scan", "--pattern", "k*"}, "k"},
		{[]string{"-3", "CONFIG", "GET", "databases"}, "databases 16"},
		{[]string{"LPUSH", "a", "b"}, "ERR unknown command 'LPUSH', with args beginning with: 'a' 'b' \n"},
		{[]string{"-r", "3", "INCR", "n"}, "1\n2\n3"},
		{[]string{"--no-raw", "MGET", "n", "missing"}, "1) \"3\"\n2) (nil)"},
	} {
		if got := cli(c.args...); got != strings.TrimRight(c.want, "\n") {
			t.Errorf("redis-cli %v says %q, not %q", c.args, got, c.want)
		}
	}
	for mode, says := range map[string]string{"--bigkeys": "Biggest string found", "--memkeys": "Biggest string found"} {
		if out := cli(mode); !strings.Contains(out, says) {
			t.Errorf("redis-cli %s says\n%s\nwithout %q", mode, out, says)
		}
	}
	bench := exec.Command("redis-benchmark", "-h", host, "-p", port, "-q", "-n", "2000", "-P", "16", "-t", "ping,set,get,incr,mset")
	out, err := bench.CombinedOutput()
	if err != nil || strings.Count(string(out), "requests per second") < 6 || strings.Contains(string(out), "rror") {
		t.Errorf("redis-benchmark: %v\n%s", err, out)
	}
}
