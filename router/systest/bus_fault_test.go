package systest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/clients/go"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// errand asks an engine for a write and a read of what it wrote; n tells errands apart.
type errand struct {
	engine wire.EngineID
	run    func(c *flin.Client, n int, body []byte) error
}

// errands has one for each engine. What they write to must be there: prepareErrands.
var errands = []errand{
	{wire.EngineKV, func(c *flin.Client, n int, body []byte) error {
		key := fmt.Sprint("errand/", n)
		if err := c.KV.Set(key, body); err != nil {
			return err
		}
		v, err := c.KV.Get(key)
		return sameBody(err, v, body)
	}},
	{wire.EngineQueue, func(c *flin.Client, n int, body []byte) error {
		queue := fmt.Sprint("errand.", n)
		if err := c.Queue.Push(queue, body); err != nil {
			return err
		}
		v, err := c.Queue.Pop(queue)
		return sameBody(err, v, body)
	}},
	{wire.EngineStream, func(c *flin.Client, _ int, body []byte) error {
		at, err := c.Stream.Publish("errands", flin.AnyPartition, "", body)
		if err != nil {
			return err
		}
		list, err := c.Stream.Fetch("errands", at.Partition, at.Offset, flin.MaxBytes(1))
		if err == nil && len(list) == 0 {
			return fmt.Errorf("%w: no record", errOther)
		}
		if err != nil {
			return err
		}
		return sameBody(nil, list[0].Value, body)
	}},
	{wire.EngineDoc, func(c *flin.Client, n int, body []byte) error {
		id, err := c.DB.Insert("errands", flin.Document{"n": n, "body": body})
		if err != nil {
			return err
		}
		d, err := c.DB.Get("errands", id)
		v, _ := d["body"].([]byte)
		return sameBody(err, v, body)
	}},
}

var errOther = errors.New("it is something else")

func sameBody(err error, got, want []byte) error {
	if err == nil && !bytes.Equal(got, want) {
		return fmt.Errorf("%w: %s", errOther, brief(got))
	}
	return err
}

func prepareErrands(t *testing.T, client *flin.Client) {
	t.Helper()
	if err := client.Stream.CreateTopic("errands", 4, -1); err != nil {
		t.Fatal(err)
	}
}

// does runs an errand with a deadline that only a broken run reaches.
func (e errand) does(client *flin.Client, n int, body []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	return e.run(client.With(ctx), n, body)
}

// While one engine's process stands still, and hundreds wait for it, the others answer all that they are asked; and once it goes on, so
// does whoever asks it.
func TestASlowEngineDoesNotSlowTheOthers(t *testing.T) {
	overTheBus(t)
	s := start(t)
	client := newClient(t, s.addrs())
	prepareErrands(t, client)
	for i, slow := range errands {
		t.Run(slow.engine.String(), func(t *testing.T) {
			d := s.behind.daemon(slow.engine)
			d.signal(syscall.SIGSTOP)
			var waiting sync.WaitGroup
			var done atomic.Int64
			crowd := newClient(t, s.addrs()) // a connection keeps what it is asked for, up to a limit: theirs are not the others'
			ctx, cancel := context.WithCancel(context.Background())
			defer func() { cancel(); waiting.Wait() }()
			body := payload("crowd", 1, largeValue)
			for n := range 200 {
				waiting.Go(func() {
					if slow.run(crowd.With(ctx), 1000*(i+1)+n, body) == nil {
						done.Add(1)
					}
				})
			}
			for _, other := range errands {
				for n := range 50 {
					if other.engine == slow.engine {
						continue
					}
					if err := other.does(client, 100*i+n, payload("other", int64(n+1), smallValue)); err != nil {
						t.Fatalf("while %s stands still, errand %d of %v: %v", d.program, n, other.engine, err)
					}
				}
			}
			if n := done.Load(); n > 0 {
				t.Errorf("%d errands of an engine that stands still were done", n)
			}
			atMost(t, s, 700<<20, "with hundreds who wait for "+d.program)
			d.signal(syscall.SIGCONT)
			if !again(t.Context(), func() error { return slow.does(client, 1000*(i+1)+500, body) }) {
				t.Error("it never answers again")
			}
		})
	}
}

