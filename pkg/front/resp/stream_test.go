package resp

import (
	"strings"
	"testing"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// recordsOf is how the records of a section are replied.
func recordsOf(partition string) string {
	return "*[:" + partition + " :6 :1000 k v *[h x n nil]] *[:" + partition + " :7 :2000   *[]] *[:" + partition + " :8 :3000 nil nil *[]]"
}

func TestEveryStreamCommandAsksAndReplies(t *testing.T) {
	s, q := serveQueues(t)
	c := s.dial(t)
	num := func(n int64) wire.Response { return wire.Response{Num: n} }
	none := wire.Failf(wire.NotFound, `topic "t" is not there`)
	owned := wire.Response{Body: (&wire.StreamAssignment{Generation: 7, Partitions: []int32{0, 3}}).Append(nil)}
	places := wire.Response{Num: 2, Body: wire.AppendStreamOffset(wire.AppendStreamOffset(nil, wire.StreamOffset{Offset: 5, Time: 1000}), wire.StreamOffset{Partition: 1, Offset: 9, Time: -1})}
	topic := wire.TopicInfo{
		Name: []byte("t"), Created: 1000, Settings: wire.TopicSettings{Retention: -1, MaxBytes: 9, MaxMessage: 8, Compression: wire.CompressionLZ4},
		Partitions: []wire.PartitionInfo{{Start: 1, End: 5, Bytes: 600, Batches: 2, Newest: 2000}},
	}
	info := "*[name t created :1000 retention :-1 max-bytes :9 max-message :8 compression lz4 partitions *[*[partition :0 start :1 end :5 bytes :600 batches :2 newest :2000]]]"
	group := wire.Response{Body: (&wire.GroupInfo{
		Name: []byte("g"), Generation: 7, Members: []wire.GroupMember{{Name: []byte("c")}},
		Partitions: []wire.GroupPartition{
			{Topic: []byte("t"), Owner: 1, Committed: 3, Start: 1, End: 5}, {Topic: []byte("t"), Partition: 1, Committed: -1, Start: 2, End: 5},
		},
	}).Append(nil)}
	lag := "*[group g generation :7 lag :5 members *[c] partitions *[*[partition :0 owner c committed :3 start :1 end :5 lag :2] " +
		"*[partition :1 owner nil committed :-1 start :2 end :5 lag :3]]]"
	groups := wire.Response{Body: wire.AppendGroupSummary(nil, &wire.GroupSummary{Name: []byte("g"), Generation: 7, Members: 1, Topics: 2, Lag: 5})}
	for _, tc := range []struct {
		line   string
		op     wire.Op
		answer wire.Response
		asked  string
		reply  string
	}{
		{"S.CREATE t PARTITIONS 4", wire.OpStreamCreate, num(1), "stream-create t 4 0 {Retention:0 MaxBytes:0 MaxMessage:0 Compression:0}", ":1"},
		{
			"s.create t compression zstd maxmessage 7 maxbytes -1 retention 5 partitions 2", wire.OpStreamCreate, num(0),
			"stream-create t 2 15 {Retention:5 MaxBytes:-1 MaxMessage:7 Compression:4}", ":0",
		},
		{
			"S.CREATE t PARTITIONS 1", wire.OpStreamCreate, wire.Failf(wire.Exists, `topic "t" is there`),
			"stream-create t 1 0 {Retention:0 MaxBytes:0 MaxMessage:0 Compression:0}", `-ERR topic "t" is there`,
		},
		{"S.ALTER t RETENTION -1", wire.OpStreamAlter, num(0), "stream-alter t 0 1 {Retention:-1 MaxBytes:0 MaxMessage:0 Compression:0}", "+OK"},
		{"S.DROP t", wire.OpStreamDelete, num(0), "stream-delete t", "+OK"},
		{"S.DROP t", wire.OpStreamDelete, none, "stream-delete t", `-ERR topic "t" is not there`},
		{"S.TOPICS", wire.OpStreamList, wire.Response{Body: topic.Append(topic.Append(nil))}, `stream-list "" "" "" 100`, "*[t t]"},
		{"S.TOPICS MATCH a*", wire.OpStreamList, num(0), `stream-list "" "" "a*" 100`, "*[]"},
		{"S.INFO t", wire.OpStreamInfo, wire.Response{Body: topic.Append(nil)}, "stream-info t", info},
		{"S.PUBLISH t value", wire.OpStreamPublish, placed(3, 1<<40), "stream-publish t -1 {0 0 : value}", "*[:3 :1099511627776]"},
		{
			"s.publish t value header a 1 ts 1000 partition 2 key k HEADER b 2", wire.OpStreamPublish, placed(2, 0),
			"stream-publish t 2 {7 1000 k a=1 b=2: value}", "*[:2 :0]",
		},
		{"S.PUBLISH t v", wire.OpStreamPublish, wire.Failf(wire.Full, "disk is full"), "stream-publish t -1 {0 0 : v}", "-OOM disk is full"},
		{"S.FETCH t 2 6", wire.OpStreamFetch, fetched(wire.CompressionNone), "stream-fetch t 2 6 false 0 0 0", "*[" + recordsOf("2") + "]"},
		{"S.FETCH t 2 EARLIEST COUNT 3", wire.OpStreamFetch, fetched(wire.CompressionSnappy), "stream-fetch t 2 -2 false 3 0 0", "*[" + recordsOf("2") + "]"},
		{"S.FETCH t 2 latest wait 10 bytes 9", wire.OpStreamFetch, num(0), "stream-fetch t 2 -1 false 0 9 10", "*[]"},
		{"S.FETCH t 0 @1000", wire.OpStreamFetch, wire.Failf(wire.OutOfRange, "5 to 9"), "stream-fetch t 0 1000 true 0 0 0", "-ERR 5 to 9"},
		{"S.OFFSETS t", wire.OpStreamOffsets, places, "stream-offsets t -1 -1", "*[*[:0 :5 :1000] *[:1 :9 nil]]"},
		{"S.OFFSETS t earliest", wire.OpStreamOffsets, num(0), "stream-offsets t -1 -2", "*[]"},
		{"S.OFFSETS t @77", wire.OpStreamOffsets, places, "stream-offsets t -1 77", "*[*[:0 :5 :1000] *[:1 :9 nil]]"},
		{"S.SUBSCRIBE t g c", wire.OpStreamSubscribe, owned, "stream-subscribe t g c false 0 300000 0", "*[:7 *[:0 :3]]"},
		{"S.SUBSCRIBE t g c poll 9 range session 8 latest", wire.OpStreamSubscribe, owned, "stream-subscribe t g c true 1 8 9", "*[:7 *[:0 :3]]"},
		{"S.HEARTBEAT t g c", wire.OpStreamHeartbeat, owned, "stream-heartbeat t g c", "*[:7 *[:0 :3]]"},
		{"S.HEARTBEAT t g c", wire.OpStreamHeartbeat, wire.Failf(wire.Fenced, "no member"), "stream-heartbeat t g c", "-ERR no member"},
		{"S.LEAVE t g c", wire.OpStreamUnsubscribe, num(1), "stream-unsubscribe t g c", ":1"},
		{"S.CONSUME t g c", wire.OpStreamConsume, consumed(), "stream-consume t g c 100 0 0 0", "*[" + recordsOf("0") + " " + recordsOf("3") + "]"},
		{"S.CONSUME t g c TURN 7", wire.OpStreamConsume, consumed(), "stream-consume t g c 100 0 0 7", "*[" + recordsOf("0") + " " + recordsOf("3") + "]"},
		{
			"S.CONSUME t g c WAIT 10 COUNT 3 BYTES 5", wire.OpStreamConsume,
			wire.Response{Body: wire.AppendUvarint(nil, 7)},
			"stream-consume t g c 3 5 10 0", "*[]",
		},
		{"S.COMMIT t g 2 10", wire.OpStreamCommit, num(1), "stream-commit t g  0 2:10", "+OK"},
		{"S.COMMIT t g 2 10 CONSUMER c GENERATION 7", wire.OpStreamCommit, wire.Failf(wire.Fenced, "lost"), "stream-commit t g c 7 2:10", "-ERR lost"},
		{"S.SEEK t g c 2 earliest", wire.OpStreamSeek, num(5), "stream-seek t g c 2 -2", ":5"},
		{"S.RESET t g earliest", wire.OpStreamReset, places, "stream-reset t g -1 -2 false", "*[*[:0 :5 :1000] *[:1 :9 nil]]"},
		{"S.RESET t g @5 PARTITION 3", wire.OpStreamReset, places, "stream-reset t g 3 5 true", "*[*[:0 :5 :1000] *[:1 :9 nil]]"},
		{"S.GROUPS", wire.OpStreamGroups, groups, `stream-groups "" "" "" 1000`, "*[*[name g generation :7 members :1 topics :2 lag :5]]"},
		{"S.GROUPS t MATCH g*", wire.OpStreamGroups, num(0), `stream-groups "t" "" "g*" 1000`, "*[]"},
		{"S.GROUPS MATCH g*", wire.OpStreamGroups, num(0), `stream-groups "" "" "g*" 1000`, "*[]"},
		{"S.LAG t g", wire.OpStreamGroup, group, `stream-group "g" "t"`, lag},
		{"S.DELGROUP g", wire.OpStreamDeleteGroup, wire.Failf(wire.Conflict, "it has members"), `stream-delete-group "g" ""`, "-ERR it has members"},
	} {
		q.set(tc.op, tc.answer)
		c.want(tc.line, tc.reply)
		if got := q.last(); got != tc.asked {
			t.Errorf("%s: asked %q, want %q", tc.line, got, tc.asked)
		}
	}
}

func TestInVersionThreeWhatIsKnownOfTopicsIsMaps(t *testing.T) {
	s, q := serveQueues(t)
	c := s.dial(t)
	c.send("HELLO 3")
	c.read()
	topic := wire.TopicInfo{Name: []byte("t"), Partitions: []wire.PartitionInfo{{End: 5}}}
	q.set(wire.OpStreamInfo, wire.Response{Body: topic.Append(nil)})
	c.want("S.INFO t", "%[name t created :0 retention :0 max-bytes :0 max-message :0 compression none partitions *[%[partition :0 start :0 end :5 bytes :0 batches :0 newest :0]]]")
	q.set(wire.OpStreamGroups, wire.Response{Body: wire.AppendGroupSummary(nil, &wire.GroupSummary{Name: []byte("g")})})
	c.want("S.GROUPS", "*[%[name g generation :0 members :0 topics :0 lag :0]]")
	q.set(wire.OpStreamGroup, wire.Response{Body: (&wire.GroupInfo{Name: []byte("g"), Partitions: []wire.GroupPartition{{End: 5}}}).Append(nil)})
	c.want("S.LAG t g", "%[group g generation :0 lag :5 members *[] partitions *[%[partition :0 owner _ committed :0 start :0 end :5 lag :5]]]")
	q.set(wire.OpStreamFetch, fetched(wire.CompressionNone))
	c.want("S.FETCH t 2 6", "*["+strings.ReplaceAll(recordsOf("2"), "nil", "_")+"]")
}

func TestAStreamCommandThatMakesNoSenseIsExplained(t *testing.T) {
	s, q := serveQueues(t)
	c := s.dial(t)
	for line, says := range map[string]string{
		"S.CREATE t":                          "-ERR wrong number of arguments for 's.create' command",
		"S.CREATE t RETENTION 5":              "-ERR syntax error: S.CREATE needs PARTITIONS",
		"S.CREATE t PARTITIONS 0":             "-ERR PARTITIONS must be a whole number from 1 to 10000, not '0'",
		"S.CREATE t PARTITIONS 10001":         "-ERR PARTITIONS must be a whole number from 1 to 10000, not '10001'",
		"S.CREATE t PARTITIONS 1 RETENTION":   "-ERR syntax error: RETENTION needs a value",
		"S.CREATE t PARTITIONS 1 COMPACT 1":   "-ERR syntax error: S.CREATE has no option 'COMPACT'",
		"S.ALTER t RETENTION -2":              "-ERR RETENTION must be a whole number from 0 to 3153600000000, or -1 for no bound, not '-2'",
		"S.ALTER t MAXMESSAGE 8388609":        "-ERR MAXMESSAGE must be a whole number from 1 to 8388608, not '8388609'",
		"S.TOPICS a":                          "-ERR syntax error: S.TOPICS [MATCH pattern]",
		"S.GROUPS a b c d":                    "-ERR syntax error: S.GROUPS [topic] [MATCH pattern]",
		"S.PUBLISH t v PARTITION -1":          "-ERR the partition must be a whole number from 0 to 2147483647, not '-1'",
		"S.PUBLISH t v TS -1":                 "-ERR TS must be a whole number from 0 to 9223372036854775807, not '-1'",
		"S.PUBLISH t v HEADER a":              "-ERR syntax error: HEADER needs a name and a value",
		"S.PUBLISH t v DELAY 1":               "-ERR syntax error: S.PUBLISH has no option 'DELAY'",
		"S.FETCH t x 0":                       "-ERR the partition must be a whole number from 0 to 2147483647, not 'x'",
		"S.FETCH t 0 -1":                      "-ERR '-1' is no place in a partition: earliest, latest, @ and a time in milliseconds, or an offset",
		"S.FETCH t 0 @":                       "-ERR '@' is no place in a partition: earliest, latest, @ and a time in milliseconds, or an offset",
		"S.FETCH t 0 9223372036854775808":     "-ERR '9223372036854775808' is no place in a partition: earliest, latest, @ and a time in milliseconds, or an offset",
		"S.FETCH t 0 0 WAIT 300001":           "-ERR WAIT must be a whole number from 0 to 300000, not '300001'",
		"S.FETCH t 0 0 BYTES 8388609":         "-ERR BYTES must be a whole number from 1 to 8388608, not '8388609'",
		"S.OFFSETS t 5":                       "-ERR S.OFFSETS looks up earliest, latest or @ and a time in milliseconds, not an offset",
		"S.OFFSETS t 5 5":                     "-ERR syntax error: S.OFFSETS topic [earliest|latest|@ms]",
		"S.SUBSCRIBE t g c SESSION":           "-ERR syntax error: SESSION needs a value",
		"S.SUBSCRIBE t g c SESSION 1800001":   "-ERR SESSION must be a whole number from 1 to 1800000, not '1800001'",
		"S.SUBSCRIBE t g c EARLIEST":          "-ERR syntax error: S.SUBSCRIBE has no option 'EARLIEST'",
		"S.CONSUME t g c COUNT 0":             "-ERR COUNT must be a whole number from 1 to 10000, not '0'",
		"S.COMMIT t g 0 -1":                   "-ERR the offset must be a whole number from 0 to 9223372036854775807, not '-1'",
		"S.COMMIT t g 0 1 GENERATION 0":       "-ERR GENERATION must be a whole number from 1 to 9223372036854775807, not '0'",
		"S.SEEK t g c 0 @5":                   "-ERR S.SEEK takes earliest, latest or an offset, not a time: S.OFFSETS finds its offset",
		"S.RESET t g earliest TO 5":           "-ERR syntax error: S.RESET has no option 'TO'",
		"S.CREATE t PARTITIONS 1 COMPRESSION": "-ERR syntax error: COMPRESSION needs a value",
	} {
		c.want(line, says)
	}
	c.send("S.CREATE t PARTITIONS 1 COMPRESSION brotli")
	if got := c.read(); !strings.HasPrefix(got, "-ERR ") || !strings.Contains(got, "brotli") {
		t.Errorf("an unknown codec: %q", got)
	}
	if got := q.last(); got != "nothing" {
		t.Errorf("the engine was asked: %s", got)
	}
}

func TestTopicsAreNoPartOfTransactionsNorTheirNamesKeys(t *testing.T) {
	s, q := serveQueues(t)
	c := s.dial(t)
	for _, cmd := range streamCommands() {
		line := cmd.name + strings.Repeat(" 1", max(cmd.arity, -cmd.arity, 2)-1)
		c.want("MULTI", "+OK")
		c.want(line, "-ERR "+upper(cmd.name)+" is not allowed in transactions: it cannot be part of one atomic entry")
		c.want("EXEC", "-EXECABORT Transaction discarded because of previous errors.")
		c.want("COMMAND GETKEYS "+line, "-ERR The command has no key arguments")
		c.send("COMMAND DOCS " + cmd.name)
		if got := c.read(); !strings.Contains(got, upper(cmd.name)) || !strings.Contains(got, "group stream") {
			t.Errorf("COMMAND DOCS says %q", got)
		}
	}
	if got := q.last(); got != "nothing" {
		t.Errorf("the engine was asked: %s", got)
	}
}

func TestAnOddAnswerOfTheStreamEngineIsAnError(t *testing.T) {
	s, q := serveQueues(t)
	c := s.dial(t)
	damaged := someSection(0, wire.CompressionNone)
	damaged.Batches = damaged.Batches[:len(damaged.Batches)-3]
	fewer := fetched(wire.CompressionNone)
	fewer.Num = 4
	for line, op := range map[string]wire.Op{
		"S.PUBLISH t v": wire.OpStreamPublish, "S.FETCH t 0 0": wire.OpStreamFetch, "S.CONSUME t g c": wire.OpStreamConsume, "S.INFO t": wire.OpStreamInfo,
		"S.SUBSCRIBE t g c": wire.OpStreamSubscribe, "S.OFFSETS t": wire.OpStreamOffsets, "S.LAG t g": wire.OpStreamGroup, "S.TOPICS": wire.OpStreamList,
		"S.GROUPS": wire.OpStreamGroups,
	} {
		for _, resp := range []wire.Response{
			{Num: 2, Body: []byte{1, 2}}, {Num: -1, Body: []byte{0xff}}, {Num: 1 << 50, Body: []byte{0xff}}, {Num: 3, Body: damaged.Append(nil)}, fewer,
		} {
			q.set(op, resp)
			c.send(line)
			if got := c.read(); !strings.HasPrefix(got, "-ERR the engine's answer cannot be read") {
				t.Errorf("%s: %q", line, got)
			}
		}
	}
	c.want("PING", "+PONG")
}

func TestAFetchThatWaitsIsWithdrawnLikeAnyBlockingCommand(t *testing.T) {
	s, q := serveQueues(t)
	for _, line := range []string{"S.FETCH t 0 latest WAIT 60000", "S.CONSUME t g c WAIT 60000"} {
		a, b := s.dial(t), s.dial(t)
		a.send("CLIENT ID")
		id := strings.TrimPrefix(a.read(), ":")
		for how, want := range map[string]string{"": "*[]", " ERROR": "-UNBLOCKED client unblocked via CLIENT UNBLOCK"} {
			a.send(line, "PING")
			q.parked(1)
			for got := ":0"; got != ":1"; { // it is parked a moment before it is known to wait
				b.send("CLIENT UNBLOCK " + id + how)
				got = b.read()
			}
			if got := a.read(); got != want {
				t.Errorf("%s%s: %q", line, how, got)
			}
			<-q.canceled
			if got := a.read(); got != "+PONG" {
				t.Errorf("what follows: %q", got)
			}
		}
		a.send(line)
		q.parked(1)
		_ = a.nc.Close()
		<-q.canceled
	}
}

// publishes answers a publish with a place.
type publishes struct {
	still
	placed []byte
}

func (e *publishes) Submit(req wire.Request, r wire.Replier) {
	r.Reply(req.Tag, wire.Response{Num: 1, Body: e.placed})
}

func TestAPublishAllocatesNothing(t *testing.T) {
	c := newBenchConn()
	c.s.cfg.Engine = &publishes{placed: placed(3, 1<<40).Body}
	publish := []byte("*5\r\n$9\r\nS.PUBLISH\r\n$6\r\nevents\r\n$5\r\nvalue\r\n$3\r\nKEY\r\n$4\r\nuser\r\n")
	one := func() {
		n, err := c.next(publish)
		if n != len(publish) || err != nil {
			t.Fatal(n, err)
		}
		c.dispatch(c.args)
		if err := c.drainOutput(); err != nil {
			t.Fatal(err)
		}
	}
	for range 1000 {
		one()
	}
	if n := testing.AllocsPerRun(10_000, one); n > 0.05 { // a pool may be emptied meanwhile
		t.Errorf("%v allocations for each publish", n)
	}
}
