package systest

import (
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"

	flin "github.com/skshohagmiah/flin/clients/go"
)

// startForPeople runs the platform with a bus, and returns where people find it.
func startForPeople(t testing.TB, args ...string) (*server, string) {
	t.Helper()
	if chosen(t) != allInOne {
		s := start(t, args...)
		return s, natsURL(s.behind.bus, s.behind.secret)
	}
	addr := freeAddr(t)
	return start(t, append(args, "-bus=embed://"+addr)...), "nats://" + addr
}

// natsURL is where people find a bus with a secret.
func natsURL(addr, secret string) string {
	return (&url.URL{Scheme: "nats", User: url.UserPassword("flin", secret), Host: addr}).String()
}

// person asks as the nats CLI does.
type person struct {
	t  testing.TB
	nc *nats.Conn
}

func newPerson(t testing.TB, url string) *person {
	t.Helper()
	nc, err := nats.Connect(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	return &person{t, nc}
}

// ask sends a request with headers, each "Name: value".
func (p *person) ask(subject, body string, headers ...string) *nats.Msg {
	p.t.Helper()
	m := nats.NewMsg(subject)
	m.Data = []byte(body)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		m.Header[name] = []string{value}
	}
	resp, err := p.nc.RequestMsg(m, 20*time.Second)
	if err != nil {
		p.t.Fatalf("%s: %v", subject, err)
	}
	return resp
}

// gets asks and fails the test unless the answer is body.
func (p *person) gets(body, subject, sent string, headers ...string) *nats.Msg {
	p.t.Helper()
	m := p.ask(subject, sent, headers...)
	if e := m.Header.Get("Nats-Service-Error"); e != "" || string(m.Data) != body {
		p.t.Errorf("%s is answered with %q, not %q %s", subject, m.Data, body, e)
	}
	return m
}

// fails asks and fails the test unless the answer is an error that says what is wanted.
func (p *person) fails(code, text, subject, sent string, headers ...string) {
	p.t.Helper()
	h := p.ask(subject, sent, headers...).Header
	if h.Get("Nats-Service-Error-Code") != code || !strings.Contains(h.Get("Nats-Service-Error"), text) {
		p.t.Errorf("%s is answered with %v, not %s %s", subject, h, code, text)
	}
}

// lines asks for a list and returns its lines.
func (p *person) lines(subject, sent string, headers ...string) (all []map[string]any, answer *nats.Msg) {
	p.t.Helper()
	answer = p.ask(subject, sent, headers...)
	if e := answer.Header.Get("Nats-Service-Error"); e != "" {
		p.t.Fatalf("%s: %s", subject, e)
	}
	for line := range strings.Lines(string(answer.Data)) {
		var one map[string]any
		if err := json.Unmarshal([]byte(line), &one); err != nil {
			p.t.Fatalf("%s: %q: %v", subject, line, err)
		}
		all = append(all, one)
	}
	return all, answer
}

// names returns a field of each line, joined by spaces.
func names(lines []map[string]any, field string) string {
	all := make([]string, len(lines))
	for i, one := range lines {
		all[i] = fmt.Sprint(one[field])
	}
	return strings.Join(all, " ")
}

func TestPeopleReadAndWriteKeys(t *testing.T) {
	s, url := startForPeople(t)
	p, client := newPerson(t, url), newClient(t, s.port)
	first := p.gets("OK", "flin.kv.set.user:1", "John Doe").Header.Get("Flin-Version")
	if v, err := client.KV.Get("user:1"); err != nil || string(v) != "John Doe" {
		t.Errorf("what was set is %q, %v", v, err)
	}
	if got := p.gets("John Doe", "flin.kv.get.user:1", "").Header.Get("Flin-Version"); got != first {
		t.Errorf("the version is %s, and was %s", got, first)
	}
	p.gets("OK", "flin.kv.set", "x", "Flin-Key: a *.> b", "Flin-TTL: 3600000")
	if e, err := client.KV.Entry("a *.> b"); err != nil || time.Until(e.Expires) < 59*time.Minute {
		t.Errorf("a name in a header, for an hour: %+v, %v", e, err)
	}
	p.gets("OK", "flin.kv.set.user:1", "Jane", "Flin-If-Version: "+first)
	p.fails("409", "Conflict", "flin.kv.set.user:1", "Jim", "Flin-If-Version: "+first)
	p.fails("409", "Conflict", "flin.kv.del.user:1", "", "Flin-If-Version: "+first)
	p.fails("409", "Conflict", "flin.kv.set.user:1", "Jim", "Flin-If-Version: 0")
	p.fails("404", "NotFound", "flin.kv.get.user:1", "", "Flin-DB: 1")
	p.gets("1", "flin.kv.del.user:1", "")
	p.gets("0", "flin.kv.del.user:1", "")
	p.fails("404", "NotFound", "flin.kv.get.user:1", "")
}

