package people_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"go.uber.org/goleak"

	"github.com/skshohagmiah/flin/pkg/bus"
	"github.com/skshohagmiah/flin/pkg/bus/bustest"
	"github.com/skshohagmiah/flin/pkg/bus/people"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// scripted is an engine that answers as a test tells it to.
type scripted struct {
	mu     sync.Mutex
	answer map[wire.Op]func(body []byte) wire.Response
	asked  []wire.Op
	held   map[engine.Replier]uint64 // requests that are not answered until they are withdrawn
	news   chan struct{}             // has a value when something was held
}

// held is the answer that does not come.
const held wire.Code = 0xFF

func newScripted() *scripted {
	return &scripted{
		answer: make(map[wire.Op]func([]byte) wire.Response), held: make(map[engine.Replier]uint64), news: make(chan struct{}, 1000),
	}
}

// on makes the engine answer op.
func (s *scripted) on(op wire.Op, answer func(body []byte) wire.Response) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer[op] = answer
}

func (s *scripted) Submit(req wire.Request, r engine.Replier) {
	s.mu.Lock()
	s.asked = append(s.asked, req.Op)
	answer := s.answer[req.Op]
	s.mu.Unlock()
	if answer == nil {
		r.Reply(req.Tag, wire.Failf(wire.Unsupported, "the test has no answer to %v", req.Op))
		return
	}
	resp := answer(req.Body)
	if resp.Code != held {
		r.Reply(req.Tag, resp)
		return
	}
	s.mu.Lock()
	s.held[r] = req.Tag
	s.mu.Unlock()
	s.news <- struct{}{}
}

func (s *scripted) Cancel(r engine.Replier, tag uint64) {
	s.mu.Lock()
	_, there := s.held[r]
	delete(s.held, r)
	s.mu.Unlock()
	if there {
		r.Reply(tag, wire.Failf(wire.Canceled, "withdrawn"))
	}
}

func (s *scripted) Credit(engine.Replier, uint64, int) {}

// ops are the operations that were asked for so far.
func (s *scripted) ops() []wire.Op {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]wire.Op(nil), s.asked...)
}

func says(resp wire.Response) func([]byte) wire.Response {
	return func([]byte) wire.Response { return resp }
}

// world is a service on a bus, and a person.
type world struct {
	t      testing.TB
	engine *scripted
	s      *people.Service
	person *nats.Conn
	url    string
}

// serve runs a service for an engine until the test ends.
func serve(t testing.TB, id wire.EngineID, change func(*people.Config)) *world {
	t.Helper()
	return serveOn(t, bustest.Guarded(t).URL(), id, change)
}

func serveOn(t testing.TB, url string, id wire.EngineID, change func(*people.Config)) *world {
	t.Helper()
	w := &world{t: t, engine: newScripted(), url: url}
	cfg := people.Config{Engine: id, Ask: w.engine, Node: "n1", Group: "all-0", Version: "0.1.0"}
	if change != nil {
		change(&cfg)
	}
	conn := bustest.DialAs(t, url, bus.RoleEngine, nil)
	var err error
	if w.s, err = people.Serve(conn, cfg); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := w.s.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := conn.NATS().Flush(); err != nil { // its subscriptions stand
		t.Fatal(err)
	}
	w.person, err = nats.Connect(url, nats.UserInfo(bus.UserPeople, bustest.Secret))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		closed := make(chan struct{})
		w.person.SetClosedHandler(func(*nats.Conn) { close(closed) })
		w.person.Close()
		<-closed
	})
	return w
}

// ask sends a request with headers, each "Name: value", and returns the answer.
func (w *world) ask(subject, body string, headers ...string) *nats.Msg {
	w.t.Helper()
	m := nats.NewMsg(subject)
	m.Data = []byte(body)
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ": ")
		m.Header[name] = append(m.Header[name], value)
	}
	resp, err := w.person.RequestMsg(m, 20*time.Second)
	if err != nil {
		w.t.Fatalf("%s: %v", subject, err)
	}
	return resp
}

