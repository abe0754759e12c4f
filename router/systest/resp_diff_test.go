//go:build peers

package systest

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The same random commands are sent to Redis and to a server of ours, singly and in pipelines, in both versions of the
// protocol, inside transactions and outside; the replies must be the same, but for what testdata/resp/differences.txt
// lists with its reason.
func TestRepliesAreRedissReplies(t *testing.T) {
	seed := seeded(t)
	redis, ours := startRedis(t), start(t).port
	grammar := loadGrammar(t)
	rules := loadDifferences(t)
	rounds := int(setting(t, "FLIN_DIFF_ROUNDS", 150))
	for _, proto := range []string{"2", "3"} {
		t.Run("RESP"+proto, func(t *testing.T) {
			d := &differ{
				t: t, rng: rand.New(rand.NewPCG(seed, uint64(proto[0]))), grammar: grammar, rules: rules,
				redis: dialPeer(t, "redis", redis), ours: dialPeer(t, "flin", ours), proto: proto,
				redis2: dialPeer(t, "redis", redis), ours2: dialPeer(t, "flin", ours),
			}
			d.begin()
			for range rounds {
				d.round()
				if d.wrong > 20 {
					t.Fatal("too much differs")
				}
			}
		})
	}
}

// differ sends the same to two servers.
type differ struct {
	t           *testing.T
	rng         *rand.Rand
	grammar     *grammar
	rules       []difference
	redis, ours *respPeer
	redis2      *respPeer // other clients of the same servers
	ours2       *respPeer
	proto       string
	wrong       int
	told        map[string]bool
}

func (d *differ) begin() {
	d.told = map[string]bool{}
	for _, p := range []*respPeer{d.redis, d.ours} {
		p.do("HELLO", d.proto)
		p.do("FLUSHALL")
	}
}

// watched compares what becomes of a transaction when another client, or the same one, runs some command between WATCH
// and EXEC. The key is there before: one that is created and removed again is unchanged to us, and changed to Redis.
func (d *differ) watched(redis2, ours2 *respPeer) {
	d.send("SET", "a", "1")
	d.send("WATCH", "a")
	words := d.grammar.command(d.rng)
	switch strings.ToUpper(words[0]) {
	case "SWAPDB", "SELECT", "HELLO", "CLIENT", "EXPIREAT", "PEXPIREAT", "EXPIRE", "PEXPIRE", "GETEX":
		return // they concern the connection, or a change that may be none: an expiry that is set to what it was
	}
	if redis, ours := redis2.do(words...), ours2.do(words...); redis.kind == '-' || ours.kind == '-' {
		d.compare(words, redis, ours)
	}
	d.send("MULTI")
	d.send("SET", "x", "1")
	redis, ours := d.redis.do("EXEC"), d.ours.do("EXEC")
	d.compare(append([]string{"EXEC behind"}, words...), redis, ours)
}

// round sends some commands, perhaps as a transaction, and then compares everything that the servers hold.
func (d *differ) round() {
	var batch [][]string
	for range 1 + d.rng.IntN(40) {
		batch = append(batch, d.grammar.command(d.rng))
	}
	if d.rng.IntN(4) == 0 {
		kept := batch[:0]
		for _, words := range batch {
			if !regexp.MustCompile(`(?i)^(KEYS|SCAN|DBSIZE|RANDOMKEY|HELLO|RESET|WATCH|EXEC|DISCARD|CLIENT|QUIT)`).MatchString(words[0]) {
				kept = append(kept, words)
			}
		}
		end := "EXEC"
		if d.rng.IntN(6) == 0 {
			end = "DISCARD"
		}
		batch = append(append([][]string{{"MULTI"}}, kept...), []string{end})
		d.pipeline(batch)
	} else if d.rng.IntN(2) == 0 {
		d.pipeline(batch)
	} else {
		for _, words := range batch {
			d.compare(words, d.redis.do(words...), d.ours.do(words...))
		}
	}
	d.send("HELLO", d.proto)
	d.send("CLIENT", "TRACKING", "OFF")
	d.send("SELECT", "0")
	d.watched(d.redis2, d.ours2)
	d.send("UNWATCH")
	for _, db := range []string{"1", "15", "0"} {
		d.send("SELECT", db)
		keys := d.redis.do("KEYS", "*")
		d.compare([]string{"KEYS", "*"}, keys, d.ours.do("KEYS", "*"))
		for _, k := range keys.items {
			d.send("GET", k.text)
			d.send("TTL", k.text)
		}
	}
}