func TestPeopleScanToTheEnd(t *testing.T) {
	s, url := startForPeople(t)
	p, client := newPerson(t, url), newClient(t, s.port)
	var want []string
	for i := range 25 {
		key := fmt.Sprintf("k%02d\x00\n", i) // no header can carry it
		want = append(want, key)
		if err := client.KV.Set(key, make([]byte, 30_000)); err != nil { // so that one message has no room for all
			t.Fatal(err)
		}
	}
	if err := client.KV.Set("k99", make([]byte, 100_000)); err != nil {
		t.Fatal(err)
	}
	want = append(want, "k99")
	var got []string
	rounds, after := 0, []string(nil)
	for ; rounds < 100; rounds++ {
		lines, answer := p.lines("flin.kv.scan.k", "", after...)
		for _, one := range lines {
			got = append(got, one["key"].(string))
		}
		goOn := answer.Header.Get("Flin-After-Base64")
		if goOn == "" {
			if last := lines[len(lines)-1]; last["size"] != 100_000.0 || last["value"] != nil {
				t.Errorf("a value that is too long to be shown: %v", last)
			}
			break
		}
		after = []string{"Flin-After-Base64: " + goOn}
	}
	if !slices.Equal(got, want) {
		t.Errorf("it found %q", got)
	}
	if rounds == 0 {
		t.Error("the values came in one message, and nothing was shown of how to go on")
	}
	lines, _ := p.lines("flin.kv.scan", "", "Flin-Match: *9*", "Flin-Limit: 2")
	if got := names(lines, "key"); got != "k09\x00\n k19\x00\n" {
		t.Errorf("those that match are %q", got)
	}
}

func TestPeoplePushAndPop(t *testing.T) {
	s, url := startForPeople(t)
	p, client := newPerson(t, url), newClient(t, s.port)
	p.gets("1", "flin.queue.push.tasks", "one", "trace: abc")
	p.gets("2-9", "flin.queue.push.tasks", "two", "Flin-Priority: 9", "Flin-Dedup: d", "Flin-Group: g")
	p.gets("2-9", "flin.queue.push.tasks", "again", "Flin-Dedup: d")
	p.gets("3", "flin.queue.push.tasks", "later", "Flin-Delay: 3600000")
	p.gets("2", "flin.queue.len.tasks", "")
	if m := p.gets("two", "flin.queue.pop.tasks", ""); m.Header.Get("Flin-ID") != "2-9" || m.Header.Get("Flin-Group") != "g" {
		t.Errorf("the first has %v", m.Header)
	}
	if m := p.gets("one", "flin.queue.pop.tasks", ""); m.Header.Get("trace") != "abc" || m.Header.Get("Flin-Attempt") != "1" {
		t.Errorf("the second has %v", m.Header)
	}
	p.fails("404", "Empty", "flin.queue.pop.tasks", "", "Flin-Wait: 1")
	lines, _ := p.lines("flin.queue.ls", "")
	if len(lines) != 1 || lines[0]["name"] != "tasks" || lines[0]["delayed"] != 1.0 || lines[0]["leased"] != 0.0 {
		t.Errorf("the queues are %v", lines)
	}
	// What one message of the bus has no room for stays in the queue.
	if err := client.Queue.Push("large", make([]byte, 2<<20)); err != nil {
		t.Fatal(err)
	}
	p.fails("413", "max_payload", "flin.queue.pop.large", "")
	if body, err := client.Queue.Pop("large"); err != nil || len(body) != 2<<20 {
		t.Errorf("after the refusal a pop has %d bytes, %v", len(body), err)
	}
}

