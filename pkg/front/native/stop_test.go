package native_test

import (
	"bufio"
	"net"
	"sync"
	"testing"

	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/front/link"
	"github.com/skshohagmiah/flin/pkg/front/native"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// parking is an engine that answers nothing unless it is withdrawn, or let go.
type parking struct {
	mu     sync.Mutex // guards parked
	parked map[uint64]waiting
	came   chan wire.Op
}

func (e *parking) Submit(req wire.Request, r engine.Replier) {
	e.mu.Lock()
	e.parked[req.Tag] = waiting{r, req.Tag}
	e.mu.Unlock()
	e.came <- req.Op
}

func (e *parking) Cancel(_ engine.Replier, tag uint64) {
	e.answer(tag, wire.Failf(wire.Canceled, "canceled"))
}

func (e *parking) Credit(engine.Replier, uint64, int) {}

func (e *parking) answer(tag uint64, resp wire.Response) {
	e.mu.Lock()
	w, ok := e.parked[tag]
	delete(e.parked, tag)
	e.mu.Unlock()
	if ok {
		w.r.Reply(tag, resp)
	}
}

// rest answers everything that is left.
func (e *parking) rest() {
	e.mu.Lock()
	var tags []uint64
	for tag := range e.parked {
		tags = append(tags, tag)
	}
	e.mu.Unlock()
	for _, tag := range tags {
		e.answer(tag, wire.Response{})
	}
}

func TestAServerThatStopsWithdrawsWhatWaitsAndAnswersTheRest(t *testing.T) {
	e := &parking{parked: map[uint64]waiting{}, came: make(chan wire.Op, 10)}
	cfg := native.Default()
	cfg.Engine = e
	here, there := net.Pipe()
	lc := link.New(there, 1, link.Limits{MaxInput: 1 << 20, MaxOutput: 1 << 20, MaxInFlight: 16})
	var all sync.WaitGroup
	all.Go(func() { native.New(cfg).ServeConn(lc) })
	c := &client{here, bufio.NewReader(here), t}
	c.hello(&wire.Hello{Version: 1})
	c.expect(1, wire.OK, "")
	c.send(wire.OpQueuePop, 10, (&wire.QueuePop{Queue: []byte("q"), Count: 1, Wait: 60_000}).Append(nil))
	c.send(wire.OpKVSet, 11, set("k", "v"))
	<-e.came
	<-e.came
	lc.Stop()
	c.expect(10, wire.Unavailable, "stopping")
	e.rest()
	c.expect(11, wire.OK, "")
	c.expect(wire.ConnTag, wire.Unavailable, "stopping")
	c.over()
	_ = here.Close()
	all.Wait()
}
