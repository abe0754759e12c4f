package driver

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/skshohagmiah/flin/benchmarks/load"
)

// mapKV is a server in a map.
type mapKV struct {
	mu   sync.Mutex
	data map[string][]byte
}

func (m *mapKV) Set(key string, value []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.data[key] = bytes.Clone(value)
	return nil
}

func (m *mapKV) Get(key string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	value, ok := m.data[key]
	if !ok {
		return nil, &MissingError{key}
	}
	return value, nil
}

func (m *mapKV) MSet(keys []string, values [][]byte) error {
	for i, key := range keys {
		_ = m.Set(key, values[i])
	}
	return nil
}

func (m *mapKV) MGet(keys []string) (values [][]byte, err error) {
	for _, key := range keys {
		value, err := m.Get(key)
		if err != nil {
			return nil, err
		}
		values = append(values, value)
	}
	return values, nil
}

func (m *mapKV) Close() error { return nil }

func run(t *testing.T, op func(*load.Worker) load.Op) (*load.Result, error) {
	t.Helper()
	calls := 0
	return load.Run(t.Context(), load.Config{Workers: 1, Op: func(w *load.Worker) load.Op {
		inner := op(w)
		return func() (int, error) {
			if calls++; calls > 1000 {
				return 0, load.ErrDone
			}
			return inner()
		}
	}})
}

func TestEachKeyIsWrittenOnceUpToTheLimit(t *testing.T) {
	kv := &mapKV{data: map[string][]byte{}}
	w := &Work{KV: kv, Values: load.NewValues(1, 100)}
	for _, op := range []func(*load.Worker) load.Op{w.MSetNew(16, 320), w.SetNew(500)} {
		if _, err := load.Run(t.Context(), load.Config{Workers: 8, Op: op}); err != nil {
			t.Fatal(err)
		}
	}
	if len(kv.data) != 500 || w.Written() != 500 {
		t.Errorf("%d keys are there, %d were counted, want 500", len(kv.data), w.Written())
	}
	distinct := map[string]bool{}
	for value := range maps.Values(kv.data) {
		distinct[string(value)] = true
	}
	if len(distinct) != 500 {
		t.Errorf("only %d values differ", len(distinct))
	}
}

func TestReadsAreCheckedAgainstWhatWasWritten(t *testing.T) {
	written := func() (*mapKV, *Work) {
		kv := &mapKV{data: map[string][]byte{}}
		w := &Work{KV: kv, Values: load.NewValues(1, 100)}
		if _, err := load.Run(t.Context(), load.Config{Workers: 1, Op: w.SetNew(50)}); err != nil {
			t.Fatal(err)
		}
		return kv, w
	}
	_, good := written()
	for name, op := range map[string]func(*load.Worker) load.Op{"get": good.Get(), "mget": good.MGet(16)} {
		if res, err := run(t, op); err != nil || res.Ops != 1000 {
			t.Errorf("%s: %d calls, %v", name, res.Ops, err)
		}
	}
	for name, spoil := range map[string]func(*mapKV){
		"is missing": func(kv *mapKV) { clear(kv.data) },
		"99 read": func(kv *mapKV) {
			for key, value := range kv.data {
				kv.data[key] = value[1:]
			}
		},
		"not what was written": func(kv *mapKV) {
			for _, value := range kv.data {
				value[50] ^= 1
			}
		},
	} {
		kv, w := written()
		spoil(kv)
		for _, op := range []func(*load.Worker) load.Op{w.Get(), w.MGet(16)} {
			if _, err := run(t, op); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("want %q, got %v", name, err)
			}
		}
	}
	var missing *MissingError
	if _, err := (&mapKV{}).MGet(slices.Repeat([]string{"x"}, 3)); !errors.As(err, &missing) {
		t.Errorf("got %v", err)
	}
}