// refused fails the test unless the answer is an error of this number that says what is wanted.
func (w *world) refused(resp *nats.Msg, code, text string) {
	w.t.Helper()
	if got := resp.Header.Get("Nats-Service-Error-Code"); got != code {
		w.t.Errorf("the error's number is %q, not %s: %v", got, code, resp.Header)
	}
	if got := resp.Header.Get("Nats-Service-Error"); !strings.Contains(got, text) {
		w.t.Errorf("the error is %q and does not say %q", got, text)
	}
	if len(resp.Data) > 0 {
		w.t.Errorf("beside an error lies %q, which could be taken for a value", resp.Data)
	}
}

// wants fails the test unless the answer is a success with this body.
func (w *world) wants(resp *nats.Msg, body string) {
	w.t.Helper()
	if e := resp.Header.Get("Nats-Service-Error"); e != "" || string(resp.Data) != body {
		w.t.Errorf("the answer is %q, not %q %s", resp.Data, body, e)
	}
}

// echoKey answers a get with the key that was asked for.
func echoKey(body []byte) wire.Response {
	var m wire.KVKey
	if err := m.Decode(body); err != nil {
		return wire.Fail(err)
	}
	return wire.Response{Rev: 7, Body: append([]byte{m.DB + '0', ' '}, m.Key...)}
}

func TestANameIsInTheSubjectOrInAHeader(t *testing.T) {
	w := serve(t, wire.EngineKV, nil)
	w.engine.on(wire.OpKVGet, echoKey)
	w.wants(w.ask("flin.kv.get.user:1", ""), "0 user:1")
	w.wants(w.ask("flin.kv.get.a.b.c", ""), "0 a.b.c")
	w.wants(w.ask("flin.kv.get", "", "Flin-Key: a *.> b"), "0 a *.> b")
	w.wants(w.ask("flin.kv.get", "", "flin-key: in small letters", "FLIN-DB: 3"), "3 in small letters")
	w.wants(w.ask("flin.kv.get", "", "Flin-Key-Base64: AP8K"), "0 \x00\xff\n")
	w.wants(w.ask("flin.kv.get", "", "Flin-Key: "), "0 ")
	w.refused(w.ask("flin.kv.get", ""), "400", "the name of the key is missing")
	w.refused(w.ask("flin.kv.get", "", "Flin-Key-Base64: ?"), "400", "Flin-Key-Base64")
	// Whoever may ask for flin.kv.get.a must not get at b by a header.
	w.refused(w.ask("flin.kv.get.a", "", "Flin-Key: b"), "400", "both in the subject")
}

func TestWhatIsNotKnownIsRefusedAndSaysWhatIs(t *testing.T) {
	w := serve(t, wire.EngineKV, nil)
	w.refused(w.ask("flin.kv.got.a", ""), "501", "get, set, del, scan")
	w.refused(w.ask("flin.kv.set.a", "1", "Flin-TLL: 5"), "400", "Flin-Key, Flin-DB, Flin-TTL, Flin-If-Version")
	w.refused(w.ask("flin.kv.set.a", "1", "Flin-TTL: soon"), "400", "Flin-TTL is \"soon\"")
	w.refused(w.ask("flin.kv.set.a", "1", "Flin-DB: 16"), "400", "from 0 to 15")
	if asked := w.engine.ops(); len(asked) > 0 {
		t.Errorf("the engine was asked: %v", asked)
	}
}

func TestAnErrorHasANumberANameAndNoBody(t *testing.T) {
	w := serve(t, wire.EngineKV, nil)
	w.engine.on(wire.OpKVGet, says(wire.Failf(wire.NotFound, "")))
	w.refused(w.ask("flin.kv.get.a", ""), "404", "NotFound")
	w.engine.on(wire.OpKVGet, says(wire.Failf(wire.Full, "the disk\r\nNats-Service-Error: is full")))
	resp := w.ask("flin.kv.get.a", "")
	w.refused(resp, "507", "Full: the disk  Nats-Service-Error: is full")
	if n := len(resp.Header["Nats-Service-Error"]); n != 1 {
		t.Errorf("its text became %d headers", n)
	}
}