func (d *differ) send(words ...string) { d.compare(words, d.redis.do(words...), d.ours.do(words...)) }

// pipeline sends commands without waiting, and compares the replies of a transaction one by one.
func (d *differ) pipeline(batch [][]string) {
	d.redis.send(batch...)
	d.ours.send(batch...)
	for i, words := range batch {
		a, b := d.redis.reply(), d.ours.reply()
		if words[0] != "EXEC" || len(a.items) != i-1 || len(b.items) != i-1 || i < 1 {
			d.compare(words, a, b)
			continue
		}
		for j := range a.items {
			d.compare(batch[j+1], a.items[j], b.items[j])
		}
	}
}

// compare says what is wrong with our reply, once for each kind of command and reply.
func (d *differ) compare(words []string, redis, ours value) {
	quoted := make([]string, len(words))
	for i, w := range words {
		if quoted[i] = strconv.Quote(w); quoted[i] == `"`+w+`"` && w != "" && !strings.Contains(w, " ") {
			quoted[i] = w
		}
	}
	line := strings.Join(quoted, " ")
	if alike(d.rules, line, redis, ours) {
		return
	}
	kind := strings.ToUpper(words[0]) + redis.String() + ours.String()
	if d.told[kind] {
		return
	}
	d.told[kind] = true
	d.wrong++
	d.t.Errorf("%s\n  redis %.300v\n  flin  %.300v", line, redis, ours)
}

// difference is a line of differences.txt.
type difference struct {
	how  string
	n    int64
	text string
	cmd  *regexp.Regexp
}

func loadDifferences(t *testing.T) []difference {
	t.Helper()
	var rules []difference
	for _, line := range lines(t, "differences.txt") {
		line, _, _ = strings.Cut(line, "  #")
		how, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		d := difference{how: how}
		var err error
		rest = strings.TrimSpace(rest)
		switch how {
		case "near":
			var n string
			n, rest, _ = strings.Cut(rest, " ")
			d.n, err = strconv.ParseInt(n, 10, 64)
		case "7.2":
			var quoted string
			if quoted, err = strconv.QuotedPrefix(rest); err == nil {
				d.text, err = strconv.Unquote(quoted)
				rest = rest[len(quoted):]
			}
		}
		if err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		d.cmd = regexp.MustCompile(strings.TrimSpace(rest))
		rules = append(rules, d)
	}
	return rules
}

// alike reports whether two replies to a command are the same, or differ as a rule allows.
func alike(rules []difference, line string, redis, ours value) bool {
	if redis.String() == ours.String() {
		return true
	}
	for _, r := range rules {
		if !r.cmd.MatchString(line) {
			continue
		}
		switch r.how {
		case "skip":
			return true
		case "nil":
			return redis.null() == ours.null() && redis.kind != '-' && ours.kind != '-'
		case "near":
			a, err1 := strconv.ParseInt(redis.text, 10, 64)
			b, err2 := strconv.ParseInt(ours.text, 10, 64)
			return err1 == nil && err2 == nil && max(a, b)-min(a, b) <= r.n
		case "unordered":
			return sorted(redis) == sorted(ours)
		case "refused":
			return redis.kind == ':' && ours.kind == '-'
		case "7.2":
			return ours.text == r.text
		}
	}
	return false
}

func sorted(v value) string {
	var all []string
	for _, x := range v.items {
		all = append(all, x.String())
	}
	slices.Sort(all)
	return string(v.kind) + fmt.Sprint(all)
}

// lines returns what a file of testdata/resp says, without comments that stand alone.
func lines(t *testing.T, name string) []string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", "resp", name))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimRight(line, "\n"); line != "" && !strings.HasPrefix(line, "#") {
			all = append(all, line)
		}
	}
	return all
}
