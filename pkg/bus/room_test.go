package bus_test

import (
	"encoding/binary"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/skshohagmiah/flin/pkg/bus"
	"github.com/skshohagmiah/flin/pkg/bus/bustest"
	"github.com/skshohagmiah/flin/pkg/engine/enginetest"
	"github.com/skshohagmiah/flin/pkg/internal/memkv"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestOneLongAnswerDoesNotEndALink(t *testing.T) {
	ns := bustest.NATS(t, nil)
	d := newDesk()
	bustest.Serve(t, bustest.Dial(t, ns.URL()), wire.EngineKV, d, func(c *bus.ServeConfig) { c.MaxAnswers = 1 << 20 })
	far := bustest.Engine(t, bustest.Dial(t, ns.URL()), wire.EngineKV, nil)
	linked(t, far, d)
	other, c := enginetest.NewClient(t), enginetest.NewClient(t)
	far.Submit(wire.Request{Op: wire.OpKVSet, Tag: 1}, other)
	write := <-d.in
	far.Submit(wire.Request{Op: wire.OpKVMGet, Tag: 1}, c)
	read := <-d.in
	read.r.Reply(read.req.Tag, wire.Response{Body: make([]byte, 3<<20)})
	time.Sleep(100 * time.Millisecond)
	write.answer(wire.OK)
	if resp := other.Answer(1); resp.Code != wire.OK {
		t.Fatalf("another client's write is answered %v: %s", resp.Code, resp.Body)
	}
	if resp := c.Answer(1); resp.Code != wire.Busy {
		t.Errorf("the read is answered %v: %s", resp.Code, resp.Body)
	}
}

func TestAPieceThatAnnouncesTooMuchTakesNoRoom(t *testing.T) {
	ns := bustest.NATS(t, nil)
	bustest.Serve(t, bustest.Dial(t, ns.URL()), wire.EngineKV, memkv.New(), func(c *bus.ServeConfig) { c.MaxRequest = 1 << 20; c.MaxBytes = 8 << 20 })
	far := bustest.Engine(t, bustest.Dial(t, ns.URL()), wire.EngineKV, nil)
	if resp := do(t, far, set("k", "v")); resp.Code != wire.OK {
		t.Fatal(resp.Code)
	}
	nc, err := nats.Connect(ns.URL())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	const id = 0x77
	open := wire.AppendUvarint(binary.BigEndian.AppendUint64([]byte{1, 1}, id), 1<<20)
	m, err := nc.Request("_flin.kv.0.lead", open, 2*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	r := wire.NewReader(m.Data)
	r.Byte()
	r.Uint64()
	r.Byte()
	r.Byte()
	r.Bytes()
	where := string(r.Bytes())
	for n := range uint64(4) {
		b := binary.BigEndian.AppendUint64([]byte{3}, id)
		b = binary.BigEndian.AppendUint64(b, n+1)
		b = binary.BigEndian.AppendUint64(b, 0)
		b = binary.BigEndian.AppendUint64(b, 0)
		b = append(b, 2, 1|2)
		b = wire.AppendUvarint(wire.AppendUvarint(b, 2), 2<<20) // longer than is taken, and less than a head of it is there
		b = wire.AppendBytes(b, []byte("x"))
		if err := nc.Publish(where, b); err != nil {
			t.Fatal(err)
		}
	}
	_ = nc.Flush()
	time.Sleep(300 * time.Millisecond)
	if resp := do(t, far, set("k", "v")); resp.Code != wire.OK {
		t.Errorf("an honest write is answered %v: %s", resp.Code, resp.Body)
	}
}

// slow is a Leadership that takes long to say what it is.
type slow struct {
	*office
	wait atomic.Bool
}

func (l *slow) Now() bus.Standing {
	if l.wait.Load() {
		time.Sleep(600 * time.Millisecond)
	}
	return l.office.Now()
}

func TestLinksThatWereMadeTooLateAreGivenBack(t *testing.T) {
	ns := bustest.NATS(t, nil)
	standing := &slow{office: newOffice(bus.Standing{Leads: true, Term: 1, Leader: "n1"})}
	server := bustest.Serve(t, bustest.Dial(t, ns.URL()), wire.EngineKV, memkv.New(), func(c *bus.ServeConfig) {
		c.Leadership, c.Silence = standing, time.Minute
	})
	time.Sleep(50 * time.Millisecond)
	standing.wait.Store(true)
	far := bustest.Engine(t, bustest.Dial(t, ns.URL()), wire.EngineKV, nil)
	time.Sleep(2 * time.Second)
	standing.wait.Store(false)
	if resp := do(t, far, set("k", "v")); resp.Code != wire.OK {
		t.Fatal(resp.Code)
	}
	time.Sleep(500 * time.Millisecond)
	reg := prometheus.NewRegistry()
	reg.MustRegister(server.Collectors()...)
	if n := read(t, reg)("flin_bus_server_links", "kv", "0"); n != 1 {
		t.Errorf("one router has %v links", n)
	}
}

func TestAFewLongRequestsLeaveRoomForShortOnes(t *testing.T) {
	ns := bustest.NATS(t, nil)
	mem := memkv.New()
	bustest.Serve(t, bustest.Dial(t, ns.URL()), wire.EngineKV, mem, nil)
	far := bustest.Engine(t, bustest.Dial(t, ns.URL()), wire.EngineKV, func(c *bus.EngineConfig) { c.MaxBytes = 4 << 20 })
	c := enginetest.NewClient(t)
	const n = 4
	for i := range n {
		far.Submit(wire.Request{Op: memkv.Hold, Tag: uint64(i + 1), Body: make([]byte, 1<<20)}, c)
	}
	resp := do(t, far, set("k", "v"))
	stop := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(5 * time.Millisecond):
				mem.LetGo()
			}
		}
	})
	c.Answers(n)
	close(stop)
	wg.Wait()
	if resp.Code != wire.OK {
		t.Errorf("a short one is answered %v: %s", resp.Code, resp.Body)
	}
}
