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
)

func TestATopicsLifeOverRESP(t *testing.T) {
	for _, version := range []int{2, 3} {
		s := start(t)
		c := redisClient(t, s.port, version)
		try(t, c, `
			S.TOPICS -> []
			S.CREATE events PARTITIONS 2 RETENTION 3600000 MAXMESSAGE 100 COMPRESSION snappy -> 1
			S.CREATE events PARTITIONS 2 -> 0
			S.ALTER events PARTITIONS 3 MAXBYTES 1000000 -> OK
			S.PUBLISH events first PARTITION 1 KEY user TS 1700000000000 HEADER h 1 -> [1 0]
			S.PUBLISH events second partition 1 ts 1700000001000 -> [1 1]
			S.PUBLISH made x -> [0 0]
			S.TOPICS -> [events made]
			S.TOPICS MATCH m* -> [made]
			S.FETCH events 1 earliest -> [[1 0 1700000000000 user first [h 1]] [1 1 1700000001000 <nil> second []]]
			S.FETCH events 1 0 COUNT 1 -> [[1 0 1700000000000 user first [h 1]]]
			S.FETCH events 1 @1700000000500 -> [[1 1 1700000001000 <nil> second []]]
			S.FETCH events 1 latest -> []
			S.FETCH events 1 2 WAIT 1 -> []
			S.OFFSETS events -> [[0 0 <nil>] [1 2 <nil>] [2 0 <nil>]]
			S.OFFSETS events earliest -> [[0 0 <nil>] [1 0 1700000000000] [2 0 <nil>]]
		`)
		g := generation(t, c, "S.SUBSCRIBE events g c", "[0 1 2]")
		try(t, c, fmt.Sprintf(`
			S.HEARTBEAT events g c -> [%d [0 1 2]]
			S.CONSUME events g c COUNT 1 -> [[1 0 1700000000000 user first [h 1]]]
			S.CONSUME events g c WAIT 1000 -> [[1 1 1700000001000 <nil> second []]]
			S.CONSUME events g c -> []
			S.COMMIT events g 1 1 GENERATION %d CONSUMER c -> OK
			S.SEEK events g c 1 earliest -> 0
			S.CONSUME events g c COUNT 1 -> [[1 0 1700000000000 user first [h 1]]]
			S.SUBSCRIBE events g d -> [%d [2]]
			S.LEAVE events g d -> 1
			S.LEAVE events g d -> 0
			S.LEAVE events g c -> 1
			S.RESET events g latest PARTITION 1 -> [[1 2 <nil>]]
			S.DELGROUP g -> OK
			S.DROP made -> OK
			S.TOPICS -> [events]
		`, g, g, g+1))
		for name, isMap := range map[string]bool{"S.INFO events": version == 3, "S.GROUPS events": false} {
			var args []any
			for w := range strings.FieldsSeq(name) {
				args = append(args, w)
			}
			v, err := c.Do(t.Context(), args...).Result()
			if _, ok := v.(map[any]any); err != nil || ok != isMap {
				t.Errorf("%s in version %d: %T %v", name, version, v, err)
			}
		}
		for line, says := range map[string]string{
			"S.CREATE events PARTITIONS 2":                 "3",
			"S.FETCH none 0 0":                             "not there",
			"S.FETCH events 3 0":                           "3 partitions",
			"S.FETCH events 1 3":                           "0 to 2",
			"S.PUBLISH events v PARTITION 9":               "3 partitions",
			"S.PUBLISH events " + strings.Repeat("v", 101): "100",
			"S.CONSUME events g c":                         "member",
			"S.COMMIT events g 1 3":                        "0 to 2",
			"S.SUBSCRIBE ev:ents g c":                      "ev:ents",
			"S.LAG events none":                            "none",
			"S.DELGROUP none":                              "none",
		} {
			var args []any
			for w := range strings.FieldsSeq(line) {
				args = append(args, w)
			}
			if err := c.Do(t.Context(), args...).Err(); err == nil || !strings.HasPrefix(err.Error(), "ERR ") || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %v", line, err)
			}
		}
	}
}

// generation gives a command that is answered with a member's assignment and returns the generation.
func generation(t *testing.T, c *redis.Client, line, partitions string) int64 {
	t.Helper()
	var args []any
	for w := range strings.FieldsSeq(line) {
		args = append(args, w)
	}
	v, err := c.Do(t.Context(), args...).Slice()
	if err != nil || len(v) != 2 || fmt.Sprint(v[1]) != partitions {
		t.Fatalf("%s: %v %v, want a generation and %s", line, v, err, partitions)
	}
	n, ok := v[0].(int64)
	if !ok {
		t.Fatalf("%s: generation %v", line, v[0])
	}
	return n
}

