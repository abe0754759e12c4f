package systest

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	flin "github.com/skshohagmiah/flin/clients/go"
)

// redisClient is go-redis on the server, in version 2 or 3 of the protocol.
func redisClient(t *testing.T, addr string, version int) *redis.Client {
	t.Helper()
	c := redis.NewClient(&redis.Options{Addr: addr, Protocol: version, ReadTimeout: 30 * time.Second})
	t.Cleanup(func() { _ = c.Close() }) // the test is over
	return c
}

// try runs commands, given as words, and compares what they say.
func try(t *testing.T, c *redis.Client, script string) {
	t.Helper()
	for line := range strings.Lines(script) {
		command, want, ok := strings.Cut(strings.TrimSpace(line), " -> ")
		if !ok {
			continue
		}
		var args []any
		for w := range strings.FieldsSeq(command) {
			args = append(args, w)
		}
		v, err := c.Do(t.Context(), args...).Result()
		got := fmt.Sprint(v)
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%s: %s, want %s", command, got, want)
		}
	}
}

func TestAMessagesLifeOverRESP(t *testing.T) {
	for _, version := range []int{2, 3} {
		s := start(t)
		c := redisClient(t, s.port, version)
		try(t, c, `
			Q.POP jobs -> redis: nil
			Q.LEN jobs -> 0
			Q.PUSH jobs low -> 1
			Q.PUSH jobs high PRIORITY 9 HEADER k v GROUP g -> 2-9
			Q.PUSH jobs once DEDUP d -> 3
			Q.PUSH jobs again DEDUP d -> 3
			Q.PUSH jobs later DELAY 3600000 -> 4
			Q.MPUSH jobs a b -> [5 6]
			Q.LEN jobs -> 5
			Q.PEEK jobs COUNT 2 -> [[2-9 0 high [k v]] [1 0 low []]]
			Q.POP jobs -> high
			Q.POP jobs COUNT 2 -> [low once]
			Q.POP jobs COUNT 10 WAIT 10 -> [a b]
			Q.POP jobs COUNT 10 -> redis: nil
			Q.REMOVE jobs 4 -> 1
			Q.REMOVE jobs 4 -> 0
			Q.GET jobs 4 -> redis: nil
			Q.CREATE short MAXDELIVER 1 DLQ dead LEASE 60000 -> 1
			Q.CREATE short MAXLEN 1 -> 0
			Q.PUSH short x -> 1
			Q.LIST -> [jobs short]
			Q.LIST MATCH s* -> [short]
			Q.PAUSE short -> OK
			Q.POP short -> redis: nil
			Q.RESUME short -> OK
		`)
		if err := c.Do(t.Context(), "Q.PUSH", "short", "y").Err(); err == nil || !strings.HasPrefix(err.Error(), "OOM ") {
			t.Errorf("a push to a full queue: %v", err)
		}
		lease := func(queue string) []any {
			t.Helper()
			v, err := c.Do(t.Context(), "Q.LEASE", queue).Slice()
			if err != nil || len(v) != 1 {
				t.Fatalf("lease: %v %v", v, err)
			}
			m, _ := v[0].([]any) // else of no length
			if len(m) != 5 {
				t.Fatalf("lease: %v", v)
			}
			return m
		}
		m := lease("short")
		if got := fmt.Sprintln(m[0], m[2], m[3], m[4]); got != "1 1 x []\n" {
			t.Errorf("leased: %s", got)
		}
		receipt := fmt.Sprint(m[1])
		try(t, c, `
			Q.POP short -> redis: nil
			Q.NACK short `+receipt+` ERROR broken -> OK
			Q.LEN short -> 0
		`)
		try(t, c, `
			Q.PEEK dead -> [[1 0 x [x-origin-queue short x-attempts 1 x-last-error broken x-first-enqueued `+firstPushed(t, c, "dead")+`]]]
			Q.REDRIVE short -> 1
			Q.LEN dead -> 0
			Q.LEN short -> 1
		`)
		m = lease("short")
		again, err := c.Do(t.Context(), "Q.EXTEND", "short", m[1], 1000).Int64()
		if err != nil || again < time.Now().Add(-time.Minute).UnixMilli() {
			t.Errorf("extend: %d %v", again, err)
		}
		err = c.Do(t.Context(), "Q.ACK", "short", m[1], receipt).Err()
		if err == nil || !strings.Contains(err.Error(), "1 of 2") || !strings.Contains(err.Error(), "number 2") {
			t.Errorf("a stale receipt among others: %v", err)
		}
		if err := c.Do(t.Context(), "Q.ACK", "short", m[1]).Err(); err == nil || !strings.HasPrefix(err.Error(), "ERR ") {
			t.Errorf("a stale receipt: %v", err)
		}
		info, err := c.Do(t.Context(), "Q.INFO", "short").Result()
		if _, isMap := info.(map[any]any); err != nil || isMap != (version == 3) {
			t.Errorf("info in version %d: %T %v", version, info, err)
		}
		try(t, c, `
			Q.PURGE short -> 0
			Q.MPUSH jobs a b c -> [7 8 9]
			Q.PURGE jobs -> 3
			Q.DEL jobs -> 0
			Q.DEL dead -> 0
			Q.LIST -> [short]
		`)
	}
}