func TestAWriteCountsWithoutAReplySubject(t *testing.T) {
	w := serve(t, wire.EngineKV, nil)
	set := make(chan string, 1)
	w.engine.on(wire.OpKVSet, func(body []byte) wire.Response {
		var m wire.KVSet
		_ = m.Decode(body) // an empty key fails the test
		set <- string(m.Key) + "=" + string(m.Value)
		return wire.Response{Rev: 1}
	})
	for _, subject := range []string{"flin.kv.get.a", "flin.kv.set.a"} { // nobody would hear of the first
		if err := w.person.Publish(subject, []byte("1")); err != nil {
			t.Fatal(err)
		}
	}
	if got := <-set; got != "a=1" {
		t.Errorf("it wrote %s", got)
	}
	if asked := w.engine.ops(); len(asked) != 1 {
		t.Errorf("the engine was asked: %v", asked)
	}
}

func TestARequestThatWaitsKeepsNobodyBack(t *testing.T) {
	w := serve(t, wire.EngineKV, nil)
	w.engine.on(wire.OpKVGet, func(body []byte) wire.Response {
		if strings.HasSuffix(string(body), "slow") {
			return wire.Response{Code: held}
		}
		return echoKey(body)
	})
	inbox := w.person.NewInbox()
	slow, err := w.person.SubscribeSync(inbox)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.person.PublishRequest("flin.kv.get.slow", inbox, nil); err != nil {
		t.Fatal(err)
	}
	<-w.engine.news
	w.wants(w.ask("flin.kv.get.fast", ""), "0 fast")
	if err := w.s.Close(); err != nil { // what is under way is answered
		t.Fatal(err)
	}
	m, err := slow.NextMsg(20 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	w.refused(m, "503", "Unavailable: the node is stopping")
}

func TestTheRequestsUnderWayAreBounded(t *testing.T) {
	w := serve(t, wire.EngineKV, nil)
	w.engine.on(wire.OpKVGet, says(wire.Response{Code: held}))
	const most = 256
	for range most {
		if err := w.person.PublishRequest("flin.kv.get.a", w.person.NewInbox(), nil); err != nil {
			t.Fatal(err)
		}
		<-w.engine.news
	}
	w.refused(w.ask("flin.kv.get.a", ""), "429", "Busy: 256 requests are under way")
}

func TestAnEngineThatDoesNotAnswerIsToldOfInTime(t *testing.T) {
	w := serve(t, wire.EngineKV, nil)
	w.engine.on(wire.OpKVGet, says(wire.Response{Code: held}))
	w.refused(w.ask("flin.kv.get.a", ""), "504", "Timeout: not executed within")
}

func TestAnAnswerThatNoMessageHasRoomForIsRefused(t *testing.T) {
	ns := bustest.NATS(t, func(c *bus.EmbedConfig) { c.Secret, c.MaxPayload = bustest.Secret, 8<<10 })
	w := serveOn(t, ns.URL(), wire.EngineKV, nil)
	w.engine.on(wire.OpKVGet, says(wire.Response{Body: make([]byte, 8<<10)}))
	w.refused(w.ask("flin.kv.get.a", ""), "413", "over the limit of 8192")
	const headers = len("NATS/1.0\r\n") + len("Flin-Version: 0\r\n") + len("\r\n")
	w.engine.on(wire.OpKVGet, says(wire.Response{Body: make([]byte, 8<<10-headers)}))
	if got := len(w.ask("flin.kv.get.a", "").Data); got != 8<<10-headers {
		t.Errorf("what just fits came as %d bytes", got)
	}
}
