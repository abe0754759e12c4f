package store

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func blobFiles(t testing.TB, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, blobsName, "*.blob"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// manual keeps background work from starting by itself, and uses small blob files.
func manual(dir string) Options {
	o := Options{Dir: dir}
	o.hooks.manual = true
	o.hooks.idle = time.Hour
	o.hooks.blobFile = 64 << 10
	return o
}

// reclaimAll goes over blob files until nothing is left to do.
func reclaimAll(t testing.TB, s *Store) {
	t.Helper()
	for range 1000 {
		s.flushMu.Lock()
		err := s.reclaim()
		s.collect()
		_, more := s.space.worst(s.base.blobs.Active())
		more = more || s.reclaiming.file != 0
		s.flushMu.Unlock()
		if err != nil {
			t.Fatal(err)
		}
		if !more {
			return
		}
	}
	t.Fatal("reclaiming does not end")
}

func TestHalfDeadBlobFilesAreRewrittenAndDeadOnesGo(t *testing.T) {
	t.Parallel()
	o := manual(t.TempDir())
	s := opened(t, o)
	m := model{}
	for i := range 300 {
		k, v := fmt.Sprintf("key%04d", i), strings.Repeat(fmt.Sprint(i%10), 2000)
		set(s, k, "head", v)
		m[k] = [2]string{"head", v}
	}
	flushed(t, s)
	before := len(blobFiles(t, o.Dir))
	for i := range 300 {
		if i%4 == 0 || i < 100 {
			continue
		}
		k := fmt.Sprintf("key%04d", i)
		if i%2 == 0 {
			del(s, k)
			delete(m, k)
			continue
		}
		set(s, k, "", "small now")
		m[k] = [2]string{"", "small now"}
	}
	old := s.View()
	oldModel := maps.Clone(m)
	flushed(t, s)
	if st := s.Stats(); st.BlobDead < 150*2000 || st.Keys != int64(len(m)) {
		t.Fatalf("estimates: %d dead bytes, %d keys; want about 300000 and %d", st.BlobDead, st.Keys, len(m))
	}
	reclaimAll(t, s)
	m.expect(t, s)
	if n := len(blobFiles(t, o.Dir)); n < before {
		t.Errorf("%d of %d files are left although a view is open", n, before)
	}
	oldModel.expectView(t, old)
	old.Close()
	reclaimAll(t, s)
	after := len(blobFiles(t, o.Dir))
	if after >= before {
		t.Errorf("%d blob files after reclaiming, %d before", after, before)
	}
	m.expect(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = opened(t, o)
	m.expect(t, s)
	if n := len(blobFiles(t, o.Dir)); n != after {
		t.Errorf("%d blob files after reopening, %d before", n, after)
	}
}

func TestRecheckCorrectsAWrongEstimate(t *testing.T) {
	t.Parallel()
	o := manual(t.TempDir())
	s := opened(t, o)
	for i := range 100 {
		set(s, fmt.Sprintf("key%04d", i), "", strings.Repeat("v", 2000))
	}
	flushed(t, s)
	for i := range 100 {
		del(s, fmt.Sprintf("key%04d", i))
	}
	flushed(t, s)
	s.flushMu.Lock()
	defer s.flushMu.Unlock()
	s.space.files[1].dead = 0
	if err := s.recheckNext(); err != nil {
		t.Fatal(err)
	}
	if f := s.space.files[1]; f.dead < f.size*9/10 {
		t.Errorf("%d of %d bytes are thought dead, want nearly all", f.dead, f.size)
	}
}

func TestARebuildShedsTombstones(t *testing.T) {
	t.Parallel()
	o := manual(t.TempDir())
	var s *Store
	m := model{}
	o.hooks.step = func(name string) error {
		if name == "rebuild copied" { // changes while the copy is made
			set(s, "key0001", "", "changed")
			del(s, "key0003")
			set(s, "new", "", strings.Repeat("n", 1000))
			flushed(t, s)
		}
		return nil
	}
	s = opened(t, o)
	for i := range 1000 {
		k, v := fmt.Sprintf("key%04d", i), strings.Repeat("v", 10+i)
		set(s, k, "h", v)
		m[k] = [2]string{"h", v}
	}
	flushed(t, s)
	for i := range 1000 {
		if k := fmt.Sprintf("key%04d", i); i > 100 {
			del(s, k)
			delete(m, k)
		}
	}
	flushed(t, s)
	if st := s.Stats(); st.Tombstones != 899 || st.Keys != 101 {
		t.Fatalf("%d tombstones and %d keys, want 899 and 101", st.Tombstones, st.Keys)
	}
	view := s.PinFlushed()
	was := maps.Clone(m)
	set(s, "unflushed", "", "1")
	if err := s.rebuild(); err != nil {
		t.Fatal(err)
	}
	m["key0001"] = [2]string{"", "changed"}
	delete(m, "key0003")
	m["new"] = [2]string{"", strings.Repeat("n", 1000)}
	m["unflushed"] = [2]string{"", "1"}
	m.expect(t, s)
	was.expectView(t, view)
	if st := s.Stats(); st.Tombstones != 1 || st.Keys != 102 {
		t.Errorf("%d tombstones and %d keys after the rebuild, want 1 and 102", st.Tombstones, st.Keys)
	}
	view.Close()
	flushed(t, s)
	reclaimAll(t, s)
	if dirs, _ := filepath.Glob(filepath.Join(o.Dir, "g*")); len(dirs) != 1 {
		t.Errorf("generations: %v, want one", dirs)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	o.hooks.step = nil
	s = opened(t, o)
	m.expect(t, s)
	if _, err := os.Stat(filepath.Join(o.Dir, generationName(2), readyName)); err != nil {
		t.Error(err)
	}
}

func TestADeletionOfNothingLeavesNoTombstone(t *testing.T) {
	t.Parallel()
	s := opened(t, manual(t.TempDir()))
	set(s, "a", "", "1")
	del(s, "a")
	del(s, "never there")
	flushed(t, s)
	if st := s.Stats(); st.Tombstones != 0 || st.Keys != 0 {
		t.Errorf("%d tombstones, %d keys", st.Tombstones, st.Keys)
	}
	model{}.expect(t, s)
}