func TestPeoplePublishAndTail(t *testing.T) {
	s, url := startForPeople(t)
	p, client := newPerson(t, url), newClient(t, s.port)
	if err := client.Stream.CreateTopic("events", 3, -1); err != nil {
		t.Fatal(err)
	}
	p.gets(`{"partition":2,"offset":0}`, "flin.stream.publish.events", "a", "Flin-Partition: 2", "Flin-Time: 1", "trace: abc")
	for i := range 20 {
		m := p.ask("flin.stream.publish.events", fmt.Sprint(i), fmt.Sprintf("Flin-Partition: %d", i%2), fmt.Sprintf("Flin-Time: %d", 1000+i), "Flin-Record-Key: k")
		if e := m.Header.Get("Nats-Service-Error"); e != "" {
			t.Fatal(e)
		}
	}
	lines, _ := p.lines("flin.stream.tail.events", "")
	if got := names(lines, "value"); got != "10 11 12 13 14 15 16 17 18 19" {
		t.Errorf("the last of all partitions are %s", got)
	}
	lines, _ = p.lines("flin.stream.tail.events", "", "Flin-Partition: 2")
	if len(lines) != 1 || lines[0]["value"] != "a" || lines[0]["key"] != nil || fmt.Sprint(lines[0]["headers"]) != "map[trace:abc]" {
		t.Errorf("the last of one partition are %v", lines)
	}
	lines, _ = p.lines("flin.stream.tail.events", "", "Flin-Partition: 1", "Flin-Offset: 3", "Flin-Limit: 2")
	if got := names(lines, "value"); got != "7 9" {
		t.Errorf("those from an offset on are %s", got)
	}
	if lines, _ = p.lines("flin.stream.tail.events", "", "Flin-Partition: 1", "Flin-Offset: 10", "Flin-Wait: 1"); len(lines) != 0 {
		t.Errorf("behind the last there are %v", lines)
	}
	p.fails("416", "OutOfRange", "flin.stream.tail.events", "", "Flin-Partition: 3")
	p.fails("404", "NotFound", "flin.stream.tail.nothing", "")
	lines, _ = p.lines("flin.stream.topics", "")
	if len(lines) != 1 || lines[0]["name"] != "events" || lines[0]["partitions"] != 3.0 || lines[0]["records"] != 21.0 {
		t.Errorf("the topics are %v", lines)
	}
	if err := client.Stream.Subscribe("events", "readers", "r1"); err != nil {
		t.Fatal(err)
	}
	if err := client.Stream.Commit("events", "readers", 0, 4); err != nil {
		t.Fatal(err)
	}
	lines, _ = p.lines("flin.stream.lag.readers", "")
	if len(lines) != 1 || lines[0]["lag"] != 17.0 || fmt.Sprint(lines[0]["members"]) != "[r1]" {
		t.Errorf("the group is %v", lines)
	}
	lines, _ = p.lines("flin.stream.lag", "")
	if len(lines) != 1 || lines[0]["group"] != "readers" || lines[0]["lag"] != 17.0 {
		t.Errorf("the groups are %v", lines)
	}
}

func TestPeopleInsertAndFindDocuments(t *testing.T) {
	s, url := startForPeople(t)
	p, client := newPerson(t, url), newClient(t, s.port)
	var docs []string
	for i := range 250 {
		docs = append(docs, fmt.Sprintf(`{"_id":%d,"even":%t}`, i, i%2 == 0))
	}
	if ids := p.ask("flin.doc.insert.a.b", "["+strings.Join(docs, ",")+"]").Data; strings.Count(string(ids), "\n") != 249 {
		t.Errorf("the ids are %q", ids)
	}
	made := string(p.ask("flin.doc.insert.users", `{"name":"John Doe"}`, "Flin-DB: other").Data)
	one, err := client.Database("other").Query("users").First()
	if err != nil {
		t.Fatal(err)
	}
	if id, ok := one["_id"].(flin.ObjectID); !ok || made != `{"$oid":"`+id.Hex()+`"}` {
		t.Errorf("the _id is %v, and was said to be %s", one["_id"], made)
	}
	p.fails("409", "Exists", "flin.doc.insert.a.b", `{"_id":1}`)
	p.fails("400", "no document in JSON", "flin.doc.insert.a.b", `{"_id":1} {}`)
	p.fails("400", "no document in JSON", "flin.doc.find.a.b", "even")
	var found []map[string]any
	skip := "0"
	for range 10 {
		lines, answer := p.lines("flin.doc.find.a.b", `{"even":true}`, `Flin-Sort: {"_id":-1}`, "Flin-Skip: "+skip)
		found = append(found, lines...)
		if skip = answer.Header.Get("Flin-Skip"); skip == "" {
			break
		}
	}
	if len(found) != 125 || found[0]["_id"] != 248.0 || found[124]["_id"] != 0.0 {
		t.Errorf("%d documents were found: %v", len(found), found)
	}
	p.gets(`{"_id":7}`, "flin.doc.find.a.b", `{"_id":7}`, `Flin-Fields: {"even":0}`)
	if text := string(p.ask("flin.doc.explain.a.b", `{"_id":7}`).Data); !strings.Contains(text, "IDHACK") {
		t.Errorf("it is found by %s", text)
	}
	lines, _ := p.lines("flin.doc.collections", "")
	if got := names(lines, "collection"); got != "a.b users" {
		t.Errorf("the collections are %s", got)
	}
	lines, answer := p.lines("flin.doc.collections", "", "Flin-Limit: 1")
	next, _ := p.lines("flin.doc.collections", "", "Flin-After: "+answer.Header.Get("Flin-After"))
	if len(lines) != 1 || len(next) != 1 || lines[0]["documents"] != 250.0 || next[0]["db"] != "other" {
		t.Errorf("one after the other they are %v and %v", lines, next)
	}
}

