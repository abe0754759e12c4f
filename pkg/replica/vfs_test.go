package replica

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"sort"
	"sync"
	"testing"
	"time"

	"github.com/hashicorp/raft"
	"github.com/hashicorp/raft-wal/types"
	"go.uber.org/zap"

	"github.com/skshohagmiah/flin/pkg/wire"
)

// testVFS is a file system in memory with a disk below it: a write is in the page cache until Sync.
type testVFS struct {
	mu    sync.Mutex
	files map[string]*testFile
	fault func(op, name string, n int) (int, error) // may shorten a write, fail any operation, or wait; n of a read is its place
}

type testFile struct {
	v     *testVFS
	name  string
	cache []byte // what reads see
	disk  []byte // what survives a power cut
	dirty []span // written since the last sync
}

type span struct {
	off  int64
	data []byte
}

func newTestVFS() *testVFS { return &testVFS{files: map[string]*testFile{}} }

func (v *testVFS) hit(op, name string, n int) (int, error) {
	v.mu.Lock()
	f := v.fault
	v.mu.Unlock()
	if f == nil {
		return n, nil
	}
	return f(op, name, n)
}

func (v *testVFS) setFault(f func(op, name string, n int) (int, error)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.fault = f
}

func (v *testVFS) ListDir(string) ([]string, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	var names []string
	for n := range v.files {
		names = append(names, n)
	}
	sort.Strings(names)
	return names, nil
}

func (v *testVFS) Create(_, name string, size uint64) (types.WritableFile, error) {
	if _, err := v.hit("create", name, 0); err != nil {
		return nil, err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	f := &testFile{v: v, name: name, cache: make([]byte, size), disk: make([]byte, size)}
	v.files[name] = f
	return f, nil
}

func (v *testVFS) Delete(_, name string) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	delete(v.files, name)
	return nil
}

func (v *testVFS) open(name string) (*testFile, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if f := v.files[name]; f != nil {
		return f, nil
	}
	return nil, fmt.Errorf("open %s: %w", name, errNotThere)
}

var errNotThere = fs.ErrNotExist

func (v *testVFS) OpenReader(_, name string) (types.ReadableFile, error) { return v.open(name) }
func (v *testVFS) OpenWriter(_, name string) (types.WritableFile, error) { return v.open(name) }

// cut is a power cut: of what was written since each file's last sync, a random part of the 512-byte sectors survives.
func (v *testVFS) cut(r *rand.Rand) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, f := range v.files {
		for _, s := range f.dirty {
			for i := 0; i < len(s.data); i += 512 {
				if r.IntN(2) == 0 {
					f.disk = put(f.disk, s.data[i:min(i+512, len(s.data))], s.off+int64(i))
				}
			}
		}
		f.dirty = nil
		f.cache = append([]byte(nil), f.disk...)
	}
}

func put(to, p []byte, off int64) []byte {
	if need := int(off) + len(p); need > len(to) {
		to = append(to, make([]byte, need-len(to))...)
	}
	copy(to[off:], p)
	return to
}

func (f *testFile) WriteAt(p []byte, off int64) (int, error) {
	n, err := f.v.hit("write", f.name, len(p))
	f.v.mu.Lock()
	defer f.v.mu.Unlock()
	f.cache = put(f.cache, p[:n], off)
	f.dirty = append(f.dirty, span{off, append([]byte(nil), p[:n]...)})
	return n, err
}

