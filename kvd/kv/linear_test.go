package kv

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// call is one operation on one key as its client saw it.
type call struct {
	kind  string // get, set, cas, incr
	key   int
	value string
	ver   uint64 // of a cas: the version it asked for
}

// result is what the client was told. A version is not in the model: the cas names the value it expects through it.
type result struct {
	value string
	ok    bool
	ver   uint64
}

// state is one key: its value and version, 0 for a missing one.
type state struct {
	value string
	ver   uint64
}

// step says whether a call with this result may take the key from s, and to where.
func step(s state, c call, r result) (bool, state) {
	switch c.kind {
	case "get":
		return r.value == s.value && r.ver == s.ver, s
	case "set":
		return r.ver > s.ver, state{c.value, r.ver}
	case "cas":
		if s.ver != c.ver {
			return !r.ok, s
		}
		return r.ok && r.ver > s.ver, state{c.value, r.ver}
	case "incr":
		n, err := strconv.Atoi(s.value)
		if s.value != "" && err != nil {
			return !r.ok, s
		}
		want := strconv.Itoa(n + 1)
		return r.ok && r.value == want && r.ver > s.ver, state{want, r.ver}
	}
	return false, s
}

// model is a row of independent keys.
func model() porcupine.Model {
	return porcupine.Model{
		Partition: func(history []porcupine.Operation) [][]porcupine.Operation {
			keys := map[int][]porcupine.Operation{}
			for _, op := range history {
				k := op.Input.(call).key
				keys[k] = append(keys[k], op)
			}
			var parts [][]porcupine.Operation
			for _, p := range keys {
				parts = append(parts, p)
			}
			return parts
		},
		Init: func() any { return state{} },
		Step: func(s, in, out any) (bool, any) { return step(s.(state), in.(call), out.(result)) },
	}
}

// ask makes the call and waits for its result.
func (w *world) ask(c call) result {
	key := fmt.Appendf(nil, "linear:%d", c.key)
	switch c.kind {
	case "get":
		resp := w.Do(wire.OpKVGet, &wire.KVKey{Key: key}, 0)
		return result{string(resp.Body[:len(resp.Body)*btoi(resp.Code == wire.OK)]), resp.Code == wire.OK, resp.Rev}
	case "set":
		resp := w.Do(wire.OpKVSet, &wire.KVSet{Key: key, Value: []byte(c.value)}, 0)
		return result{"", resp.Code == wire.OK, resp.Rev}
	case "cas":
		resp := w.Do(wire.OpKVSet, &wire.KVSet{Key: key, Value: []byte(c.value), Flags: wire.SetIfVersion, Version: c.ver}, 0)
		return result{"", resp.Code == wire.OK, resp.Rev}
	}
	resp := w.Do(wire.OpKVIncr, &wire.KVIncr{Key: key, By: 1}, 0)
	return result{strconv.FormatInt(resp.Num, 10), resp.Code == wire.OK, resp.Rev}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// Keys 0 to 2 are registers under get, set and compare-and-set, 3 to 5 counters.
func TestHistoriesOfConcurrentClientsAreLinearizable(t *testing.T) {
	w := worlds.New(t, nil)
	var mu sync.Mutex
	var history []porcupine.Operation
	start := time.Now()
	var wg sync.WaitGroup
	for client := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(client), 1))
			var seen [6]uint64
			for i := range 150 {
				c := call{kind: "get", key: r.IntN(6)}
				switch pick := r.IntN(3); {
				case pick == 0 && c.key < 3:
					c.kind, c.value = "set", fmt.Sprintf("c%d-%d", client, i)
				case pick == 1 && c.key < 3:
					c.kind, c.value, c.ver = "cas", fmt.Sprintf("c%d-%d", client, i), seen[c.key]
				case pick < 2:
					c.kind = "incr"
				}
				op := porcupine.Operation{ClientId: client, Input: c, Call: int64(time.Since(start))}
				res := w.ask(c)
				op.Output, op.Return = res, int64(time.Since(start))
				seen[c.key] = max(seen[c.key], res.ver)
				mu.Lock()
				history = append(history, op)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if res := porcupine.CheckOperationsTimeout(model(), history, 30*time.Second); res != porcupine.Ok {
		t.Errorf("a history of %d operations is %v", len(history), res)
	}
}

// Swapping and flushing databases under readers: a key that was written in database 0 before a swap is never seen there
// with what database 1 held, and the other way round.
func TestReadsDuringSwapsAreOfOneSideOrTheOther(t *testing.T) {
	w := worlds.New(t, nil)
	for db := range byte(2) {
		w.Must(wire.OpKVMSet, &wire.KVMSet{DB: db, Pairs: []wire.KVPair{{Key: []byte("x"), Value: []byte{'a' + db}}, {Key: []byte("y"), Value: []byte{'a' + db}}}})
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				resp := w.Must(wire.OpKVMGet, &wire.KVKeys{Keys: [][]byte{[]byte("x"), []byte("y")}})
				r := wire.NewReader(resp.Body)
				x, y := wire.TakeKVEntry(&r), wire.TakeKVEntry(&r)
				if string(x.Value) != string(y.Value) || len(x.Value) != 1 {
					t.Errorf("x is %q and y is %q", x.Value, y.Value)
				}
			}
		})
	}
	for range 200 {
		w.Must(wire.OpKVSwap, &wire.KVDB{DB: 0, Other: 1})
	}
	close(done)
	wg.Wait()
}
