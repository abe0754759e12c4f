package systest

import (
	"errors"
	"strings"
	"testing"
)

// What is wrong with a command on topics is said so that a person at redis-cli understands it; the connection goes on, and nothing
// has happened.
func TestBadStreamCommandsAreRefusedAndTheConnectionGoesOn(t *testing.T) {
	s := start(t, "-max-value=512KiB")
	client := newClient(t, s.addrs())
	unharmed := topicCanary(t, client, "t")
	p, err := dialPipe(s.port)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	big, huge := strings.Repeat("b", 64<<10+1), strings.Repeat("b", 512<<10+1)
	for _, c := range []struct {
		args []string
		says []string
	}{
		{[]string{"S.PUBLISH", "t"}, []string{"wrong number of arguments", "s.publish"}},
		{[]string{"S.PUBLISH", "t", "v", "PARTITION", "2"}, []string{"2 partitions"}},
		{[]string{"S.PUBLISH", "t", "v", "PARTITION", "-1"}, []string{"PARTITION"}},
		{[]string{"S.PUBLISH", "t", "v", "PARTITION", "first"}, []string{"PARTITION"}},
		{[]string{"S.PUBLISH", "t", "v", "TS", "-1"}, []string{"TS"}},
		{[]string{"S.PUBLISH", "t", "v", "TS", "now"}, []string{"TS"}},
		{[]string{"S.PUBLISH", "t", "v", "KEY"}, []string{"KEY"}},
		{[]string{"S.PUBLISH", "t", "v", "HEADER", "name"}, []string{"HEADER"}},
		{[]string{"S.PUBLISH", "t", "v", "SOON", "1"}, []string{"SOON"}},
		{[]string{"S.PUBLISH", "t", big}, []string{"65537", "65536"}},
		{[]string{"S.PUBLISH", "t", huge}, []string{"524289", "524288", "-max-value"}},
		{[]string{"S.PUBLISH", "a b", "v"}, []string{"topic"}},
		{[]string{"S.PUBLISH", "", "v"}, []string{"topic"}},
		{[]string{"S.CREATE", "new"}, []string{"wrong number of arguments"}},
		{[]string{"S.CREATE", "new", "PARTITIONS", "0"}, []string{"PARTITIONS", "10000"}},
		{[]string{"S.CREATE", "new", "PARTITIONS", "10001"}, []string{"PARTITIONS", "10000"}},
		{[]string{"S.CREATE", "new", "RETENTION", "1000"}, []string{"PARTITIONS"}},
		{[]string{"S.CREATE", "new", "PARTITIONS", "1", "RETENTION", "-2"}, []string{"RETENTION", "-1"}},
		{[]string{"S.CREATE", "new", "PARTITIONS", "1", "MAXBYTES", "all"}, []string{"MAXBYTES"}},
		{[]string{"S.CREATE", "new", "PARTITIONS", "1", "COMPRESSION", "brotli"}, []string{"brotli", "zstd"}},
		{[]string{"S.CREATE", "a:b", "PARTITIONS", "1"}, []string{"topic"}},
		{[]string{"S.CREATE", "t", "PARTITIONS", "3"}, []string{`"t"`, "2"}},
		{[]string{"S.ALTER", "t", "PARTITIONS", "1"}, []string{`"t"`, "2"}},
		{[]string{"S.ALTER", "nowhere", "PARTITIONS", "3"}, []string{"nowhere"}},
		{[]string{"S.DROP", "nowhere"}, []string{"nowhere"}},
		{[]string{"S.INFO", "nowhere"}, []string{"nowhere"}},
		{[]string{"S.FETCH", "t", "0"}, []string{"wrong number of arguments"}},
		{[]string{"S.FETCH", "t", "2", "0"}, []string{"2 partitions"}},
		{[]string{"S.FETCH", "t", "one", "0"}, []string{"partition"}},
		{[]string{"S.FETCH", "t", "0", "4"}, []string{"offset 4", "0 to 3"}},
		{[]string{"S.FETCH", "t", "0", "-1"}, []string{"-1"}},
		{[]string{"S.FETCH", "t", "0", "@yesterday"}, []string{"@yesterday"}},
		{[]string{"S.FETCH", "t", "0", "0", "COUNT", "0"}, []string{"COUNT"}},
		{[]string{"S.FETCH", "t", "0", "0", "BYTES", "8388609"}, []string{"BYTES", "8388608"}},
		{[]string{"S.FETCH", "t", "0", "3", "WAIT", "300001"}, []string{"WAIT", "300000"}},
		{[]string{"S.FETCH", "nowhere", "0", "0"}, []string{"nowhere"}},
		{[]string{"S.OFFSETS", "t", "17"}, []string{"earliest"}},
		{[]string{"S.SUBSCRIBE", "t", "t.group"}, []string{"wrong number of arguments"}},
		{[]string{"S.SUBSCRIBE", "nowhere", "g", "c"}, []string{"nowhere"}},
		{[]string{"S.SUBSCRIBE", "t", "a b", "c"}, []string{"group"}},
		{[]string{"S.SUBSCRIBE", "t", "t.group", "c", "RANGE"}, []string{"t.group"}},
		{[]string{"S.SUBSCRIBE", "t", "t.group", "c", "SESSION", "1800001"}, []string{"SESSION", "1800000"}},
		{[]string{"S.CONSUME", "t", "t.group", "stranger"}, []string{"stranger", "subscribe again"}},
		{[]string{"S.CONSUME", "t", "t.group", "member", "COUNT", "0"}, []string{"COUNT"}},
		{[]string{"S.CONSUME", "t", "t.group", "member", "COUNT", "10001"}, []string{"COUNT", "10000"}},
		{[]string{"S.HEARTBEAT", "t", "t.group", "stranger"}, []string{"stranger"}},
		{[]string{"S.COMMIT", "t", "t.group", "0"}, []string{"wrong number of arguments"}},
		{[]string{"S.COMMIT", "t", "t.group", "0", "4"}, []string{"4", "0 to 3"}},
		{[]string{"S.COMMIT", "t", "t.group", "0", "-1"}, []string{"offset"}},
		{[]string{"S.COMMIT", "t", "t.group", "2", "0"}, []string{"2 partitions"}},
		{[]string{"S.COMMIT", "t", "t.group", "0", "2", "GENERATION", "99"}, []string{"generation", "99"}},
		{[]string{"S.COMMIT", "t", "t.group", "0", "2", "CONSUMER", "stranger"}, []string{"stranger"}},
		{[]string{"S.SEEK", "t", "t.group", "stranger", "0", "0"}, []string{"stranger"}},
		{[]string{"S.SEEK", "t", "t.group", "member", "0", "9"}, []string{"9", "0 to 3"}},
		{[]string{"S.LAG", "t", "nobody"}, []string{"nobody"}},
		{[]string{"S.RESET", "t", "t.group", "9"}, []string{"9", "0 to"}},
		{[]string{"S.RESET", "t", "t.group", "middle"}, []string{"middle"}},
		{[]string{"S.DELGROUP", "nobody"}, []string{"nobody"}},
		{[]string{"S.DELGROUP", "t.group"}, []string{"t.group", "1"}},
		{[]string{"S.NOTHING", "t"}, []string{"unknown command"}},
	} {
		name := strings.Join(c.args, " ")
		v, err := p.do(c.args...)
		if _, ok := errors.AsType[replyError](err); !ok {
			t.Errorf("%.60s is answered %v, %v", name, v, err)
			continue
		}
		for _, part := range c.says {
			if !strings.Contains(strings.ToLower(err.Error()), strings.ToLower(part)) {
				t.Errorf("%.60s: %q does not say %q", name, err, part)
			}
		}
		if v, err := p.do("PING"); v != "PONG" {
			t.Fatalf("PING after %.60s: %v, %v", name, v, err)
		}
	}
	for _, args := range [][]string{{"S.PUBLISH", "t", "x"}, {"S.CONSUME", "t", "t.group", "member"}, {"S.FETCH", "t", "0", "3", "WAIT", "1000"}, {"S.TOPICS"}} {
		if v, err := p.do("MULTI"); v != "OK" {
			t.Fatal(err)
		}
		if v, err := p.do(args...); err == nil {
			t.Errorf("%v inside MULTI is answered %v", args, v)
		}
		if v, err := p.do("EXEC"); err == nil || !strings.HasPrefix(err.Error(), "EXECABORT") {
			t.Errorf("EXEC after %v is answered %v, %v", args, v, err)
		}
	}
	if v, err := p.do("S.TOPICS"); err != nil || len(v.([]any)) != 1 {
		t.Errorf("the topics are %v, %v", v, err)
	}
	unharmed()
	stillServes(t, s)
}

// A server that is told not to make topics by itself does not, and says what is missing.
func TestTopicsAreNotMadeByAPublishWhereThatIsTurnedOff(t *testing.T) {
	s := start(t, "-auto-create-topics=false")
	p, err := dialPipe(s.port)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	v, err := p.do("S.PUBLISH", "t", "v")
	if err == nil {
		t.Fatalf("answered %v", v)
	}
	says(t, err.Error(), `"t"`, "not there")
	if v, err := p.do("S.TOPICS"); err != nil || len(v.([]any)) != 0 {
		t.Errorf("the topics are %v, %v", v, err)
	}
	if _, err := p.do("S.CREATE", "t", "PARTITIONS", "1"); err != nil {
		t.Fatal(err)
	}
	if v, err := p.do("S.PUBLISH", "t", "v"); err != nil {
		t.Errorf("answered %v, %v", v, err)
	}
}
