package systest

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/skshohagmiah/flin/clients/go"
)

// SIGTERM in the middle of writes ends the process with code 0, and everything that was acknowledged is there.
func TestATerminatedServerLosesNothing(t *testing.T) {
	s := start(t)
	client := newClient(t, s.addrs())
	var stop atomic.Bool
	var running sync.WaitGroup
	var count atomic.Int64
	writers := make([]*nativeWriter, 8)
	st := newStorm(t, s)
	for i := range writers {
		w := &nativeWriter{writer: newWriter(fmt.Sprintf("native%d", i), i, 1), storm: st, client: client}
		writers[i] = w
		running.Go(func() {
			for !stop.Load() {
				in := w.next()
				w.ledger.sent(in.change)
				err := in.ask(client, w.db)
				count.Add(1)
				switch {
				case err == nil:
					w.ledger.answered()
				case fate(err) == notDone:
					w.ledger.refused()
				default:
					return // what became of it is settled below
				}
			}
		})
	}
	awaitCount(&count, 2000, make(chan error))
	stop.Store(false)
	ended := s.stop()
	stop.Store(true)
	s.launch() // what still asks is answered by the next process
	running.Wait()
	if ended != nil {
		t.Fatalf("the server ended with %v", ended)
	}
	all := make([]*writer, len(writers))
	for i, w := range writers {
		all[i] = w.writer
	}
	verifyWriters(t, s.port, all)
	if strings.Contains(s.log.tail(8<<10), "panic") {
		t.Error("the log speaks of a panic")
	}
}

// With -memory nothing survives, and the log says so; over -max-memory writes are refused, reads go on, and deletes make
// room.
func TestMemoryOnlyForgetsAndSaysSo(t *testing.T) {
	inOneProcess(t)
	s := start(t, "-memory", "-max-memory=32MiB")
	says(t, s.log.tail(64<<10), "memory", "nothing survives")
	client := newClient(t, s.addrs())
	if err := client.KV.Set("first", []byte("v")); err != nil {
		t.Fatal(err)
	}
	n := fill(t, client, 1000)
	if v, err := client.KV.Get("first"); err != nil || string(v) != "v" {
		t.Errorf("a read while the memory is full: %q, %v", v, err)
	}
	p, err := dialPipe(s.port)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	if _, err := p.do("SET", "k", strings.Repeat("v", largeValue)); err == nil || !strings.HasPrefix(err.Error(), "OOM ") {
		t.Errorf("RESP says %v when the memory is full", err)
	} else {
		says(t, err.Error(), "-max-memory")
	}
	for i := range n {
		if err := client.KV.Delete(fmt.Sprint("fill/", i)); err != nil {
			t.Fatalf("a delete while the memory is full: %v", err)
		}
	}
	if err := client.KV.Set("after", payload("after", 1, largeValue)); err != nil {
		t.Errorf("a write after room was made: %v", err)
	}
	atMost(t, s, 500<<20, "with 32 MiB of data allowed")
	if names, err := os.ReadDir(s.dir); err == nil && len(names) > 0 {
		t.Errorf("-memory left %d files in the data directory", len(names))
	}
	s.kill()
	s.launch()
	if v, err := client.KV.Get("first"); !errors.Is(err, flin.ErrNotFound) {
		t.Errorf("after a restart: %q, %v", v, err)
	}
}

// fill writes large values until one is refused as Full, and returns how many were taken.
func fill(t *testing.T, client *flin.Client, most int) int {
	t.Helper()
	for i := range most {
		err := client.KV.Set(fmt.Sprint("fill/", i), payload(fmt.Sprint("fill/", i), 1, largeValue))
		switch {
		case errors.Is(err, flin.ErrFull):
			return i
		case err != nil:
			t.Fatalf("write %d: %v", i, err)
		}
	}
	t.Fatalf("%d values were taken and none refused", most)
	return 0
}

// On a disk that is full writes are refused as such, reads go on, the process survives, and once there is room again it
// takes writes.
func TestAFullDisk(t *testing.T) {
	disk := t.TempDir()
	if err := syscall.Mount("tmpfs", disk, "tmpfs", 0, "size=1g"); err != nil {
		t.Skipf("a small disk cannot be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, syscall.MNT_DETACH); err != nil {
			t.Errorf("unmount %s: %v", disk, err)
		}
	})
	s := startIn(t, filepath.Join(disk, "data"))
	client := newClient(t, s.addrs())
	if err := client.KV.Set("first", payload("first", 1, largeValue)); err != nil {
		t.Fatal(err)
	}
	ballast := filepath.Join(disk, "ballast")
	grow(t, ballast, disk, 700<<20) // what is left fills up soon
	n := fill(t, client, 20_000)
	t.Logf("%d values of %d KiB were taken", n, largeValue>>10)
	p, err := dialPipe(s.port)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	if _, err := p.do("SET", "k", "v"); err == nil || !strings.HasPrefix(err.Error(), "OOM ") {
		t.Errorf("RESP says %v when the disk is full", err)
	} else {
		says(t, err.Error(), "disk")
	}
	grow(t, ballast, disk, 0) // now there is not a byte left
	for i := range n {
		key := fmt.Sprint("fill/", i)
		if v, err := client.KV.Get(key); err != nil || string(v) != string(payload(key, 1, largeValue)) {
			t.Fatalf("a read while the disk is full: %s is %s, %v", key, brief(v), err)
		}
	}
	if err := client.KV.Set("more", []byte("v")); !errors.Is(err, flin.ErrFull) {
		t.Errorf("a write without a byte left: %v", err)
	}
	if err := s.ended(); err != nil {
		t.Fatalf("%v\n%s", err, s.log.tail(8<<10))
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if !again(t.Context(), func() error { return client.KV.Set("more", []byte("v")) }) {
		t.Fatal("no write after room was made")
	}
	stillServes(t, s)
	s.kill()
	s.launch()
	for i := range n {
		key := fmt.Sprint("fill/", i)
		if v, err := client.KV.Get(key); err != nil || string(v) != string(payload(key, 1, largeValue)) {
			t.Fatalf("after a restart: %s is %s, %v", key, brief(v), err)
		}
	}
}

// startIn is start with a data directory of the caller's.
func startIn(t *testing.T, dir string) *server {
	t.Helper()
	inOneProcess(t)
	return newServer(t, "flin-server", dir).begin()
}

// grow makes a file so large that the disk under it has only left bytes free.
func grow(t *testing.T, path, disk string, left int64) {
	t.Helper()
	var fs syscall.Statfs_t
	if err := syscall.Statfs(disk, &fs); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	free := int64(fs.Bavail) * fs.Bsize
	chunk := make([]byte, 1<<20)
	for free > left {
		n, err := f.Write(chunk[:min(int64(len(chunk)), free-left)])
		free -= int64(n)
		if errors.Is(err, syscall.ENOSPC) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
