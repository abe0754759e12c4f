package systest

import (
	"errors"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// The ledger must see everything that the kill loop looks for, or its silence means nothing.
func TestTheLedgerSeesWhatIsLost(t *testing.T) {
	at := func(key string, seq int64) observed {
		now := time.Now().UnixMilli()
		o := observed{before: now, after: now}
		if seq != 0 {
			o.value = payload(key, seq, smallValue)
		}
		return o
	}
	set := func(seq int64) state { return state{seq: seq, size: smallValue} }
	ledger := func() *ledger {
		l := newLedger()
		l.sent(change{"a": set(1), "b": set(1)})
		l.answered()
		l.sent(change{"c": set(2)})
		l.answered()
		l.sent(change{"c": state{}})
		l.answered()
		l.sent(change{"a": set(3), "b": set(3)})
		l.sent(change{"a": set(4)})
		return l
	}
	for _, c := range []struct {
		name  string
		found map[string]observed
		ok    bool
	}{
		{"nothing unanswered was executed", map[string]observed{"a": at("a", 1), "b": at("b", 1), "c": at("c", 0)}, true},
		{"the first unanswered was executed", map[string]observed{"a": at("a", 3), "b": at("b", 3), "c": at("c", 0)}, true},
		{"both were executed", map[string]observed{"a": at("a", 4), "b": at("b", 3), "c": at("c", 0)}, true},
		{"a write is lost", map[string]observed{"a": at("a", 0), "b": at("b", 1), "c": at("c", 0)}, false},
		{"a delete is undone", map[string]observed{"a": at("a", 1), "b": at("b", 1), "c": at("c", 2)}, false},
		{"half a command was executed", map[string]observed{"a": at("a", 3), "b": at("b", 1), "c": at("c", 0)}, false},
		{"the second was executed without the first", map[string]observed{"a": at("a", 4), "b": at("b", 1), "c": at("c", 0)}, false},
		{"a value is another key's", map[string]observed{"a": at("b", 1), "b": at("b", 1), "c": at("c", 0)}, false},
	} {
		if err := ledger().settle(c.found); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	l := newLedger()
	l.sent(change{"a": state{seq: 1, size: smallValue, ttl: 1000}})
	l.answered()
	there, gone := at("a", 1), at("a", 0)
	if err := l.settle(map[string]observed{"a": gone}); err == nil {
		t.Error("a key that is gone before its time passes")
	}
	there.before, there.after, there.expires = there.before+5000, there.after+5000, there.before+1000
	if err := l.settle(map[string]observed{"a": there}); err == nil {
		t.Error("a key that is there after its time passes")
	}
}

// Where an engine may end within a pipeline, any of the commands without an answer may have been executed, and nothing else.
func TestTheLedgerSeesWhatIsLostBetweenHoles(t *testing.T) {
	at := func(key string, seq int64) observed {
		now := time.Now().UnixMilli()
		o := observed{before: now, after: now}
		if seq != 0 {
			o.value = payload(key, seq, smallValue)
		}
		return o
	}
	set := func(seq int64) state { return state{seq: seq, size: smallValue} }
	ledger := func() *ledger {
		l := newWriter("w", 0, 1).far().ledger
		l.sent(change{"a": set(1), "b": set(1)})
		l.answered()
		l.sent(change{"a": set(2), "b": set(2)})
		l.lost()
		l.sent(change{"a": set(3)})
		l.sent(change{"c": set(4)})
		l.lost()
		l.answered()
		l.sent(change{"c": set(5)})
		l.sent(change{"a": state{}})
		l.refused()
		return l
	}
	for _, c := range []struct {
		name  string
		found map[string]observed
		ok    bool
	}{
		{"nothing unanswered was executed", map[string]observed{"a": at("a", 1), "b": at("b", 1), "c": at("c", 4)}, true},
		{"the first unanswered was executed", map[string]observed{"a": at("a", 2), "b": at("b", 2), "c": at("c", 4)}, true},
		{"only the second was executed", map[string]observed{"a": at("a", 3), "b": at("b", 1), "c": at("c", 4)}, true},
		{"what was refused was executed", map[string]observed{"a": at("a", 1), "b": at("b", 1), "c": at("c", 5)}, false},
		{"the last was executed", map[string]observed{"a": at("a", 0), "b": at("b", 2), "c": at("c", 4)}, true},
		{"half a command was executed", map[string]observed{"a": at("a", 2), "b": at("b", 1), "c": at("c", 4)}, false},
		{"what was acknowledged behind them is lost", map[string]observed{"a": at("a", 3), "b": at("b", 2), "c": at("c", 0)}, false},
		{"what was acknowledged before them is lost", map[string]observed{"a": at("a", 3), "b": at("b", 0), "c": at("c", 4)}, false},
	} {
		l := ledger()
		if err := l.settle(c.found); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
		if err := l.settle(c.found); c.ok && err != nil {
			t.Errorf("%s: when it is looked at again: %v", c.name, err)
		}
	}
}

// Counters and chains must see what is lost or done twice.
func TestCountersAndChainsSeeWhatIsLost(t *testing.T) {
	c := &tally{key: "n"}
	for i := range int64(3) {
		c.begin()
		c.end(done, i+1)
	}
	c.begin() // unanswered
	c.begin()
	c.end(notDone, 0)
	for v, ok := range map[int64]bool{2: false, 3: true, 4: true, 5: false} {
		if err := c.verify(func(string) (int64, error) { return v, nil }); (err == nil) != ok {
			t.Errorf("a counter of %d: %v", v, err)
		}
	}
	c.end(done, 3)
	if err := c.verify(func(string) (int64, error) { return 4, nil }); err == nil {
		t.Error("an answer given twice passes")
	}

	k := newChain("k")
	a := k.begin("w", "")
	k.end(a, done, 1)
	b := k.begin("w", a)
	k.end(b, done, 2)
	open := k.begin("w", b)
	refused := k.begin("w", b)
	k.end(refused, notDone, 0)
	for v, ok := range map[string]bool{"": false, a: false, b: true, open: true, refused: false, "foreign": false} {
		if err := k.verify(func(string) (string, error) { return v, nil }); (err == nil) != ok {
			t.Errorf("a chain at %q: %v", v, err)
		}
	}
	if err := k.verify(func(string) (string, error) { return "", errors.New("no answer") }); err == nil {
		t.Error("a read that fails passes")
	}
}

// The model of a key must refuse what no order explains.
func TestTheModelRefusesWhatNoOrderExplains(t *testing.T) {
	op := func(call, ret int64, in ask, out got) porcupine.Operation {
		return porcupine.Operation{Input: in, Output: out, Call: call, Return: ret}
	}
	write := func(call, ret, n int64) porcupine.Operation {
		return op(call, ret, ask{verb: vWrite, n: n}, got{version: uint64(n)})
	}
	read := func(call, ret, n int64) porcupine.Operation {
		return op(call, ret, ask{verb: vRead}, got{n: n, version: uint64(n)})
	}
	lost := op(5, 8, ask{verb: vWrite, n: 2}, got{unknown: true})
	for _, c := range []struct {
		name string
		ops  []porcupine.Operation
		ok   bool
	}{
		{"a read of what was written", []porcupine.Operation{write(1, 2, 1), read(3, 4, 1)}, true},
		{"a stale read", []porcupine.Operation{write(1, 2, 1), write(3, 4, 2), read(5, 6, 1)}, false},
		{"a read back in time", []porcupine.Operation{write(1, 2, 1), lost, read(6, 7, 2), read(9, 10, 1)}, false},
		{"an unanswered write that was executed", []porcupine.Operation{write(1, 2, 1), lost, read(9, 10, 2)}, true},
		{"an unanswered write that was not", []porcupine.Operation{write(1, 2, 1), lost, read(9, 10, 1), read(11, 12, 1)}, true},
		{"an unanswered write that is executed after the kill", []porcupine.Operation{write(1, 2, 1), lost, read(9, 10, 1), read(11, 12, 2)}, false},
		{"two swaps of one version", []porcupine.Operation{
			write(1, 2, 1), op(3, 6, ask{verb: vSwapVersion, n: 2, version: 1}, got{version: 2}), op(4, 5, ask{verb: vSwapVersion, n: 3, version: 1}, got{version: 3}),
		}, false},
		{"a refused swap of the version there is", []porcupine.Operation{
			write(1, 2, 1), op(3, 4, ask{verb: vSwapVersion, n: 2, version: 1}, got{failed: true}),
		}, false},
		{"two increments with one answer", []porcupine.Operation{
			op(1, 4, ask{verb: vAdd, n: 1}, got{n: 1}), op(2, 3, ask{verb: vAdd, n: 1}, got{n: 1}),
		}, false},
	} {
		if ok := porcupine.CheckOperations(cellModel(), c.ops); ok != c.ok {
			t.Errorf("%s: linearizable is %v", c.name, ok)
		}
	}
}
