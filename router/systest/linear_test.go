package systest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/skshohagmiah/flin/clients/go"
	"github.com/skshohagmiah/flin/pkg/wire"
)

// linearRun is one run of clients on a few keys that they share.
type linearRun struct {
	*history
	storm    *storm
	clients  []*flin.Client
	writes   atomic.Int64 // numbers the values
	fail     func(format string, args ...any)
	register []string
	counter  []string
}

// Clients of both protocols, pipelining ones among them, read, write, delete, compare-and-set and count on the same few
// keys while the server is killed and started again: what each key answered must be explained by one order of all
// operations that respects time.
func TestConcurrentHistoriesAreLinearizable(t *testing.T) {
	seed := seeded(t)
	rng := rand.New(rand.NewPCG(seed, 6))
	perClient := int(setting(t, "FLIN_LINEAR_OPS", 400))
	kills := int(setting(t, "FLIN_LINEAR_KILLS", 3))
	const natives, pipes = 5, 4
	s := start(t)
	r := &linearRun{history: newHistory(), storm: newStorm(t, s), clients: newClients(t, s), fail: t.Errorf}
	for i := range 5 {
		r.register = append(r.register, fmt.Sprintf("register/%d", i))
	}
	for i := range 2 {
		r.counter = append(r.counter, fmt.Sprintf("counter/%d", i))
	}

	var running sync.WaitGroup
	finished := make(chan struct{})
	for i := range natives {
		rng := rand.New(rand.NewPCG(seed, 10+uint64(i)))
		running.Go(func() { r.native(i, rng, perClient) })
	}
	for i := range pipes {
		rng := rand.New(rand.NewPCG(seed, 20+uint64(i)))
		running.Go(func() { r.piped(natives+i, rng, perClient) })
	}
	go func() { running.Wait(); close(finished) }()
	for i := range kills {
		all := perClient * (natives + pipes)
		at := all*(i+1)/(kills+2) + rng.IntN(all/(kills+2))
		select {
		case <-r.reached(at):
		case <-finished:
		}
		s.strike(t, rng, wire.EngineKV)
		if s.behind == nil {
			r.killed()
		}
		s.launch()
		if s.behind != nil { // what a router had passed on is executed even if it was killed, but not after so long
			r.killed()
		}
	}
	<-finished
	r.check(t)
}

// pick returns a key and what to ask of it, without a compare-and-set.
func (r *linearRun) pick(rng *rand.Rand) (string, ask) {
	if rng.IntN(4) == 0 {
		key := r.counter[rng.IntN(len(r.counter))]
		if rng.IntN(4) == 0 {
			return key, ask{verb: vRead}
		}
		return key, ask{verb: vAdd, n: 1 + rng.Int64N(9)}
	}
	key := r.register[rng.IntN(len(r.register))]
	switch n := rng.IntN(10); {
	case n < 4:
		return key, ask{verb: vRead}
	case n < 9:
		return key, ask{verb: vWrite, n: r.writes.Add(1)}
	}
	return key, ask{verb: vDelete}
}

// linearValue returns the value that has number n: small, middling or large, so that each way through the store is taken.
func linearValue(key string, n int64) []byte {
	return payload(key, n, []int{smallValue, 4 << 10, smallValue, largeValue}[n%4])
}

// number returns the number of a value that was read: a counter's sum, a register's write.
func (r *linearRun) number(key string, v []byte) int64 {
	if v == nil {
		return 0
	}
	if strings.HasPrefix(key, "counter/") {
		n, err := strconv.ParseInt(string(v), 10, 64)
		if err != nil {
			r.fail("%s holds %s", key, brief(v))
		}
		return n
	}
	n, ok := seqOf(key, v)
	if !ok {
		r.fail("%s holds %s, which nobody wrote", key, brief(v))
	}
	return n
}

// client returns the one that client number id uses.
func (r *linearRun) client(id int) *flin.Client { return r.clients[id%len(r.clients)] }

// native asks n operations through the Go client, one at a time.
func (r *linearRun) native(id int, rng *rand.Rand, n int) {
	for range n {
		key, in := r.pick(rng)
		if in.verb == vWrite && rng.IntN(3) == 0 {
			r.swapVersion(id, key, in.n)
			continue
		}
		call := r.now()
		out, err := r.askNatively(id, key, in)
		r.end(id, key, in, out, err, call)
	}
}

// end notes an operation of the native client.
func (r *linearRun) end(id int, key string, in ask, out got, err error, call int64) {
	switch fate(err) {
	case done:
		r.add(id, key, in, out, call)
	case unknown:
		r.add(id, key, in, got{unknown: true}, call)
	case notDone:
		if errors.Is(err, flin.ErrConflict) {
			r.add(id, key, in, got{failed: true}, call)
		}
	}
	if err != nil && !expected(err) && !errors.Is(err, flin.ErrConflict) {
		r.fail("%v of %s: %v", in.verb, key, err)
	}
}

