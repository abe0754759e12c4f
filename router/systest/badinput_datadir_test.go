package systest

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/clients/go"
)

// refusal starts the server on what its directory holds now, expects it to end by itself with a failure, and returns
// what it says.
func refusal(t *testing.T, s *server) string {
	t.Helper()
	s.spawn()
	deadline := time.Now().Add(30 * time.Second)
	for {
		select {
		case err := <-s.exited:
			s.exited <- err
			s.cmd = nil
			text := s.log.tail(8 << 10)
			if err == nil {
				t.Fatalf("the server ended with code 0:\n%s", text)
			}
			if strings.Contains(text, "goroutine ") {
				t.Errorf("the server panicked:\n%s", text)
			}
			return text
		case <-time.After(5 * time.Millisecond): // whether it ends or serves, there is no other sign
		}
		if answersPing(s.port) {
			t.Fatalf("the server serves what it should refuse\n%s", s.log.tail(8<<10))
		}
		if time.Now().After(deadline) {
			t.Fatalf("the server neither ends nor serves\n%s", s.log.tail(8<<10))
		}
	}
}

// restamp changes a field of the data directory's stamp.
func restamp(t *testing.T, s *server, field string, value any) {
	t.Helper()
	path := filepath.Join(s.dir, "flin.json")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var stamp map[string]any
	if err := json.Unmarshal(text, &stamp); err != nil {
		t.Fatal(err)
	}
	stamp[field] = value
	if text, err = json.Marshal(stamp); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
}

// A data directory that is not this server's is refused with what it is and what to do; put right, it serves again.
func TestADataDirectoryOfAnotherIsRefused(t *testing.T) {
	inOneProcess(t)
	s := start(t)
	client := newClient(t, s.addrs())
	if err := client.KV.Set("k", []byte("v")); err != nil {
		t.Fatal(err)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		field string
		value any
		right any
		says  []string
	}{
		{"format", 999, 1, []string{s.dir, "format 999", "newer"}},
		{"node", "another", "node1", []string{s.dir, `"another"`, `"node1"`, "-node-id"}},
		{"program", "kvd", "flin-server", []string{s.dir, "kvd", "flin-server", "-data"}},
		{"partitions", 128, 64, []string{s.dir, "128", "64", "-partitions"}},
	} {
		restamp(t, s, c.field, c.value)
		says(t, refusal(t, s), c.says...)
		restamp(t, s, c.field, c.right)
	}
	s.launch()
	if v, err := client.KV.Get("k"); err != nil || string(v) != "v" {
		t.Errorf("after all that: %q, %v", v, err)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(s.dir, "flin.json"), []byte(`{"format": 1, "no`), 0o600); err != nil {
		t.Fatal(err)
	}
	says(t, refusal(t, s), "flin.json", "damaged", "backup")
}

// A data directory that a running process holds is refused with who holds it, and the holder does not notice.
func TestALockedDataDirectoryIsRefused(t *testing.T) {
	inOneProcess(t)
	s := start(t)
	other := newServer(t, "flin-server", s.dir)
	says(t, refusal(t, other), s.dir, "in use", fmt.Sprint(s.cmd.Process.Pid), "-data")
	stillServes(t, s)
}

// A busy port is refused with who wants it and the flag that changes it.
func TestABusyPortIsRefused(t *testing.T) {
	inOneProcess(t)
	s := start(t)
	for flag, addr := range map[string]string{"-port": s.port, "-http": s.http} {
		other := newServer(t, "flin-server", filepath.Join(t.TempDir(), "data"))
		if flag == "-port" {
			other.port = addr
		} else {
			other.http = addr
		}
		other.spawn()
		if err := other.wait(); err == nil {
			t.Error("the second server ended with code 0")
		}
		says(t, other.log.tail(8<<10), addr, flag, "in use")
	}
	stillServes(t, s)
}

// flip changes a byte in the middle of what is found after needle's first byte, in a file under dir that name accepts,
// and returns the file.
func flip(t *testing.T, dir string, needle []byte, name func(string) bool) string {
	t.Helper()
	found := ""
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || found != "" || !name(path) {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		at := bytes.Index(b, needle)
		if at < 0 {
			return nil
		}
		found = path
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			return err
		}
		at += len(needle) / 2
		_, err = f.WriteAt([]byte{b[at] ^ 0x40}, int64(at))
		return errors.Join(err, f.Close())
	})
	if err != nil {
		t.Fatal(err)
	}
	if found == "" {
		t.Fatalf("%.40q is in no file under %s", needle, dir)
	}
	return found
}

func anyFile(string) bool { return true }

// A log entry in whose bytes something has changed is refused: neither passed over nor applied.
func TestACorruptLogEntryIsRefused(t *testing.T) {
	inOneProcess(t)
	s := start(t)
	client := newClient(t, s.addrs())
	for i := range 20 {
		if err := client.KV.Set(fmt.Sprint("entry/", i), fmt.Appendf(nil, "the value of entry %d of all", i)); err != nil {
			t.Fatal(err)
		}
	}
	s.kill() // within a second: no flush has carried the entries into the store
	flip(t, filepath.Join(s.dir, "raft"), []byte("the value of entry 5 of all"), anyFile)
	says(t, refusal(t, s), "all-0", "corrupt", "restore", "backup")
}

