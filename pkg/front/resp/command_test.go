package resp

import (
	"strings"
	"testing"
)

func TestTheTableIsWhole(t *testing.T) {
	table := newCommands()
	seen := map[string]bool{}
	for _, cmd := range table.all {
		if seen[cmd.full] {
			t.Errorf("%s is there twice", cmd.full)
		}
		seen[cmd.full] = true
		if cmd.run == nil && cmd.subs == nil {
			t.Errorf("%s does nothing", cmd.full)
		}
		if cmd.summary == "" || cmd.group == "" || cmd.since == "" || cmd.arity == 0 {
			t.Errorf("%s is not described", cmd.full)
		}
		if len(cmd.name) > maxName || cmd.name != strings.ToLower(cmd.name) {
			t.Errorf("%s is never found", cmd.full)
		}
		if got := table.named([]byte(strings.ToUpper(cmd.full))); got != cmd {
			t.Errorf("%s is found as %v", cmd.full, got)
		}
		if cmd.flags&(isRead|isWrite) != 0 && cmd.flags&alone == 0 && len(cmd.keys) == 0 && cmd.group != "server" && cmd.group != "queue" && cmd.group != "stream" && cmd.group != "document" {
			t.Errorf("%s reads or writes, and no argument is a key", cmd.full)
		}
	}
	for _, name := range []string{"", "g", "ge", "gets", "get|x", "client|", "client|bogus", strings.Repeat("x", 100), "sEt\x00"} {
		if cmd := table.named([]byte(name)); cmd != nil {
			t.Errorf("%q is found as %s", name, cmd.full)
		}
	}
	if table.lookup([]byte("GeT")) != table.get || table.lookup([]byte("SET")) != table.set {
		t.Error("GET or SET is not found")
	}
}

func TestEveryCommandAnswersAnything(t *testing.T) {
	s := serve(t, nil)
	args := [][]string{{}, {"a"}, {"a", "1"}, {"a", "1", "2"}, {"\"\"", "-1", "x", "y"}, {"0", "0", "0", "0", "0", "0"}}
	for _, cmd := range newCommands().all {
		switch cmd.full {
		case "client|reply", "quit", "debug", "client|kill":
			continue
		}
		c := s.dial(t)
		for _, a := range args {
			c.send(strings.ReplaceAll(cmd.full, "|", " ") + " " + strings.Join(a, " "))
			if got := c.read(); got == "EOF" || strings.Contains(got, "i/o timeout") {
				t.Fatalf("%s %v: %q", cmd.full, a, got)
			}
		}
		c.want("RESET", "+RESET")
		_ = c.nc.Close() // the test is over for it
	}
}

func TestInfoHasWhatClientsLookFor(t *testing.T) {
	s := serve(t, func(cfg *Config) {
		cfg.Info = func() []InfoField {
			return []InfoField{{"server", "extra", "1"}, {"flin", "group", "all-0"}}
		}
	})
	c := s.dial(t)
	c.want("SET a 1", "+OK")
	c.want("GET a", "1")
	c.want("GET b", "nil")
	c.want("PING", "+PONG")
	c.send("INFO")
	got := c.read()
	for _, want := range []string{
		"redis_version:" + redisVersion, "role:master", "loading:0", "connected_clients:1", "keyspace_hits:1",
		"keyspace_misses:1", "db0:keys=1,expires=0", "# Flin\r\ngroup:all-0", "extra:1", "used_memory:", "redis_mode:standalone",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("INFO lacks %q", want)
		}
	}
	c.want("INFO replication bogus", "# Replication\r\nrole:master\r\nconnected_slaves:0\r\nmaster_failover_state:no-failover\r\n"+
		"master_replid:"+s.runID+"\r\nmaster_repl_offset:0\r\n")
	c.want("CONFIG RESETSTAT", "+OK")
	if hits, misses := s.stats.keyspace(); hits+misses != 0 {
		t.Errorf("%d hits and %d misses behind RESETSTAT", hits, misses)
	}
}