func (r *linearRun) askNatively(id int, key string, in ask) (out got, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), callTimeout)
	defer cancel()
	kv := r.client(id).With(ctx).KV
	switch in.verb {
	case vRead:
		e, err := kv.Entry(key)
		if errors.Is(err, flin.ErrNotFound) {
			return got{}, nil
		}
		if err != nil {
			return got{}, err
		}
		return got{n: r.number(key, e.Value), version: e.Version}, nil
	case vWrite:
		e, err := kv.Put(key, linearValue(key, in.n))
		return got{version: e.Version}, err
	case vDelete:
		return got{n: -1}, kv.Delete(key)
	case vAdd:
		sum, err := kv.IncrBy(key, in.n)
		return got{n: sum}, err
	case vSwapVersion, vSwapValue:
	}
	return got{}, fmt.Errorf("the native client is not asked to %v", in.verb)
}

// swapVersion reads a version and writes if it still holds.
func (r *linearRun) swapVersion(id int, key string, n int64) {
	call := r.now()
	e, err := r.client(id).KV.Entry(key)
	if err != nil && !errors.Is(err, flin.ErrNotFound) {
		return
	}
	r.add(id, key, ask{verb: vRead}, got{n: r.number(key, e.Value), version: e.Version}, call)
	in := ask{verb: vSwapVersion, n: n, version: e.Version}
	call = r.now()
	e, err = r.client(id).KV.Put(key, linearValue(key, n), flin.IfVersion(in.version))
	r.end(id, key, in, got{version: e.Version}, err, call)
}

// piped asks n operations on RESP connections, up to 16 in one write.
func (r *linearRun) piped(id int, rng *rand.Rand, n int) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	private, last := fmt.Sprintf("private/%d", id), int64(0)
	asked := 0
	r.storm.onPipe(ctx, func(p *pipe) error {
		if asked >= n {
			cancel()
			return nil
		}
		if rng.IntN(4) == 0 {
			asked += 2
			return r.swapValue(p, id, r.register[rng.IntN(len(r.register))])
		}
		depth := 1 + rng.IntN(16)
		asked += depth
		if err := r.pipeline(p, id, rng, depth); err != nil {
			return err
		}
		last++
		return r.ownRead(p, private, strconv.FormatInt(last, 10))
	})
}

func (r *linearRun) pipeline(p *pipe, id int, rng *rand.Rand, depth int) error {
	type sent struct {
		key string
		in  ask
	}
	ops := make([]sent, depth)
	call := r.now() // a long pipeline begins to leave before flush
	for i := range ops {
		key, in := r.pick(rng)
		ops[i] = sent{key, in}
		switch in.verb {
		case vRead:
			p.send("GET", key)
		case vWrite:
			p.send("SET", key, string(linearValue(key, in.n)))
		case vDelete:
			p.send("DEL", key)
		case vAdd:
			p.send("INCRBY", key, strconv.FormatInt(in.n, 10))
		case vSwapVersion, vSwapValue:
		}
	}
	lost := p.flush()
	for _, o := range ops {
		var v any
		if lost == nil {
			v, lost = p.read()
		}
		if lost != nil {
			r.add(id, o.key, o.in, got{unknown: true}, call)
			continue
		}
		out := got{n: -1}
		switch v := v.(type) {
		case nil:
			out.n = 0
		case []byte:
			out.n = r.number(o.key, v)
		case int64:
			out.n = v
		case replyError:
			if r.storm.refused(string(v)) == notDone {
				continue
			}
			out.unknown = true
		}
		r.add(id, o.key, o.in, out, call)
	}
	return lost
}

// ownRead sends a write, a read and a write again in one go: the read must see the one before it.
func (r *linearRun) ownRead(p *pipe, key, value string) error {
	p.send("SET", key, value)
	p.send("GET", key)
	p.send("SET", key, "later")
	if err := p.flush(); err != nil {
		return err
	}
	var lost error
	for i := range 3 {
		v, err := p.read()
		if err != nil {
			return err
		}
		if e, refused := v.(replyError); refused {
			_ = r.storm.refused(string(e))
			lost = e
		}
		if b, ok := v.([]byte); i == 1 && lost == nil && (!ok || string(b) != value) {
			r.fail("a pipelined GET answered %q (%v) to the client that wrote %q just before it", b, v, value)
		}
	}
	return lost
}

// swapValue reads a value and writes if it has not changed: WATCH, GET, MULTI, SET, EXEC.
func (r *linearRun) swapValue(p *pipe, id int, key string) error {
	call := r.now()
	p.send("WATCH", key)
	p.send("GET", key)
	if err := p.flush(); err != nil {
		return err
	}
	var v any
	for range 2 {
		var err error
		if v, err = p.read(); err != nil {
			return err
		}
		if e, refused := v.(replyError); refused {
			_ = r.storm.refused(string(e))
			return e
		}
	}
	b, _ := v.([]byte)
	in := ask{verb: vSwapValue, old: r.number(key, b), n: r.writes.Add(1)}
	r.add(id, key, ask{verb: vRead}, got{n: in.old}, call)
	call = r.now()
	p.send("MULTI")
	p.send("SET", key, string(linearValue(key, in.n)))
	p.send("EXEC")
	lost := p.flush()
	for range 3 {
		if lost == nil {
			v, lost = p.read()
		}
	}
	if lost != nil {
		r.add(id, key, in, got{unknown: true}, call)
		return lost
	}
	switch v := v.(type) {
	case []any:
		r.add(id, key, in, got{}, call)
	case replyError:
		if r.storm.refused(string(v)) == unknown {
			r.add(id, key, in, got{unknown: true}, call)
		}
	}
	return nil
}
