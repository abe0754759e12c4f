package systest

import (
	"errors"
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// What is wrong with a queue command is said so that a person at redis-cli understands it; the connection goes on, and
// nothing has happened.
func TestBadQueueCommandsAreRefusedAndTheConnectionGoesOn(t *testing.T) {
	s := start(t, "-max-value=512KiB")
	client := newClient(t, s.addrs())
	unharmed := canary(t, client, "q")
	p, err := dialPipe(s.port)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	big := strings.Repeat("b", 512<<10+1)
	for _, c := range []struct {
		args []string
		says []string
	}{
		{[]string{"Q.PUSH", "q"}, []string{"wrong number of arguments", "q.push"}},
		{[]string{"Q.PUSH", "q", big}, []string{"524289", "524288", "-max-value"}},
		{[]string{"Q.MPUSH", "q", "small", big}, []string{"524289", "-max-value"}},
		{[]string{"Q.PUSH", "q", "x", "DELAY", "315360000001"}, []string{"DELAY", "315360000000"}},
		{[]string{"Q.PUSH", "q", "x", "DELAY", "-1"}, []string{"DELAY", "-1"}},
		{[]string{"Q.PUSH", "q", "x", "DELAY"}, []string{"DELAY"}},
		{[]string{"Q.PUSH", "q", "x", "AT", "99999999999999"}, []string{"315360000000"}},
		{[]string{"Q.PUSH", "q", "x", "PRIORITY", "256"}, []string{"PRIORITY", "255"}},
		{[]string{"Q.PUSH", "q", "x", "TTL", "0"}, []string{"TTL"}},
		{[]string{"Q.PUSH", "q", "x", "DEDUP", ""}, []string{"dedup"}},
		{[]string{"Q.PUSH", "q", "x", "GROUP", strings.Repeat("g", wire.MaxGroupKey+1)}, []string{"group", "256"}},
		{[]string{"Q.PUSH", "q", "x", "HEADER", "name"}, []string{"HEADER"}},
		{[]string{"Q.PUSH", "q", "x", "SOON", "1"}, []string{"SOON"}},
		{[]string{"Q.POP", "q", "COUNT", "0"}, []string{"COUNT"}},
		{[]string{"Q.POP", "q", "COUNT", "10001"}, []string{"COUNT", "10000"}},
		{[]string{"Q.POP", "q", "WAIT", "3600001"}, []string{"WAIT", "3600000"}},
		{[]string{"Q.POP", "q", "FOR", "1000"}, []string{"FOR"}},
		{[]string{"Q.LEASE", "q", "FOR", "43200001"}, []string{"FOR", "43200000"}},
		{[]string{"Q.LEASE", "q", "FOR", "0"}, []string{"FOR"}},
		{[]string{"Q.PEEK", "q", "COUNT", "1001"}, []string{"COUNT", "1000"}},
		{[]string{"Q.GET", "q", "first"}, []string{"first"}},
		{[]string{"Q.REMOVE", "q", "0"}, []string{"0"}},
		{[]string{"Q.ACK", "q"}, []string{"wrong number of arguments"}},
		{[]string{"Q.EXTEND", "q", wire.Receipt{ID: 1, Attempt: 1, Nonce: 1}.String(), "never"}, []string{"never"}},
		{[]string{"Q.INFO", "nowhere"}, []string{"nowhere"}},
		{[]string{"Q.DEL", "nowhere"}, []string{"nowhere"}},
		{[]string{"Q.PAUSE", "nowhere"}, []string{"nowhere"}},
		{[]string{"Q.NOTHING", "q"}, []string{"unknown command"}},
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
	for _, args := range [][]string{{"Q.PUSH", "q", "x"}, {"Q.POP", "q"}, {"Q.POP", "q", "WAIT", "1000"}, {"Q.LEN", "q"}} {
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
	unharmed()
	stillServes(t, s)
}