// flushed returns when what was written so far is in the store's files, where a start does not take it from the log.
func flushed(t *testing.T, s *server, client *flin.Client, text []byte) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	hold := func(needle []byte) bool {
		return again(ctx, func() error {
			missing := errors.New("not there yet")
			_ = filepath.WalkDir(filepath.Join(s.dir, "store"), func(path string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return nil //nolint:nilerr // files come and go
				}
				if b, err := os.ReadFile(path); err == nil && bytes.Contains(b, needle) {
					missing = nil
				}
				return nil
			})
			return missing
		})
	}
	// The flush after this one begins only when this one has ended.
	next := payload("the next flush", time.Now().UnixNano()&0xFFFF, 4096)
	if !hold(text) {
		t.Fatal("no flush within 30 s")
	}
	if err := client.KV.Set("next", next); err != nil {
		t.Fatal(err)
	}
	if !hold(next) {
		t.Fatal("no second flush within 30 s")
	}
}

// A value whose bytes have changed on the disk is never handed out: the server refuses to start, or the read fails with
// an error that names the file.
func TestACorruptBlobIsRefused(t *testing.T) {
	inOneProcess(t)
	for _, c := range []struct {
		name   string
		damage func(t *testing.T, s *server, value []byte) string
	}{
		{"a flipped bit", func(t *testing.T, s *server, value []byte) string {
			return flip(t, filepath.Join(s.dir, "store"), value, anyFile)
		}},
		{"a missing file", func(t *testing.T, s *server, value []byte) string {
			path := flip(t, filepath.Join(s.dir, "store"), value, anyFile)
			if err := os.Remove(path); err != nil {
				t.Fatal(err)
			}
			return path
		}},
		{"a truncated file", func(t *testing.T, s *server, value []byte) string {
			path := flip(t, filepath.Join(s.dir, "store"), value, anyFile)
			if err := os.Truncate(path, 1000); err != nil {
				t.Fatal(err)
			}
			return path
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			client := newClient(t, s.addrs())
			value := payload("blob", 1, largeValue)
			if err := client.KV.Set("blob", value); err != nil {
				t.Fatal(err)
			}
			flushed(t, s, client, value[100:300])
			s.kill()
			file := c.damage(t, s, value[100:300])
			s.spawn()
			for !answersPing(s.port) {
				select {
				case err := <-s.exited:
					s.exited <- err
					s.cmd = nil
					says(t, s.log.tail(8<<10), filepath.Base(file), "restore", "backup")
					return
				case <-time.After(5 * time.Millisecond):
				}
			}
			v, err := client.KV.Get("blob")
			if err == nil {
				t.Fatalf("the damaged value is handed out: %s", brief(v))
			}
			if errors.Is(err, flin.ErrNotFound) {
				t.Errorf("the damaged value is said not to be there")
			}
			says(t, err.Error(), filepath.Base(file))
			if e := s.ended(); e != nil { // the process may have ended because of the fault, if it says why
				says(t, s.log.tail(8<<10), filepath.Base(file), "restore")
			}
		})
	}
}

// A damaged file of the key tree is refused at the start, or costs nothing because the log still has what was in it.
func TestACorruptKeyTreeIsRefused(t *testing.T) {
	inOneProcess(t)
	for _, c := range []struct {
		ext  string
		stop bool // in order, so that Badger writes its tables
	}{{".sst", true}, {".mem", false}} {
		t.Run(c.ext, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			client := newClient(t, s.addrs())
			text := []byte("a small value in the key tree")
			for i := range 1000 {
				if err := client.KV.Set(fmt.Sprint("small/", i), fmt.Appendf(nil, "%s, number %d", text, i)); err != nil {
					t.Fatal(err)
				}
			}
			flushed(t, s, client, []byte("number 999"))
			if c.stop {
				if err := s.stop(); err != nil {
					t.Fatal(err)
				}
			} else {
				s.kill()
			}
			file := flip(t, filepath.Join(s.dir, "store"), []byte("number 500"), func(path string) bool { return filepath.Ext(path) == c.ext })
			s.spawn()
			for !answersPing(s.port) {
				select {
				case err := <-s.exited:
					s.exited <- err
					s.cmd = nil
					says(t, s.log.tail(8<<10), filepath.Dir(file), "restore", "backup")
					return
				case <-time.After(5 * time.Millisecond):
				}
			}
			for i := range 1000 {
				v, err := client.KV.Get(fmt.Sprint("small/", i))
				if want := fmt.Sprintf("%s, number %d", text, i); err != nil || string(v) != want {
					t.Fatalf("the server serves a damaged key tree: %d is %q, %v", i, v, err)
				}
			}
			t.Log("the server serves, and everything is there")
		})
	}
}
