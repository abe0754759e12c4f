package systest

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// verb is an operation of a history.
type verb int

const (
	vRead verb = iota
	vWrite
	vDelete
	vSwapVersion // write if the version is the one given (0: nothing there)
	vSwapValue   // write if the value is the one given (0: nothing there)
	vAdd         // to a counter
)

func (v verb) String() string {
	return [...]string{"read", "write", "delete", "swap-version", "swap-value", "add"}[v]
}

// ask is the input of an operation on one key. Values are told apart by number.
type ask struct {
	verb    verb
	n       int64  // write, swap: the value; add: what is added
	old     int64  // swap-value
	version uint64 // swap-version
}

// got is the output.
type got struct {
	unknown bool   // no answer came: it may have been executed or not
	failed  bool   // swap: the condition did not hold
	n       int64  // read: the value, 0 for none; add: the sum; delete: how many, -1 where that is not told
	version uint64 // of what was read or written; 0 where it is not told
}

// cellState is what a key holds: a register's value number or a counter's sum, 0 for nothing.
type cellState struct {
	n       int64
	version uint64 // 0: not known, because the protocol of its writer does not tell
}

// cellModel says how one key behaves. Versions that are told must be those of the writes that are read, and must rise.
func cellModel() porcupine.Model {
	m := porcupine.NondeterministicModel{
		Init: func() []any { return []any{cellState{}} },
		Step: func(state, input, output any) []any {
			s, in, out := state.(cellState), input.(ask), output.(got)
			if !out.unknown {
				return s.answered(in, out)
			}
			next := []any{s}
			if executed, ok := s.executed(in); ok {
				next = append(next, executed)
			}
			return next
		},
		DescribeOperation: func(input, output any) string { return describe(input.(ask), output.(got)) },
	}
	return m.ToModel()
}

// executed returns the state after an operation whose answer is not known, if it can have had an effect.
func (s cellState) executed(in ask) (cellState, bool) {
	switch in.verb {
	case vWrite:
		return cellState{n: in.n}, true
	case vDelete:
		return cellState{}, true
	case vAdd:
		return cellState{n: s.n + in.n}, true
	case vSwapVersion:
		return cellState{n: in.n}, s.hasVersion(in.version)
	case vSwapValue:
		return cellState{n: in.n}, s.n == in.old
	case vRead:
	}
	return s, false
}

func (s cellState) hasVersion(v uint64) bool {
	if s.n == 0 || v == 0 {
		return s.n == 0 && v == 0
	}
	return s.version == 0 || s.version == v
}

// answered returns the states that an operation with this answer can leave: none if it cannot have been answered so.
func (s cellState) answered(in ask, out got) []any {
	rises := out.version == 0 || out.version > s.version
	switch in.verb {
	case vRead:
		if out.n != s.n || s.version != 0 && out.version != 0 && s.version != out.version {
			return nil
		}
		if out.n != 0 && out.version != 0 {
			s.version = out.version
		}
		return []any{s}
	case vWrite:
		if rises {
			return []any{cellState{n: in.n, version: out.version}}
		}
	case vDelete:
		if out.n == -1 || (out.n == 1) == (s.n != 0) {
			return []any{cellState{}}
		}
	case vSwapVersion:
		if out.failed {
			if s.version == 0 && s.n != 0 || !s.hasVersion(in.version) {
				return []any{s}
			}
			return nil
		}
		if s.hasVersion(in.version) && rises {
			return []any{cellState{n: in.n, version: out.version}}
		}
	case vSwapValue:
		if s.n == in.old && rises {
			return []any{cellState{n: in.n, version: out.version}}
		}
	case vAdd:
		if s.n+in.n == out.n {
			return []any{cellState{n: out.n}}
		}
	}
	return nil
}

func describe(in ask, out got) string {
	text := fmt.Sprintf("%v", in.verb)
	switch in.verb {
	case vWrite, vAdd:
		text += fmt.Sprintf("(%d)", in.n)
	case vSwapVersion:
		text += fmt.Sprintf("(@%d to %d)", in.version, in.n)
	case vSwapValue:
		text += fmt.Sprintf("(%d to %d)", in.old, in.n)
	case vRead, vDelete:
	}
	switch {
	case out.unknown:
		return text + " ?"
	case out.failed:
		return text + " -> no"
	}
	return text + fmt.Sprintf(" -> %d @%d", out.n, out.version)
}