// A member that has lost its partition cannot commit for it, whichever of the two ways it says who it is.
func TestACommitOfALostPartitionIsRefusedOverRESP(t *testing.T) {
	s := start(t)
	c := redisClient(t, s.port, 3)
	try(t, c, `
		S.CREATE events PARTITIONS 1 -> 1
		S.PUBLISH events a TS 7 -> [0 0]
	`)
	old := generation(t, c, "S.SUBSCRIBE events g old", "[0]")
	try(t, c, `
		S.CONSUME events g old COUNT 5 WAIT 1000 BYTES 1000 -> [[0 0 7 <nil> a []]]
		S.LEAVE events g old -> 1
	`)
	now := generation(t, c, "S.SUBSCRIBE events g new SESSION 60000 POLL 60000", "[0]")
	for _, last := range []string{fmt.Sprint("GENERATION ", old), "CONSUMER old", fmt.Sprint("GENERATION ", now+1)} {
		args := []any{"S.COMMIT", "events", "g", 0, 1}
		for w := range strings.FieldsSeq(last) {
			args = append(args, w)
		}
		if err := c.Do(t.Context(), args...).Err(); err == nil || !strings.HasPrefix(err.Error(), "ERR ") {
			t.Errorf("%s: %v", last, err)
		}
	}
	try(t, c, fmt.Sprintf(`
		S.CONSUME events g new -> [[0 0 7 <nil> a []]]
		S.COMMIT events g 0 1 GENERATION %d CONSUMER new -> OK
	`, now))
}

// Who waits for records gets them when they are published, over whatever protocol; one who leaves meanwhile takes none with him.
func TestFetchesAndConsumesThatWaitAreWokenAndTakeNothingWithThem(t *testing.T) {
	s := start(t)
	native := newClient(t, s.addrs()).Stream
	if err := native.CreateTopic("events", 1, 0); err != nil {
		t.Fatal(err)
	}
	info := redisClient(t, s.port, 2)
	blocked := func(n int) {
		t.Helper()
		for want := fmt.Sprintf("blocked_clients:%d\r\n", n); ; time.Sleep(time.Millisecond) { // nothing tells of it
			text, err := info.Info(t.Context(), "clients").Result()
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(text, want) {
				return
			}
		}
	}
	generation(t, info, "S.SUBSCRIBE events g c", "[0]")
	for round := range 20 {
		for _, line := range []string{"S.CONSUME events g c WAIT 60000\r\n", fmt.Sprintf("S.FETCH events 0 %d WAIT 60000\r\n", round)} {
			conn, err := net.Dial("tcp", s.port)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(conn, line); err != nil {
				t.Fatal(err)
			}
			blocked(1)
			_ = conn.Close() // it takes nothing with it
			blocked(0)
		}
		got := make(chan string, 2)
		for i, args := range [][]any{{"S.CONSUME", "events", "g", "c", "WAIT", 60000}, {"S.FETCH", "events", 0, round, "WAIT", 60000}} {
			c := redisClient(t, s.port, 2+i)
			go func() {
				v, err := c.Do(context.Background(), args...).Slice()
				if err == nil && len(v) == 1 {
					one, _ := v[0].([]any) // else of no length
					v = one
				}
				if len(v) != 6 {
					v = make([]any, 6)
				}
				got <- fmt.Sprintln(v[1], v[4], err)
			}()
			blocked(i + 1)
		}
		if _, err := native.Publish("events", 0, "", fmt.Append(nil, "v", round)); err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if v := <-got; v != fmt.Sprintln(round, fmt.Sprint("v", round), nil) {
				t.Fatalf("round %d: %s", round, v)
			}
		}
		blocked(0)
	}
}

// One connection's commands take effect in their order, though two engines serve them.
func TestAPipelineOfKeysAndTopicsKeepsItsOrder(t *testing.T) {
	s := start(t)
	c := redisClient(t, s.port, 3)
	for round := range 50 {
		p := c.Pipeline()
		set := p.Set(t.Context(), "k", round, 0)
		publish := p.Do(t.Context(), "S.PUBLISH", "t", round, "TS", 1)
		get := p.Get(t.Context(), "k")
		fetch := p.Do(t.Context(), "S.FETCH", "t", 0, round)
		if _, err := p.Exec(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := fmt.Sprintf("[0 %d] %d [[0 %d 1 <nil> %d []]]", round, round, round, round)
		if got := fmt.Sprint(publish.Val(), " ", get.Val(), " ", fetch.Val()); set.Err() != nil || got != want {
			t.Errorf("round %d: %s, want %s", round, got, want)
		}
	}
}
