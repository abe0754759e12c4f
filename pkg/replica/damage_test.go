package replica

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hashicorp/raft"
)

// segmentOf returns the group's only segment.
func segmentOf(t *testing.T, n *node) (path string, b []byte) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(n.cfg.Dir, "*.wal"))
	ok(t, err)
	if len(files) != 1 {
		t.Fatalf("segments %v", files)
	}
	b, err = os.ReadFile(files[0])
	ok(t, err)
	return files[0], b
}

// entryFrame returns where the frame of the entry at index begins in the first segment.
func entryFrame(t *testing.T, b []byte, index int) int {
	t.Helper()
	for _, f := range frames(b) {
		if f.typ == frameEntry {
			if index--; index == 0 {
				return f.at
			}
		}
	}
	t.Fatal("the entry is not in the segment")
	return 0
}

func contains(t *testing.T, text string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("it does not say %q: %s", part, text)
		}
	}
}

func TestAGroupDoesNotOpenOverADamagedLog(t *testing.T) {
	cases := []struct {
		name   string
		damage func(t *testing.T, b []byte)
		says   []string
	}{
		{"a value, with whole appends behind it", func(_ *testing.T, b []byte) {
			b[bytes.Index(b, []byte("needle"))] ^= 1
		}, []string{"behind entry 3", "no torn write"}},
		{"the length of a frame", func(t *testing.T, b []byte) { b[entryFrame(t, b, 4)+4] ^= 0x40 }, []string{"behind entry 3"}},
		{"the type of a frame", func(t *testing.T, b []byte) { b[entryFrame(t, b, 4)] ^= 2 }, []string{"behind entry 3"}},
		{"the head of the segment", func(_ *testing.T, b []byte) { b[17] ^= 1 }, []string{"behind entry 0"}},
		{"an entry's index, under a right checksum", func(t *testing.T, b []byte) {
			b[entryFrame(t, b, 4)+frameHead] ^= 1
			reseal(b)
		}, []string{"entry 4 of the Raft log", "entry 5 stands in its place"}},
		{"an entry's type, under a right checksum", func(t *testing.T, b []byte) {
			b[entryFrame(t, b, 4)+frameHead+2] ^= 1
			reseal(b)
		}, []string{"entry 4 of the Raft log", "LogNoop"}},
		{"the configuration, under a right checksum", func(t *testing.T, b []byte) {
			b[entryFrame(t, b, 1)+frameHead+4] ^= 0x55
			reseal(b)
		}, nil},
		{"the last entry's type, under a right checksum", func(t *testing.T, b []byte) {
			list := frames(b)
			b[list[len(list)-2].at+frameHead+2] = 77
			reseal(b)
		}, []string{"its type 77 is unknown"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			n := single(t)
			n.must(opSet, pair("k", "needle-in-the-log"))
			for range 20 {
				n.must(opIncr, []byte("n"))
			}
			n.stop()
			path, b := segmentOf(t, n)
			c.damage(t, b)
			ok(t, os.WriteFile(path, b, 0o600))
			ok(t, os.RemoveAll(filepath.Join(n.root, "store")))
			n, err := openNode(t, n.cfg, n.root)
			if err == nil {
				t.Fatalf("it opened at %+v", n.Status())
			}
			contains(t, err.Error(), append(c.says, "group all-0", filepath.Dir(path), "restore", "join the group anew")...)
		})
	}
}

func TestRaftIsEndedInOrderWhenItCannotReadItsLog(t *testing.T) {
	cfg, root := testConfig(t, "a")
	v := newTestVFS()
	cfg.vfs = v
	n := start(t, cfg, root)
	n.lead()
	for range 20 {
		n.must(opIncr, []byte("n"))
	}
	n.stop()
	ok(t, os.RemoveAll(filepath.Join(n.root, "store")))
	names, _ := v.ListDir("")
	at, reads := entryFrame(t, v.files[names[0]].cache, 4), 0
	v.setFault(func(op, _ string, n int) (int, error) {
		if op == "read" && n == at {
			// The first time is when Raft is made, the second when the entry is committed.
			if reads++; reads == 2 {
				return 0, errors.New("input/output error")
			}
		}
		return n, nil
	})
	n = n.restart()
	contains(t, (<-n.faults).Error(), "entry 4 of the Raft log of group all-0", "input/output error", "restore")
	if n.CanRead() || n.Ready() {
		t.Error("a group with a fault serves")
	}
	n.stop()
}

func TestAnEntryThatCannotBeReadEndsTheGroup(t *testing.T) {
	n := single(t)
	for range 20 {
		n.must(opIncr, []byte("n"))
	}
	path, b := segmentOf(t, n)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	ok(t, err)
	at := int64(entryFrame(t, b, 4) + frameHead)
	_, err = f.WriteAt([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, at) // raft-wal's decoder panics at this
	ok(t, err)
	ok(t, f.Close())
	var l raft.Log
	if err := n.logs.GetLog(4, &l); err == nil {
		t.Errorf("it was read: %+v", l)
	}
	contains(t, (<-n.faults).Error(), "entry 4 of the Raft log of group all-0", n.cfg.Dir, "restore")
	if n.CanRead() || n.Ready() {
		t.Error("a group with a fault serves")
	}
}

func TestACorruptEntryIsRefusedWithAClearMessage(t *testing.T) {
	n := single(t)
	n.must(opSet, pair("k", "needle-in-the-log"))
	n.fill(0, 50)
	n.stop()
	path, b := segmentOf(t, n)
	b[bytes.Index(b, []byte("needle-in"))] ^= 1
	reseal(b)
	ok(t, os.WriteFile(path, b, 0o600))
	ok(t, os.RemoveAll(filepath.Join(n.root, "store")))
	n = n.restart()
	contains(t, (<-n.faults).Error(), "log entry 4 of group all-0", "corrupt", "checksum", "restore")
	if n.get("k") != "" || n.get("n") != "" {
		t.Error("something was applied from the corrupt entry on")
	}
}
