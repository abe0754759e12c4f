package resp

import (
	"encoding/binary"
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

var (
	someReceipt = wire.Receipt{ID: wire.NewMessageID(5, 17), Attempt: 2, Nonce: 99}
	receiptText = someReceipt.String()
)

// someMessages are n leased messages.
func someMessages(n int) wire.Response {
	resp := wire.Response{Num: int64(n)}
	for i := range n {
		t := someReceipt
		t.ID += wire.MessageID(i)
		resp.Body = wire.AppendDelivery(resp.Body, &wire.QueueDelivery{
			Receipt: t, State: wire.DeliveryLeased, PushedAt: 1000, Until: 2000, Expires: 3000, Group: []byte("g"),
			Headers: []wire.Header{{Name: []byte("h"), Value: []byte("v")}}, Body: []byte("body"),
		})
	}
	return resp
}

func queueIDs(ids ...wire.MessageID) wire.Response {
	var resp wire.Response
	for _, id := range ids {
		resp.Body = binary.BigEndian.AppendUint64(resp.Body, uint64(id))
	}
	return resp
}

// queueInfos is a page of queues.
func queueInfos(more int64, names ...string) wire.Response {
	resp := wire.Response{Num: more}
	for _, n := range names {
		info := wire.QueueInfo{Name: []byte(n), Ready: 3, Settings: wire.QueueSettings{Lease: 30_000, DeadLetter: []byte("d"), Overflow: wire.QueueDrop}}
		resp.Body = info.Append(resp.Body)
	}
	return resp
}

// serveQueues serves a client whose queues are a test's.
func serveQueues(t *testing.T) (*testServer, *fakeQueues) {
	t.Helper()
	s := serve(t, nil)
	s.engine.queues = newFakeQueues(t)
	return s, s.engine.queues
}

func TestEveryQueueCommandAsksAndReplies(t *testing.T) {
	s, q := serveQueues(t)
	c := s.dial(t)
	num := func(n int64) wire.Response { return wire.Response{Num: n} }
	none := wire.Failf(wire.NotFound, "there is no queue q")
	info := "*[name q ready :3 delayed :0 leased :0 dead :0 oldest :0 paused :0 created :0 pushed :0 popped :0 acked :0 died :0 dropped :0 " +
		"pushed-in-10s :0 popped-in-10s :0 lease :30000 max-deliver :0 max-length :0 ttl :0 dedup-window :0 dead-letter-queue d overflow drop]"
	for _, tc := range []struct {
		line   string
		op     wire.Op
		answer wire.Response
		asked  string
		reply  string
	}{
		{"Q.PUSH q body", wire.OpQueuePush, queueIDs(wire.NewMessageID(255, 17)), "queue-push q {0 0 0   0: body}", "17-255"},
		{
			"q.push q body header a 1 ttl 9 group g dedup d priority 5 delay 7 HEADER b 2", wire.OpQueuePush, queueIDs(wire.NewMessageID(5, 17)),
			"queue-push q {125 7 5 d g 9 a=1 b=2: body}", "17-5",
		},
		{"Q.PUSH q body AT 1000", wire.OpQueuePush, queueIDs(wire.NewMessageID(0, 1)), "queue-push q {2 1000 0   0: body}", "1"},
		{"Q.PUSH q body", wire.OpQueuePush, wire.Failf(wire.Full, "queue q is full"), "queue-push q {0 0 0   0: body}", "-OOM queue q is full"},
		{"Q.MPUSH q a b", wire.OpQueuePush, queueIDs(wire.NewMessageID(0, 1), wire.NewMessageID(0, 2)), "queue-push q {0 0 0   0: a} {0 0 0   0: b}", "*[1 2]"},
		{"Q.POP q", wire.OpQueuePop, someMessages(1), "queue-pop q 1 0 0", "body"},
		{"Q.POP q", wire.OpQueuePop, wire.Response{Code: wire.Empty}, "queue-pop q 1 0 0", "nil"},
		{"Q.POP q count 3", wire.OpQueuePop, someMessages(2), "queue-pop q 3 0 0", "*[body body]"},
		{"Q.POP q WAIT 0 COUNT 1", wire.OpQueuePop, wire.Response{Code: wire.Empty}, "queue-pop q 1 0 0", "nil"},
		{"Q.POP q WAIT 1500", wire.OpQueuePop, someMessages(1), "queue-pop q 1 1500 0", "body"},
		{"Q.LEASE q", wire.OpQueueLease, someMessages(1), "queue-lease q 1 0 0", "*[*[17-5 " + receiptText + " :2 body *[h v]]]"},
		{"Q.LEASE q FOR 60000 WAIT 5 COUNT 2", wire.OpQueueLease, wire.Response{Code: wire.Empty}, "queue-lease q 2 5 60000", "nil"},
		{"Q.ACK q " + receiptText, wire.OpQueueAck, num(1), "queue-ack q [" + receiptText + "]", ":1"},
		{"Q.ACK q " + receiptText, wire.OpQueueAck, wire.Failf(wire.Fenced, "stale receipt"), "queue-ack q [" + receiptText + "]", "-ERR stale receipt"},
		{
			"Q.ACK q " + receiptText + " " + receiptText + " " + receiptText, wire.OpQueueAck,
			wire.Response{Num: 1, Body: []byte{byte(wire.Fenced), 0, byte(wire.Fenced)}},
			"queue-ack q [" + receiptText + " " + receiptText + " " + receiptText + "]",
			"-ERR 1 of 3 messages were acknowledged; the receipts of the others are stale: number 1, number 3",
		},
		{"Q.NACK q " + receiptText + " ERROR why DELAY 5", wire.OpQueueNack, num(0), "queue-nack q " + receiptText + " 5 why", "+OK"},
		{"Q.REJECT q " + receiptText + " ERROR why", wire.OpQueueReject, num(1), "queue-reject q " + receiptText + " 0 why", "+OK"},
		{"Q.EXTEND q " + receiptText + " 500", wire.OpQueueExtend, num(1500), "queue-extend q " + receiptText + " 500", ":1500"},
		{"Q.PEEK q COUNT 2", wire.OpQueuePeek, someMessages(2), "queue-peek q 2", "*[*[17-5 :2 body *[h v]] *[18-5 :2 body *[h v]]]"},
		{"Q.PEEK q", wire.OpQueuePeek, num(0), "queue-peek q 1", "*[]"},
		{"Q.LEN q", wire.OpQueueLen, num(4), "queue-len q", ":4"},
		{"Q.INFO q", wire.OpQueueInfo, queueInfos(0, "q"), "queue-info q", info},
		{"Q.INFO q", wire.OpQueueInfo, none, "queue-info q", "-ERR there is no queue q"},
		{"Q.LIST", wire.OpQueueList, queueInfos(0, "a", "b"), "queue-list   1000", "*[a b]"},
		{"Q.LIST MATCH a*", wire.OpQueueList, num(0), "queue-list  a* 1000", "*[]"},
		{"Q.CREATE q", wire.OpQueueCreate, num(1), "queue-create q 0 0 0  0 0 0", ":1"},
		{
			"Q.CREATE q TTL 0 OVERFLOW drop MAXLEN 9 DLQ d MAXDELIVER 3 LEASE 1000", wire.OpQueueCreate, num(0),
			"queue-create q 63 1000 3 d 9 1 0", ":0",
		},
		{"Q.CREATE q DLQ \"\" OVERFLOW REJECT", wire.OpQueueCreate, num(0), "queue-create q 20 0 0  0 0 0", ":0"},
		{
			"Q.GET q 17-5", wire.OpQueueGet, someMessages(1), "queue-get q 17-5",
			"*[id 17-5 state leased priority :5 attempt :2 pushed :1000 until :2000 expires :3000 group g headers *[h v] body body]",
		},
		{"Q.GET q 17", wire.OpQueueGet, none, "queue-get q 17", "nil"},
		{"Q.REMOVE q 17", wire.OpQueueRemove, num(0), "queue-remove q 17", ":1"},
		{"Q.REMOVE q 17", wire.OpQueueRemove, none, "queue-remove q 17", ":0"},
		{"Q.PURGE q", wire.OpQueueClear, num(7), "queue-clear q", ":7"},
		{"Q.DEL q", wire.OpQueueDelete, none, "queue-delete q", "-ERR there is no queue q"},
		{"Q.REDRIVE q", wire.OpQueueRedrive, num(7), "queue-redrive q 0", ":7"},
		{"Q.REDRIVE q COUNT 3", wire.OpQueueRedrive, num(3), "queue-redrive q 3", ":3"},
		{"Q.PAUSE q", wire.OpQueuePause, num(0), "queue-pause q", "+OK"},
		{"Q.RESUME q", wire.OpQueueResume, none, "queue-resume q", "-ERR there is no queue q"},
	} {
		q.set(tc.op, tc.answer)
		c.want(tc.line, tc.reply)
		if got := q.last(); got != tc.asked {
			t.Errorf("%s: asked %q, want %q", tc.line, got, tc.asked)
		}
	}
}

func TestInVersionThreeInfoIsAMapAndNothingIsNull(t *testing.T) {
	s, q := serveQueues(t)
	c := s.dial(t)
	c.send("HELLO 3")
	c.read()
	q.set(wire.OpQueueInfo, queueInfos(0, "q"))
	c.send("Q.INFO q")
	if got := c.read(); !strings.HasPrefix(got, "%[name q ready :3 ") {
		t.Errorf("%q", got)
	}
	for _, op := range []wire.Op{wire.OpQueuePop, wire.OpQueueLease} {
		q.set(op, wire.Response{Code: wire.Empty})
	}
	q.set(wire.OpQueueGet, wire.Response{Code: wire.NotFound})
	for _, line := range []string{"Q.POP q", "Q.POP q COUNT 2", "Q.LEASE q", "Q.GET q 1"} {
		c.want(line, "_")
	}
	q.set(wire.OpQueueGet, someMessages(1))
	c.send("Q.GET q 17-5")
	if got := c.read(); !strings.HasPrefix(got, "*[id 17-5 ") {
		t.Errorf("%q", got)
	}
}

func TestAQueueCommandThatMakesNoSenseIsExplained(t *testing.T) {
	s, q := serveQueues(t)
	c := s.dial(t)
	for line, says := range map[string]string{
		"Q.PUSH q":                               "-ERR wrong number of arguments for 'q.push' command",
		"Q.PUSH q b DELAY":                       "-ERR syntax error: DELAY needs a value",
		"Q.PUSH q b DELAY x":                     "-ERR DELAY must be a whole number from 0 to 315360000000, not 'x'",
		"Q.PUSH q b DELAY -1":                    "-ERR DELAY must be a whole number from 0 to 315360000000, not '-1'",
		"Q.PUSH q b DELAY 315360000001":          "-ERR DELAY must be a whole number from 0 to 315360000000, not '315360000001'",
		"Q.PUSH q b DELAY 1 AT 1":                "-ERR DELAY and AT exclude each other",
		"Q.PUSH q b PRIORITY 256":                "-ERR PRIORITY must be a whole number from 0 to 255, not '256'",
		"Q.PUSH q b TTL 0":                       "-ERR TTL must be a whole number from 1 to 315360000000, not '0'",
		"Q.PUSH q b HEADER a":                    "-ERR syntax error: HEADER needs a name and a value",
		"Q.PUSH q b NX 1":                        "-ERR syntax error: Q.PUSH has no option 'NX'",
		"Q.POP q COUNT 0":                        "-ERR COUNT must be a whole number from 1 to 10000, not '0'",
		"Q.POP q WAIT 3600001":                   "-ERR WAIT must be a whole number from 0 to 3600000, not '3600001'",
		"Q.POP q FOR 1":                          "-ERR syntax error: Q.POP has no option 'FOR'",
		"Q.LEASE q FOR 43200001":                 "-ERR FOR must be a whole number from 1 to 43200000, not '43200001'",
		"Q.ACK q x":                              "-ERR \"x\" is no receipt",
		"Q.NACK q x":                             "-ERR \"x\" is no receipt",
		"Q.NACK q " + receiptText + " X":         "-ERR syntax error: X needs a value",
		"Q.REJECT q " + receiptText + " DELAY 1": "-ERR syntax error: Q.REJECT has no option 'DELAY'",
		"Q.EXTEND q " + receiptText + " 0":       "-ERR the lease must be a whole number from 1 to 43200000, not '0'",
		"Q.PEEK q 5 5":                           "-ERR syntax error: Q.PEEK has no option '5'",
		"Q.PEEK q COUNT 1001":                    "-ERR COUNT must be a whole number from 1 to 1000, not '1001'",
		"Q.GET q x":                              "-ERR \"x\" is no message id: one looks like 17 or, with priority 5, 17-5",
		"Q.LIST a":                               "-ERR syntax error: Q.LIST [MATCH pattern]",
		"Q.CREATE q OVERFLOW x":                  "-ERR OVERFLOW must be reject or drop, not 'x'",
		"Q.CREATE q SIZE 1":                      "-ERR syntax error: Q.CREATE has no option 'SIZE'",
		"Q.REDRIVE q COUNT 0":                    "-ERR COUNT must be a whole number from 1 to 9223372036854775807, not '0'",
	} {
		c.want(line, says)
	}
	if got := q.last(); got != "nothing" {
		t.Errorf("the engine was asked: %s", got)
	}
}

func TestQueuesAreNoPartOfTransactionsNorTheirNamesKeys(t *testing.T) {
	s, q := serveQueues(t)
	c := s.dial(t)
	for _, cmd := range queueCommands() {
		line := cmd.name + strings.Repeat(" 1", max(cmd.arity, -cmd.arity, 2)-1)
		c.want("MULTI", "+OK")
		c.want(line, "-ERR "+upper(cmd.name)+" is not allowed in transactions: it cannot be part of one atomic entry")
		c.want("EXEC", "-EXECABORT Transaction discarded because of previous errors.")
		c.want("COMMAND GETKEYS "+line, "-ERR The command has no key arguments")
		c.send("COMMAND DOCS " + cmd.name)
		if got := c.read(); !strings.Contains(got, upper(cmd.name)) || !strings.Contains(got, "group queue") {
			t.Errorf("COMMAND DOCS says %q", got)
		}
	}
	if got := q.last(); got != "nothing" {
		t.Errorf("the engine was asked: %s", got)
	}
	c.send("COMMAND INFO q.pop")
	if got := c.read(); !strings.Contains(got, "+blocking") || !strings.Contains(got, "+@blocking") {
		t.Errorf("%q", got)
	}
}

func TestAnOddAnswerOfTheQueueEngineIsAnError(t *testing.T) {
	s, q := serveQueues(t)
	c := s.dial(t)
	for line, op := range map[string]wire.Op{
		"Q.PUSH q b": wire.OpQueuePush, "Q.MPUSH q a b": wire.OpQueuePush, "Q.POP q": wire.OpQueuePop, "Q.POP q COUNT 9": wire.OpQueuePop,
		"Q.LEASE q": wire.OpQueueLease, "Q.PEEK q": wire.OpQueuePeek, "Q.GET q 1": wire.OpQueueGet, "Q.INFO q": wire.OpQueueInfo,
		"Q.LIST": wire.OpQueueList,
	} {
		for _, resp := range []wire.Response{{Num: 2, Body: []byte{1, 2}}, {Num: -1, Body: []byte{0xff}}, {Num: 1 << 50, Body: []byte{0xff}}} {
			q.set(op, resp)
			c.send(line)
			if got := c.read(); !strings.HasPrefix(got, "-ERR the engine's answer cannot be read") {
				t.Errorf("%s: %q", line, got)
			}
		}
	}
	c.want("PING", "+PONG")
}

// pushesAndPops answers a push with an id and a pop with a message.
type pushesAndPops struct {
	still
	pushed, popped []byte
}

func (e *pushesAndPops) Submit(req wire.Request, r wire.Replier) {
	resp := wire.Response{Num: 1, Body: e.pushed}
	if req.Op == wire.OpQueuePop {
		resp.Body = e.popped
	}
	r.Reply(req.Tag, resp)
}

func TestAPushAndAPopAllocateNothing(t *testing.T) {
	c := newBenchConn()
	c.s.cfg.Engine = &pushesAndPops{pushed: queueIDs(wire.NewMessageID(0, 17)).Body, popped: someMessages(1).Body}
	push := []byte("*3\r\n$6\r\nQ.PUSH\r\n$4\r\njobs\r\n$4\r\nbody\r\n")
	pop := []byte("*2\r\n$5\r\nQ.POP\r\n$4\r\njobs\r\n")
	one := func(input []byte) {
		n, err := c.next(input)
		if n != len(input) || err != nil {
			t.Fatal(n, err)
		}
		c.dispatch(c.args)
		if err := c.drainOutput(); err != nil {
			t.Fatal(err)
		}
	}
	for range 1000 {
		one(push)
		one(pop)
	}
	if n := testing.AllocsPerRun(10_000, func() { one(push); one(pop) }); n > 0.05 { // a pool may be emptied meanwhile
		t.Errorf("%v allocations for each push and pop", n)
	}
}