// services asks for all micro services until there are so many.
func (p *person) services(n int) (all []micro.Info) {
	p.t.Helper()
	inbox := p.nc.NewRespInbox()
	sub, err := p.nc.SubscribeSync(inbox)
	if err == nil {
		err = p.nc.PublishRequest("$SRV.INFO", inbox, nil)
	}
	for err == nil && len(all) < n {
		var m *nats.Msg
		if m, err = sub.NextMsg(20 * time.Second); err == nil {
			var one micro.Info
			err = json.Unmarshal(m.Data, &one)
			all = append(all, one)
		}
	}
	if err != nil {
		p.t.Fatalf("after %d services: %v", len(all), err)
	}
	return all
}

func TestEveryEngineIsAServiceOfWhichTheREADMETells(t *testing.T) {
	_, url := startForPeople(t)
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, one := range newPerson(t, url).services(4) {
		seen[one.Name] = true
		if one.Metadata["role"] != "leader" || one.Metadata["node"] == "" || one.Metadata["node"] != one.Metadata["leader"] || one.Metadata["term"] == "0" {
			t.Errorf("%s is %v", one.Name, one.Metadata)
		}
		for _, e := range one.Endpoints {
			rows := rowsOf(string(readme), e.Subject)
			if rows == "" {
				t.Errorf("README.md has no row for %s", e.Subject)
			}
			for option := range strings.SplitSeq(e.Metadata["headers"], ", ") {
				if !strings.Contains(rows, option) && !strings.Contains(rows, "as find") {
					t.Errorf("README.md does not tell of %s for %s", option, e.Subject)
				}
			}
		}
	}
	for _, name := range []string{"flin-kv", "flin-queue", "flin-stream", "flin-doc"} {
		if !seen[name] {
			t.Errorf("%s is not there", name)
		}
	}
}

// rowsOf returns the rows of README.md's table for an endpoint, with a name and without.
func rowsOf(readme, subject string) string {
	var rows strings.Builder
	for line := range strings.Lines(readme) {
		row, ok := strings.CutPrefix(line, "| `"+strings.TrimSuffix(subject, ".>"))
		if ok && (strings.HasPrefix(row, ".`*") || strings.HasPrefix(row, "` |")) {
			rows.WriteString(row)
		}
	}
	return rows.String()
}

func TestWithASecretNobodyAsksWhoDoesNotKnowIt(t *testing.T) {
	inOneProcess(t)
	addr, file := freeAddr(t), filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("open sesame\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	start(t, "-bus=embed://"+addr, "-bus-secret-file="+file)
	for _, url := range []string{"nats://" + addr, natsURL(addr, "open"), natsURL(addr, "")} {
		if nc, err := nats.Connect(url); err == nil {
			nc.Close()
			t.Errorf("%s was let in", url)
		}
	}
	p := newPerson(t, natsURL(addr, "open sesame"))
	p.services(4)
	p.gets("OK", "flin.kv.set.a", "1")
	p.gets("1", "flin.kv.get.a", "")
}