// history is what concurrent clients asked and were answered, with the times between which it must have happened.
type history struct {
	base time.Time

	mu    sync.Mutex
	ops   map[string][]porcupine.Operation // by key
	kills []int64                          // when the server was surely dead
	ended int
	steps map[int]chan struct{} // closed when so many operations have ended
}

func newHistory() *history {
	return &history{base: time.Now(), ops: map[string][]porcupine.Operation{}, steps: map[int]chan struct{}{}}
}

func (h *history) now() int64 { return int64(time.Since(h.base)) }

// reached returns a channel that is closed when n operations have ended.
func (h *history) reached(n int) <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	ch := make(chan struct{})
	if h.ended >= n {
		close(ch)
	} else {
		h.steps[n] = ch
	}
	return ch
}

// killed notes that the server is dead: what was on its way to it happens before now or never.
func (h *history) killed() {
	h.mu.Lock()
	h.kills = append(h.kills, h.now())
	h.mu.Unlock()
}

// add notes an operation that was asked at call and has ended now. Operations that were surely not executed, and reads
// without an answer, are not noted.
func (h *history) add(client int, key string, in ask, out got, call int64) {
	now := h.now()
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ended++
	if ch := h.steps[h.ended]; ch != nil {
		close(ch)
	}
	if out.unknown && in.verb == vRead {
		return
	}
	h.ops[key] = append(h.ops[key], porcupine.Operation{ClientId: client, Input: in, Output: out, Call: call, Return: now})
}

// check fails t for every key whose history no order of its operations explains.
func (h *history) check(t *testing.T) {
	t.Helper()
	total, unanswered := 0, 0
	for _, key := range slices.Sorted(maps.Keys(h.ops)) {
		ops := h.ops[key]
		for i := range ops {
			if ops[i].Output.(got).unknown {
				ops[i].Return = max(ops[i].Return, h.deathAfter(ops[i].Call))
				unanswered++
			}
		}
		total += len(ops)
		switch res := porcupine.CheckOperationsTimeout(cellModel(), ops, time.Minute); res {
		case porcupine.Ok:
		case porcupine.Unknown:
			t.Errorf("%s: the checker did not come to an end with %d operations in a minute", key, len(ops))
		default:
			t.Errorf("%s: no order of its %d operations explains the answers:\n%s", key, len(ops), firstWrong(ops))
		}
	}
	t.Logf("%d operations on %d keys, %d without an answer, %d kills", total, len(h.ops), unanswered, len(h.kills))
}

func (h *history) deathAfter(call int64) int64 {
	for _, at := range h.kills {
		if at >= call {
			return at
		}
	}
	return math.MaxInt64
}

// firstWrong finds by bisection the shortest beginning of a history that cannot be explained and describes its end.
func firstWrong(ops []porcupine.Operation) string {
	slices.SortFunc(ops, func(a, b porcupine.Operation) int { return int(a.Return - b.Return) })
	explained := func(n int) bool {
		part := slices.Clone(ops[:n])
		for _, op := range ops[n:] {
			if op.Call < part[n-1].Return {
				op.Output = got{unknown: true}
				op.Return = math.MaxInt64
				part = append(part, op)
			}
		}
		return porcupine.CheckOperationsTimeout(cellModel(), part, 5*time.Second) != porcupine.Illegal
	}
	lo, hi := 1, len(ops)
	for lo < hi {
		if mid := (lo + hi) / 2; explained(mid) {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	var b strings.Builder
	for _, op := range ops[max(0, lo-25):min(len(ops), lo+5)] {
		mark := "  "
		if op == ops[lo-1] {
			mark = "=>"
		}
		fmt.Fprintf(&b, "%s client %d  %12.6f to %12.6f s  %s\n", mark, op.ClientId, float64(op.Call)/1e9, float64(op.Return)/1e9,
			describe(op.Input.(ask), op.Output.(got)))
	}
	return b.String()
}
