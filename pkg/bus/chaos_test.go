package bus_test

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/pkg/bus"
	"github.com/skshohagmiah/flin/pkg/bus/bustest"
	"github.com/skshohagmiah/flin/pkg/engine/enginetest"
	"github.com/skshohagmiah/flin/pkg/internal/memkv"
	"github.com/skshohagmiah/flin/pkg/wire"
)

func TestNothingAcknowledgedIsLostOrExecutedTwiceWhileConnectionsBreak(t *testing.T) {
	ns := bustest.NATS(t, nil)
	daemon, router := newRelay(t, ns.Addr()), newRelay(t, ns.Addr())
	bustest.Serve(t, bustest.Dial(t, daemon.url()), wire.EngineKV, memkv.New(), func(c *bus.ServeConfig) { c.Grace = time.Second })
	far := bustest.Engine(t, bustest.Dial(t, router.url()), wire.EngineKV, nil)
	var acknowledged, unknown atomic.Int64
	progress := make(chan struct{})
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				switch resp := do(t, far, wire.Request{Op: wire.OpKVIncr, Body: (&wire.KVIncr{Key: []byte("n"), By: 1}).Append(nil)}); resp.Code {
				case wire.OK:
					acknowledged.Add(1)
					select {
					case progress <- struct{}{}:
					default:
					}
				case wire.OutcomeUnknown:
					unknown.Add(1)
				default:
					t.Errorf("while connections break: %v %s", resp.Code, resp.Body)
				}
			}
		})
	}
	for i := range 8 {
		for range 200 {
			<-progress // so that much is on its way
		}
		if i%2 == 0 {
			daemon.cut()
		} else {
			router.cut()
		}
	}
	for range 200 {
		<-progress
	}
	close(stop)
	wg.Wait()
	resp := do(t, far, wire.Request{Op: wire.OpKVIncr, Body: (&wire.KVIncr{Key: []byte("n")}).Append(nil)})
	if least, most := acknowledged.Load(), acknowledged.Load()+unknown.Load(); resp.Code != wire.OK || resp.Num < least || resp.Num > most {
		t.Errorf("the counter is at %d (%v), not between %d and %d", resp.Num, resp.Code, least, most)
	}
	if acknowledged.Load() == 0 || unknown.Load() == 0 {
		t.Errorf("%d increments were acknowledged and %d in doubt: nothing was tried", acknowledged.Load(), unknown.Load())
	}
}

func TestAnswersThatNobodyTakesAreBounded(t *testing.T) {
	ns := bustest.NATS(t, nil)
	way := newRelay(t, ns.Addr())
	mem := memkv.New()
	server := bustest.Serve(t, bustest.Dial(t, ns.URL()), wire.EngineKV, mem, func(c *bus.ServeConfig) {
		c.MaxAnswers, c.Silence = 4<<20, 20*time.Second
	})
	far := bustest.Engine(t, bustest.Dial(t, way.url()), wire.EngineKV, func(c *bus.EngineConfig) { c.Silence = 20 * time.Second })
	do(t, far, set("k", string(make([]byte, 200<<10))))
	c := enginetest.NewClient(t)
	way.deaf(true)
	const n = 500 // 100 MB of answers
	for i := range n {
		req := get("k")
		req.Tag = uint64(i + 1)
		far.Submit(req, c)
	}
	most := int64(0)
	for range 50 {
		time.Sleep(10 * time.Millisecond)
		most = max(most, server.Waiting())
	}
	if most > 5<<20 {
		t.Errorf("%d bytes of answers wait", most)
	}
	way.deaf(false)
	busy := 0
	for _, resp := range c.Answers(n) {
		switch {
		case resp.Code == wire.Busy:
			busy++
		case resp.Code != wire.OK || len(resp.Body) != 200<<10:
			t.Fatalf("answered %v with %d bytes", resp.Code, len(resp.Body))
		}
	}
	if busy == 0 || busy == n {
		t.Errorf("%d of %d were Busy", busy, n)
	}
}