// firstPushed returns when the first message of a queue says that it was pushed first.
func firstPushed(t *testing.T, c *redis.Client, queue string) string {
	t.Helper()
	v, err := c.Do(t.Context(), "Q.PEEK", queue).Slice()
	if err != nil || len(v) != 1 {
		t.Fatalf("peek: %v %v", v, err)
	}
	words := strings.Fields(strings.Trim(fmt.Sprint(v[0]), "[]"))
	return words[len(words)-1]
}

// Who waits is served in the order in which he came, over whatever protocol; who leaves meanwhile takes nothing with him.
func TestThoseWhoWaitAreServedInOrderAndTakeNothingWithThem(t *testing.T) {
	s := start(t)
	native := newClient(t, s.addrs())
	blocked := func(n int) {
		t.Helper()
		c := redisClient(t, s.port, 2)
		for want := fmt.Sprintf("blocked_clients:%d\r\n", n); ; time.Sleep(time.Millisecond) { // nothing tells of it
			text, err := c.Info(t.Context(), "clients").Result()
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(text, want) {
				return
			}
		}
	}
	const waiters = 5
	got := make([]chan string, waiters)
	for i := range waiters {
		got[i] = make(chan string, 1)
		c := redisClient(t, s.port, 2+i%2)
		go func() {
			v, err := c.Do(context.Background(), "Q.POP", "q", "WAIT", "60000").Result()
			got[i] <- fmt.Sprintln(v, err)
		}()
		blocked(i + 1)
	}
	for i := range waiters {
		if err := native.Queue.Push("q", fmt.Append(nil, i)); err != nil {
			t.Fatal(err)
		}
		if v := <-got[i]; v != fmt.Sprintln(i, nil) {
			t.Errorf("number %d got %s", i, v)
		}
	}
	blocked(0)
	for round := range 50 {
		conn, err := net.Dial("tcp", s.port)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(conn, "Q.POP q WAIT 60000\r\n"); err != nil {
			t.Fatal(err)
		}
		blocked(1)
		_ = conn.Close() // it takes nothing with it
		blocked(0)
		if err := native.Queue.Push("q", fmt.Append(nil, round)); err != nil {
			t.Fatal(err)
		}
		if body, err := native.Queue.Pop("q"); err != nil || string(body) != fmt.Sprint(round) {
			t.Fatalf("round %d: %q %v", round, body, err)
		}
	}
}

// One connection's commands take effect in their order, though two engines serve them.
func TestAPipelineOfKeysAndQueuesKeepsItsOrder(t *testing.T) {
	for _, groups := range []string{"shared", "per-engine"} {
		s := start(t, "-groups="+groups)
		c := redisClient(t, s.port, 3)
		for round := range 50 {
			p := c.Pipeline()
			set := p.Set(t.Context(), "k", round, 0)
			push := p.Do(t.Context(), "Q.PUSH", "q", round)
			length := p.Do(t.Context(), "Q.LEN", "q")
			get := p.Get(t.Context(), "k")
			pop := p.Do(t.Context(), "Q.POP", "q", "WAIT", "1000")
			none := p.Do(t.Context(), "Q.LEN", "q")
			if _, err := p.Exec(t.Context()); err != nil {
				t.Fatalf("%s: %v", groups, err)
			}
			if set.Err() != nil || push.Err() != nil || fmt.Sprint(length.Val(), get.Val(), pop.Val(), none.Val()) != fmt.Sprint(1, fmt.Sprint(round), fmt.Sprint(round), 0) {
				t.Errorf("%s, round %d: %v %v %v %v", groups, round, length.Val(), get.Val(), pop.Val(), none.Val())
			}
		}
	}
}

// A server that is told to stop does not wait for those who wait for messages, and tells them why they get none.
func TestAServerWithWaitersStopsAtOnce(t *testing.T) {
	s := start(t)
	opts := flin.DefaultOptions(s.port)
	opts.Retries = 0
	native, err := flin.NewClient(opts)
	if err != nil {
		t.Fatal(err)
	}
	defer native.Close()
	if err := native.Queue.Push("kept", []byte("x")); err != nil {
		t.Fatal(err)
	}
	c := redis.NewClient(&redis.Options{Addr: s.port, MaxRetries: -1, ReadTimeout: 30 * time.Second})
	defer c.Close()
	failed := make(chan error, 2)
	go func() { failed <- c.Do(context.Background(), "Q.POP", "q", "WAIT", "60000").Err() }()
	go func() {
		_, err := native.Queue.Pop("q", flin.Wait(time.Minute))
		failed <- err
	}()
	for !strings.Contains(c.Info(t.Context(), "clients").Val(), "blocked_clients:1") {
		time.Sleep(time.Millisecond) // nothing tells of it
	}
	if err := s.stop(); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := <-failed; err == nil || !strings.Contains(err.Error(), "stopping") {
			t.Errorf("who waited was told %v", err)
		}
	}
	if log := s.log.tail(1 << 20); strings.Contains(log, "did not finish in time") {
		t.Errorf("it has waited for them:\n%s", log)
	}
	s.launch()
	if body, err := newClient(t, s.addrs()).Queue.Pop("kept"); err != nil || string(body) != "x" {
		t.Errorf("what was there: %q %v", body, err)
	}
}