// A router bounds what clients cost it that ask for large values and read none of them, however many they are, and serves others
// meanwhile.
func TestARouterWithAThousandClientsThatDoNotRead(t *testing.T) {
	overTheBus(t)
	const crowd, asks = 1000, 200
	s := start(t)
	client := newClient(t, s.port)
	if err := client.KV.Set("big", payload("big", 1, 1<<20)); err != nil {
		t.Fatal(err)
	}
	before, _ := rss(s)
	request := []byte(strings.Repeat("*2\r\n$3\r\nGET\r\n$3\r\nbig\r\n", asks)) // 200 GiB in all
	conns := make([]net.Conn, crowd)
	defer func() {
		for _, c := range conns {
			if c != nil {
				_ = c.Close()
			}
		}
	}()
	for i := range conns {
		r := dialRaw(t, s.port)
		conns[i] = r.conn
		smallWindow(t, r.conn)
		r.write(t, request)
	}
	most := int64(0)
	for n := range 500 {
		for { // whoever asks for too much at once is told so, and may ask again
			err := errands[0].does(client, n, payload("small", int64(n+1), smallValue))
			if err == nil {
				break
			}
			if !errors.Is(err, flin.ErrBusy) {
				t.Fatalf("beside %d clients that do not read: %v", crowd, err)
			}
		}
		now, _ := rss(s)
		most = max(most, now)
	}
	if most > before+2<<30 { // unread answers may take 1 GiB, and what is collected comes on top
		t.Errorf("%d clients that do not read cost %d MiB", crowd, (most-before)>>20)
	}
	t.Logf("%d clients that do not read cost %d MiB", crowd, (most-before)>>20)
	for i, c := range conns {
		_ = c.Close()
		conns[i] = nil
	}
	stillServes(t, s)
}

// Without a bus a router answers Unavailable within the deadline that it was given, to clients of each protocol, and by itself goes on
// when the bus is back.
func TestARouterWithoutItsBusSaysSoInTime(t *testing.T) {
	overTheBus(t)
	s := start(t)
	client := newClient(t, s.addrs())
	prepareErrands(t, client)
	var gone []*process // without which nothing is answered
	if s.behind.nats != nil {
		gone = append(gone, s.behind.nats)
	} else { // the router that was asked is the bus: without engines on it there is as little behind it
		for _, d := range s.behind.daemons {
			gone = append(gone, &d.process)
		}
	}
	for round := range 2 {
		for _, p := range gone {
			p.kill()
		}
		unavailableNatively(t, s)
		var asking sync.WaitGroup
		for _, command := range []string{"SET k v", "Q.PUSH q v", "S.TOPICS", "DOC.COLLECTIONS"} {
			asking.Go(func() {
				if line, err := asksInline(s.port, command); err != nil || !strings.HasPrefix(line, "-CLUSTERDOWN ") {
					t.Errorf("%s without a bus: %q, %v", command, line, err)
				}
			})
		}
		asking.Wait()
		s.launch()
		for n, e := range errands {
			if err := e.does(client, 10*round+n+10, []byte("y")); err != nil {
				t.Errorf("%v when the bus is back: %v", e.engine, err)
			}
		}
		stillRuns(t, s)
	}
}

// unavailableNatively asks each engine with a deadline and expects Unavailable about then.
func unavailableNatively(t *testing.T, s *server) {
	t.Helper()
	n := dialFrames(t, s.port)
	defer n.close()
	deadline := wire.Clock() + int64(2*time.Second)
	asked := map[uint64]wire.Op{}
	for op, body := range map[wire.Op][]byte{
		wire.OpKVSet: (&wire.KVSet{Key: []byte("k"), Value: []byte("v")}).Append(nil), wire.OpQueueList: (&wire.QueueList{}).Append(nil),
		wire.OpStreamList: (&wire.StreamList{}).Append(nil), wire.OpDocCollections: (&wire.DocList{}).Append(nil),
	} {
		n.tag++
		asked[n.tag] = op
		n.write(t, wire.AppendRequest(nil, &wire.Request{Op: op, Tag: n.tag, Deadline: deadline, Body: body}, wire.Clock()))
	}
	for range len(asked) {
		tag, resp, err := n.read()
		if err != nil || resp.Code != wire.Unavailable {
			t.Errorf("%v without a bus is answered %v %q, %v", asked[tag], resp.Code, resp.Body, err)
		}
		// Without a deadline it would have been given five seconds.
		if late := wire.Clock() - deadline; late > int64(time.Second) {
			t.Errorf("%v without a bus is answered %v after its deadline", asked[tag], time.Duration(late))
		}
	}
}
