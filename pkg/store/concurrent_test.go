package store

import (
	"encoding/binary"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestReadersNeverSeeHalfACommandNorTheStoreGoBack writes one rising number to several keys in each command, while
// readers check that all keys agree and that nothing goes back, and flushes, reclaiming, rebuilds and an install go on.
func TestReadersNeverSeeHalfACommandNorTheStoreGoBack(t *testing.T) {
	t.Parallel()
	for _, memory := range []bool{false, true} {
		t.Run(fmt.Sprintf("memory=%v", memory), func(t *testing.T) { readersAgainstApply(t, memory) })
	}
}

const agreeing = 8

func agreeingKeys() [][]byte {
	var keys [][]byte
	for i := range agreeing {
		keys = append(keys, fmt.Appendf(nil, "key%d", i))
	}
	return keys
}

// numbered is a value of its own size for each key, so that some are in blob files.
func numbered(n uint64, key int) []byte {
	b := binary.BigEndian.AppendUint64(nil, n)
	return append(b, strings.Repeat("x", key*200)...)
}

func readersAgainstApply(t *testing.T, memory bool) {
	o := crashOptions(t.TempDir())
	o.Memory = memory
	o.hooks.idle = time.Millisecond
	s := opened(t, o)
	keys := agreeingKeys()
	write := func(n uint64) {
		b := s.Begin()
		for i, k := range keys {
			b.Set(k, nil, numbered(n, i))
		}
		b.Set(fmt.Appendf(nil, "other%05d", n%500), nil, numbered(n, 3))
		b.Delete(fmt.Appendf(nil, "other%05d", (n+250)%500))
		b.Commit()
		advance(s)
	}
	write(0)
	var end atomic.Bool
	var readers sync.WaitGroup
	for r := range 4 {
		readers.Go(func() { readUntil(t, s, keys, r, &end) })
	}
	rounds := uint64(900)
	if testing.Short() {
		rounds = 450
	}
	for n := uint64(1); n < rounds; n++ {
		write(n)
		switch {
		case memory:
		case n%300 == 0:
			if err := s.rebuild(); err != nil {
				t.Error(err)
			}
		case n%110 == 0:
			flushed(t, s)
			if err := s.reclaimOldest(); err != nil {
				t.Error(err)
			}
		}
		if n%400 == 0 {
			reinstall(t, s)
		}
	}
	end.Store(true)
	readers.Wait()
}

// reinstall replaces the store by what it is.
func reinstall(t *testing.T, s *Store) {
	flushed(t, s)
	v := s.PinFlushed()
	defer v.Close()
	var b strings.Builder
	if _, err := v.WriteTo(&b); err != nil {
		t.Error(err)
	}
	if err := s.Install(strings.NewReader(b.String())); err != nil {
		t.Error(err)
	}
}

func readUntil(t *testing.T, s *Store, keys [][]byte, kind int, end *atomic.Bool) {
	last := uint64(0)
	buf := make([]byte, 0, 4096)
	check := func(key int, v Value, ok bool, want uint64) uint64 {
		if !ok || len(v.Body) != 8+key*200 {
			t.Errorf("key %d: %v, %d bytes", key, ok, len(v.Body))
			end.Store(true)
			return want
		}
		return binary.BigEndian.Uint64(v.Body)
	}
	for i := 0; !end.Load(); i++ {
		now := last
		switch kind {
		case 0:
			v, ok, err := s.Get(keys[i%agreeing], buf)
			if err != nil {
				t.Error(err)
				return
			}
			now = check(i%agreeing, v, ok, last)
		case 1:
			err := s.GetMany(keys, func(i int, v Value, ok bool) error {
				n := check(i, v, ok, last)
				if i > 0 && n != now {
					t.Errorf("GetMany: key %d has %d, others %d", i, n, now)
				}
				now = n
				return nil
			})
			if err != nil {
				t.Error(err)
				return
			}
		default:
			now = readView(t, s, keys, kind == 3, check)
		}
		if now < last {
			t.Errorf("reader %d: went back from %d to %d", kind, last, now)
			return
		}
		last = now
	}
}

func readView(t *testing.T, s *Store, keys [][]byte, reverse bool, check func(int, Value, bool, uint64) uint64) uint64 {
	v := s.View()
	defer v.Close()
	n, seen := uint64(0), 0
	err := v.Iterate([]byte("key"), []byte("key9"), IterOptions{Reverse: reverse}, func(key []byte, val Value) bool {
		got := check(int(key[3]-'0'), val, true, 0)
		if seen > 0 && got != n {
			t.Errorf("a view has %d and %d", got, n)
		}
		seen++
		n = got
		return true
	})
	if err != nil || seen != len(keys) {
		t.Errorf("a view has %d keys: %v", seen, err)
	}
	val, ok, err := v.Get(keys[3], nil)
	if err != nil {
		t.Error(err)
	} else if got := check(3, val, ok, n); got != n {
		t.Errorf("View.Get has %d, iteration %d", got, n)
	}
	return n
}