func (f *testFile) ReadAt(p []byte, off int64) (int, error) {
	if len(p) == 64<<10 { // so raft-wal reads an entry
		if _, err := f.v.hit("read", f.name, int(off)); err != nil {
			return 0, err
		}
	}
	f.v.mu.Lock()
	defer f.v.mu.Unlock()
	if off >= int64(len(f.cache)) {
		return 0, io.EOF
	}
	n := copy(p, f.cache[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *testFile) Sync() error {
	if _, err := f.v.hit("sync", f.name, 0); err != nil {
		return err
	}
	f.v.mu.Lock()
	defer f.v.mu.Unlock()
	for _, s := range f.dirty {
		f.disk = put(f.disk, s.data, s.off)
	}
	f.dirty = nil
	return nil
}

func (f *testFile) Close() error { return nil }

// testLog is a logStore over a testVFS.
type testLog struct {
	*logStore
	cfg    Config
	faults []error
}

func openTestLog(t *testing.T, cfg Config) (*testLog, error) {
	l := &testLog{cfg: cfg}
	if err := os.MkdirAll(cfg.Dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s, err := openLog(&cfg, newMetrics("all-0"))
	if err != nil {
		return nil, err
	}
	s.limit, s.full = 1<<40, make(chan struct{}, 1)
	s.floor = func() uint64 { return 1 << 60 }
	s.relapse = func() {}
	s.fault = func(err error) { l.faults = append(l.faults, err) }
	l.logStore = s
	return l, nil
}

func vfsConfig(t *testing.T) (Config, *testVFS) {
	cfg, _ := testConfig(t, "a")
	v := newTestVFS()
	cfg.vfs, cfg.SegmentSize, cfg.Log = v, 64<<10, zap.NewNop()
	return cfg, v
}

// record is the entry that a test writes at index.
func record(index uint64) *raft.Log {
	b := make([]byte, entryHead)
	b = appendCommand(b, &wire.Request{Op: opSet, Body: fmt.Appendf(nil, "%0*d", int(index%3000)+1, index)}, false)
	sealEntry(b, 1, index, 0, 1)
	return &raft.Log{Index: index, Term: 1, Data: b}
}

// verify checks that the log holds exactly 1..last, whole.
func (l *testLog) verify(t *testing.T, last uint64) {
	t.Helper()
	if got, _ := l.LastIndex(); got != last {
		t.Fatalf("the log ends at %d, want %d", got, last)
	}
	for i := uint64(1); i <= last; i++ {
		var got raft.Log
		if err := l.GetLog(i, &got); err != nil {
			t.Fatalf("entry %d: %v", i, err)
		}
		if want := record(i); string(got.Data) != string(want.Data) {
			t.Fatalf("entry %d is another", i)
		}
	}
}

func TestAPowerCutLosesNoEntryThatWasAcknowledged(t *testing.T) {
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 1))
		cfg, v := vfsConfig(t)
		l, err := openTestLog(t, cfg)
		if err != nil {
			t.Fatal(err)
		}
		acked := uint64(0)
		for round := range 5 {
			// Some writes are acknowledged; the last is torn by the cut before its sync.
			torn := r.IntN(40)
			for i := 0; i <= torn; i++ {
				if i == torn {
					v.setFault(func(op, _ string, n int) (int, error) {
						if op == "sync" {
							return 0, errors.New("power cut")
						}
						return n, nil
					})
				}
				var logs []*raft.Log
				for k := range uint64(r.IntN(4) + 1) {
					logs = append(logs, record(acked+k+1))
				}
				if err := l.StoreLogs(logs); err == nil {
					acked += uint64(len(logs))
				}
			}
			v.cut(r)
			v.setFault(nil)
			_ = l.close()
			if l, err = openTestLog(t, cfg); err != nil {
				t.Fatalf("seed %d round %d: %v", seed, round, err)
			}
			last, _ := l.LastIndex()
			// What was not acknowledged may be there whole: then it goes on from there.
			if last < acked {
				t.Fatalf("seed %d round %d: %d entries were acknowledged, %d are left", seed, round, acked, last)
			}
			acked = last
			l.verify(t, acked)
		}
		_ = l.close()
	}
}

func TestAFailedWriteIsAFaultAndNothingIsWrittenAfterIt(t *testing.T) {
	cases := map[string]func(op, name string, n int) (int, error){
		"EIO on write": func(op, _ string, n int) (int, error) {
			return pick(op == "write", n, errors.New("input/output error"))
		},
		"EIO on sync": func(op, _ string, n int) (int, error) { return pick(op == "sync", n, errors.New("input/output error")) },
		"ENOSPC on write": func(op, _ string, n int) (int, error) {
			return pick(op == "write", n, errors.New("no space left on device"))
		},
		"ENOSPC on create": func(op, _ string, n int) (int, error) {
			return pick(op == "create", n, errors.New("no space left on device"))
		},
		"a torn write": func(op, _ string, n int) (int, error) {
			if op == "write" {
				return n / 2, errors.New("input/output error")
			}
			return n, nil
		},
	}
	for name, fault := range cases {
		t.Run(name, func(t *testing.T) {
			cfg, v := vfsConfig(t)
			l, err := openTestLog(t, cfg)
			ok(t, err)
			acked := uint64(0)
			for i := uint64(1); i <= 10; i++ {
				ok(t, l.StoreLog(record(i)))
				acked = i
			}
			v.setFault(fault)
			for i := acked + 1; i <= 400 && err == nil; i++ {
				if err = l.StoreLog(record(i)); err == nil {
					acked = i
				}
			}
			if err == nil || len(l.faults) != 1 {
				t.Fatalf("error %v, faults %v", err, l.faults)
			}
			v.setFault(nil)
			if err := l.StoreLog(record(acked + 1)); !errors.Is(err, errFaulted) {
				t.Fatalf("a write after the fault: %v", err)
			}
			_ = l.close()
			v.cut(rand.New(rand.NewPCG(1, 2)))
			l, err = openTestLog(t, cfg)
			ok(t, err)
			last, _ := l.LastIndex()
			if last < acked {
				t.Fatalf("%d entries were acknowledged, %d are left", acked, last)
			}
			l.verify(t, last)
			ok(t, l.StoreLog(record(last+1)))
			ok(t, l.close())
		})
	}
}

func pick(fail bool, n int, err error) (int, error) {
	if fail {
		return 0, err
	}
	return n, nil
}

