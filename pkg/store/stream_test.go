package store

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// filledStore has small and large values, deletions, some on disk and some in the table.
func filledStore(t testing.TB, o Options) (*Store, model) {
	t.Helper()
	s := opened(t, o)
	m := model{}
	put := func(from, to, size int) {
		for i := from; i < to; i++ {
			k, v := fmt.Sprintf("key%04d", i), strings.Repeat(fmt.Sprint(i%10), size+i%7)
			set(s, k, "h", v)
			m[k] = [2]string{"h", v}
		}
	}
	put(0, 300, 20)
	put(200, 500, 2000)
	set(s, "", "", "the empty key")
	m[""] = [2]string{"", "the empty key"}
	flushed(t, s)
	put(450, 550, 10)
	for i := 0; i < 550; i += 5 {
		k := fmt.Sprintf("key%04d", i)
		del(s, k)
		delete(m, k)
	}
	set(s, "big", "", strings.Repeat("B", 3<<20))
	m["big"] = [2]string{"", strings.Repeat("B", 3<<20)}
	return s, m
}

func TestASnapshotInstallsWhatWasPinned(t *testing.T) {
	t.Parallel()
	for _, from := range []bool{false, true} {
		for _, to := range []bool{false, true} {
			t.Run(fmt.Sprintf("from memory=%v/to memory=%v", from, to), func(t *testing.T) {
				src, m := filledStore(t, Options{Dir: t.TempDir(), Memory: from})
				flushed(t, src)
				v := src.PinFlushed()
				defer v.Close()
				set(src, "later", "", "not in the snapshot")
				size, err := v.StreamSize()
				if err != nil {
					t.Fatal(err)
				}
				var stream bytes.Buffer
				n, err := v.WriteTo(&stream)
				if err != nil || n != size || int64(stream.Len()) != size {
					t.Fatalf("WriteTo wrote %d (%d) bytes, StreamSize said %d: %v", n, stream.Len(), size, err)
				}
				o := Options{Dir: t.TempDir(), Memory: to}
				dst, old := filledStore(t, o)
				set(dst, "gone", "", strings.Repeat("x", 5000))
				old["gone"] = [2]string{"", strings.Repeat("x", 5000)}
				before := dst.View()
				if err := dst.Install(&stream); err != nil {
					t.Fatal(err)
				}
				m.expect(t, dst)
				if dst.Applied().Index != v.Position().Index {
					t.Fatalf("applied %d, want %d", dst.Applied().Index, v.Position().Index)
				}
				old.expectView(t, before)
				before.Close()
				set(dst, "after", "", "1")
				m["after"] = [2]string{"", "1"}
				m.expect(t, dst)
				if to {
					return
				}
				flushed(t, dst)
				if err := dst.Close(); err != nil {
					t.Fatal(err)
				}
				again := opened(t, o)
				m.expect(t, again)
				if st := again.Stats(); st.BlobDead != 0 {
					t.Errorf("%d dead bytes in blob files after an install", st.BlobDead)
				}
			})
		}
	}
}

func TestADamagedSnapshotLeavesTheStoreAsItWas(t *testing.T) {
	t.Parallel()
	src, _ := filledStore(t, Options{Dir: t.TempDir()})
	flushed(t, src)
	v := src.PinFlushed()
	defer v.Close()
	var stream bytes.Buffer
	if _, err := v.WriteTo(&stream); err != nil {
		t.Fatal(err)
	}
	dst := opened(t, Options{Dir: t.TempDir()})
	set(dst, "k", "h", strings.Repeat("v", 1000))
	m := model{"k": {"h", strings.Repeat("v", 1000)}}
	for name, damage := range map[string]func([]byte) []byte{
		"cut in a record": func(b []byte) []byte { return b[:len(b)/2] },
		"cut at the end":  func(b []byte) []byte { return b[:len(b)-streamHead] },
		"a flipped bit":   func(b []byte) []byte { b[len(b)/3] ^= 4; return b },
		"empty":           func([]byte) []byte { return nil },
		"newer version":   func(b []byte) []byte { b[7] = '2'; return b },
	} {
		if err := dst.Install(bytes.NewReader(damage(bytes.Clone(stream.Bytes())))); err == nil {
			t.Errorf("%s: installed", name)
		}
		m.expect(t, dst)
	}
	flushed(t, dst)
	m.expect(t, dst)
	if st := dst.Stats(); st.BlobFiles != 1 {
		t.Errorf("%d blob files, want 1", st.BlobFiles)
	}
}

func TestInstallEndsTheWaitForAFlush(t *testing.T) {
	t.Parallel()
	src := opened(t, Options{Dir: t.TempDir()})
	v := src.PinFlushed()
	defer v.Close()
	var stream bytes.Buffer
	if _, err := v.WriteTo(&stream); err != nil {
		t.Fatal(err)
	}
	stop := make(chan struct{})
	o := Options{Dir: t.TempDir()}
	o.hooks.step = func(name string) error {
		if name == "keys" {
			<-stop
		}
		return nil
	}
	dst := opened(t, o)
	set(dst, "a", "", "1")
	first := dst.Rotate()
	set(dst, "b", "", "2")
	second := dst.Rotate()
	close(stop)
	if err := <-first; err != nil {
		t.Fatal(err)
	}
	if err := dst.Install(&stream); err != nil {
		t.Fatal(err)
	}
	if err := <-second; err != nil && !errors.Is(err, errSuperseded) {
		t.Fatal(err)
	}
	model{}.expect(t, dst)
}

func TestEqualContentsHaveEqualHashes(t *testing.T) {
	t.Parallel()
	a, m := filledStore(t, Options{Dir: t.TempDir()})
	b := opened(t, Options{Memory: true})
	for k, v := range m {
		set(b, k, v[0], v[1])
	}
	ha, err := a.Hash()
	if err != nil {
		t.Fatal(err)
	}
	hb, err := b.Hash()
	if err != nil {
		t.Fatal(err)
	}
	if ha != hb {
		t.Errorf("hashes differ: %x and %x", ha, hb)
	}
	set(b, "key0001", "h", "other")
	if hb, _ = b.Hash(); ha == hb {
		t.Error("hashes of different contents are equal")
	}
}