func TestAHungDiskIsNoticed(t *testing.T) {
	cfg, v := vfsConfig(t)
	l, err := openTestLog(t, cfg)
	ok(t, err)
	release := make(chan struct{})
	entered := make(chan struct{})
	v.setFault(func(op, _ string, n int) (int, error) {
		if op == "sync" {
			close(entered)
			<-release
		}
		return n, nil
	})
	done := make(chan error)
	go func() { done <- l.StoreLog(record(1)) }()
	<-entered
	until(t, "the write counts as long", func() bool { return l.stalled() > time.Millisecond })
	l.abandon()
	close(release)
	if err := <-done; !errors.Is(err, errFaulted) {
		t.Fatalf("a write that ended after it was given up: %v", err)
	}
	ok(t, l.close())
}

func TestAHungDiskEndsTheGroup(t *testing.T) {
	cfg, root := testConfig(t, "a")
	v := newTestVFS()
	cfg.vfs, cfg.Stall = v, 100*time.Millisecond
	n := start(t, cfg, root)
	n.lead()
	n.must(opIncr, []byte("n"))
	release := make(chan struct{})
	v.setFault(func(op, _ string, n int) (int, error) {
		if op == "sync" {
			<-release
		}
		return n, nil
	})
	if r := n.do(opIncr, []byte("n")); r.Code != wire.OutcomeUnknown {
		t.Fatalf("%s: %s", r.Code, r.Body)
	}
	t.Log(<-n.faults)
	if r := n.do(opIncr, []byte("n")); r.Code != wire.Unavailable {
		t.Fatalf("%s: %s", r.Code, r.Body)
	}
	close(release)
}

func TestTheLogIsNeverCutAboveWhatTheStoresHold(t *testing.T) {
	cfg, _ := vfsConfig(t)
	l, err := openTestLog(t, cfg)
	ok(t, err)
	for i := uint64(1); i <= 100; i++ {
		ok(t, l.StoreLog(record(i)))
	}
	l.floor = func() uint64 { return 40 }
	ok(t, l.DeleteRange(1, 90))
	if first, _ := l.FirstIndex(); first != 41 {
		t.Fatalf("the log begins at %d", first)
	}
	// A leader may replace what was not applied, never what was.
	ok(t, l.DeleteRange(80, 100))
	if last, _ := l.LastIndex(); last != 79 {
		t.Fatalf("the log ends at %d", last)
	}
	l.floor = func() uint64 { return 60 }
	if err := l.DeleteRange(50, 79); err == nil || len(l.faults) != 1 {
		t.Fatalf("removing what was applied: %v", err)
	}
	ok(t, l.close())
}

func TestALogThatDoesNotFitTheStoresIsEmptiedOrRefused(t *testing.T) {
	cases := []struct {
		name        string
		first, last uint64
		index, term uint64
		want        uint64 // where the log ends afterwards
		refused     bool
	}{
		{"it fits", 1, 50, 30, 1, 50, false},
		{"a fresh store", 1, 50, 0, 0, 50, false},
		{"it ends before an installed snapshot", 1, 50, 80, 2, 0, false},
		{"it contradicts an installed snapshot", 1, 50, 30, 2, 0, false},
		{"it begins right after the store", 31, 50, 30, 1, 50, false},
		{"the store was set back", 31, 50, 20, 1, 0, true},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			cfg, _ := vfsConfig(t)
			l, err := openTestLog(t, cfg)
			ok(t, err)
			for i := uint64(1); i <= c.last; i++ {
				ok(t, l.StoreLog(record(i)))
			}
			if c.first > 1 {
				ok(t, l.DeleteRange(1, c.first-1))
			}
			err = l.check(c.index, c.term, zap.NewNop())
			if (err != nil) != c.refused {
				t.Fatal(err)
			}
			if last, _ := l.LastIndex(); !c.refused && last != c.want {
				t.Fatalf("the log ends at %d", last)
			}
			ok(t, l.close())
		})
	}
}

func TestAnInstalledSnapshotOverALongerLogHasRaftReopened(t *testing.T) {
	cfg, _ := vfsConfig(t)
	l, err := openTestLog(t, cfg)
	ok(t, err)
	relapses := 0
	l.relapse = func() { relapses++ }
	for i := uint64(1); i <= 100; i++ {
		ok(t, l.StoreLog(record(i)))
	}
	for _, c := range []struct {
		index uint64
		want  int
	}{{50, 1}, {300, 1}} {
		l.installed(c.index)
		l.floor = func() uint64 { return c.index }
		first, _ := l.FirstIndex()
		last, _ := l.LastIndex()
		ok(t, l.DeleteRange(first, last))
		if last, _ := l.LastIndex(); last != 0 || relapses != c.want {
			t.Fatalf("the log ends at %d after snapshot %d, Raft was reopened %d times", last, c.index, relapses)
		}
		for i := c.index + 1; i < c.index+20; i++ {
			ok(t, l.StoreLog(record(i)))
		}
	}
	ok(t, l.close())
}
