package systest

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/clients/go"
	"github.com/skshohagmiah/flin/kvd/kv"
	"github.com/skshohagmiah/flin/pkg/conf"
	"github.com/skshohagmiah/flin/pkg/engine"
	"github.com/skshohagmiah/flin/pkg/replica"
	"github.com/skshohagmiah/flin/pkg/store"
	"github.com/skshohagmiah/flin/pkg/wire"
	"github.com/skshohagmiah/flin/queued/queue"
)

// oldDirectory makes a data directory of flin-server as it was when the key-value engine was the only one, or the queue engine
// the only other: with a log that has been cut, so that a new engine cannot be fed from its beginning.
func oldDirectory(t *testing.T, dir string, queues bool) {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	config := conf.Default(":1", "", ":2", dir)
	config.NodeID = "node1"
	data, err := conf.OpenDataDir(config, "flin-server")
	must(err)
	e, err := kv.Open(kv.Config{Store: store.Options{Dir: filepath.Join(dir, "store", "kv"), MinFree: 1, CacheSize: 32 << 20}})
	must(err)
	group := replica.Default()
	group.Dir, group.Name = filepath.Join(dir, "raft", "all-0"), "all-0"
	group.NodeID, group.ClusterID = data.Stamp.Node, data.Stamp.Cluster
	machines, end := []replica.Machine{e.Machine()}, e.Close
	if queues {
		q, err := queue.Open(queue.Config{Store: store.Options{Dir: filepath.Join(dir, "store", "queue"), MinFree: 1, CacheSize: 32 << 20}})
		must(err)
		machines, end = append(machines, q.Machine()), func() error { return errors.Join(e.Close(), q.Close()) }
	}
	g, err := replica.Open(group, machines...)
	must(err)
	e.Serve(g)
	for i := range 100 {
		m := wire.KVSet{Key: fmt.Append(nil, "old/", i), Value: fmt.Append(nil, i)}
		_, err := engine.Do(t.Context(), e, wire.Request{Op: wire.OpKVSet, Body: m.Append(nil)})
		must(err)
		if i == 60 {
			must(g.Snapshot())
		}
	}
	must(errors.Join(g.Close(), end(), data.Close()))
}

// launchOn starts a server over a directory that is there.
func launchOn(t *testing.T, dir string, args ...string) *server {
	t.Helper()
	inOneProcess(t)
	return newServer(t, "flin-server", dir, args...).begin()
}

func TestADataDirectoryFromBeforeTheQueueEngineGoesOn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	oldDirectory(t, dir, false)
	s := launchOn(t, dir)
	client := newClient(t, s.addrs())
	version := uint64(0)
	for round := range 3 {
		for i := range 100 {
			if v, err := client.KV.Get(fmt.Sprint("old/", i)); err != nil || string(v) != fmt.Sprint(i) {
				t.Fatalf("old/%d is %q: %v", i, v, err)
			}
		}
		e, err := client.KV.Put("new", []byte{byte(round)})
		if err != nil || e.Version <= version {
			t.Fatalf("version %d came after %d: %v", e.Version, version, err)
		}
		version = e.Version
		if err := client.Queue.Push("jobs", fmt.Append(nil, round)); err != nil {
			t.Fatal(err)
		}
		if n, err := client.Queue.Len("jobs"); err != nil || n != int64(round+1) {
			t.Fatalf("%d messages in round %d: %v", n, round, err)
		}
		s.kill()
		s.launch()
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	// Now that the group has the engine, its store must not go missing.
	if err := os.RemoveAll(filepath.Join(dir, "store", "queue")); err != nil {
		t.Fatal(err)
	}
	says(t, refusal(t, s), "all-0", "emptied", "backup")
}

func TestADataDirectoryFromBeforeTheStreamEngineGoesOn(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	oldDirectory(t, dir, true)
	s := launchOn(t, dir)
	client := newClient(t, s.addrs())
	for round := range 3 {
		for i := range 100 {
			if v, err := client.KV.Get(fmt.Sprint("old/", i)); err != nil || string(v) != fmt.Sprint(i) {
				t.Fatalf("old/%d is %q: %v", i, v, err)
			}
		}
		if err := client.Queue.Push("jobs", fmt.Append(nil, round)); err != nil {
			t.Fatal(err)
		}
		at, err := client.Stream.Publish("events", 0, "", fmt.Append(nil, round))
		if err != nil || at.Offset != int64(round) {
			t.Fatalf("event %d is at %+v: %v", round, at, err)
		}
		s.kill()
		s.launch()
	}
	if n, err := client.Queue.Len("jobs"); err != nil || n != 3 {
		t.Errorf("%d messages are there: %v", n, err)
	}
	if all, err := client.Stream.Fetch("events", 0, 0); err != nil || len(all) != 3 || string(all[2].Value) != "2" {
		t.Errorf("the events are %v: %v", all, err)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, "store", "stream")); err != nil {
		t.Fatal(err)
	}
	says(t, refusal(t, s), "all-0", "emptied", "backup")
}

func TestEachEngineCanHaveAGroupOfItsOwn(t *testing.T) {
	inOneProcess(t)
	s := start(t, "-groups=per-engine")
	client := newClient(t, s.addrs())
	work := func(round int) {
		t.Helper()
		if err := client.KV.Set("k", []byte{byte(round)}); err != nil {
			t.Fatal(err)
		}
		if err := client.Queue.Push("jobs", fmt.Append(nil, round)); err != nil {
			t.Fatal(err)
		}
		if at, err := client.Stream.Publish("events", 0, "", fmt.Append(nil, round)); err != nil || at.Offset != int64(round) {
			t.Fatalf("event %d is at %+v: %v", round, at, err)
		}
	}
	work(0)
	for _, name := range []string{"kv-0", "queue-0", "stream-0"} {
		if _, err := os.Stat(filepath.Join(s.dir, "raft", name)); err != nil {
			t.Error(err)
		}
	}
	says(t, fetch(t, s.http, "/metrics"), `flin_raft_ready{group="kv-0"} 1`, `flin_raft_ready{group="queue-0"} 1`, `flin_raft_ready{group="stream-0"} 1`,
		"flin_queue_messages_ready 1", "flin_stream_records 1")
	s.kill()
	s.launch()
	work(1)
	fetch(t, s.http, "/readyz")
	for i := range 2 {
		if body, err := client.Queue.Pop("jobs"); err != nil || string(body) != fmt.Sprint(i) {
			t.Errorf("job %d is %q: %v", i, body, err)
		}
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s.args = nil
	says(t, refusal(t, s), s.dir, "-groups per-engine", "shared")
}

func TestAGroupOfAllCannotBeSplit(t *testing.T) {
	inOneProcess(t)
	s := start(t)
	if err := newClient(t, s.addrs()).KV.Set("k", nil); err != nil {
		t.Fatal(err)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	s.args = []string{"-groups=per-engine"}
	says(t, refusal(t, s), s.dir, "-groups shared", "per-engine")
	s.args = []string{"-groups=many"}
	says(t, refusal(t, s), "-groups", "many", "per-engine")
	s.args = []string{"-groups=shared"}
	s.launch()
}

func TestQueuedServesQueuesAlone(t *testing.T) {
	s := startProgram(t, "queued")
	client := newClient(t, s.addrs())
	if err := client.Queue.Push("jobs", []byte("a")); err != nil {
		t.Fatal(err)
	}
	if err := client.KV.Set("k", nil); !errors.Is(err, flin.ErrUnsupported) || !strings.Contains(err.Error(), "queued") {
		t.Errorf("a key was set: %v", err)
	}
	s.kill()
	s.launch()
	if body, err := client.Queue.Pop("jobs"); err != nil || string(body) != "a" {
		t.Errorf("took %q: %v", body, err)
	}
	s.args = []string{"-groups=shared"}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	says(t, refusal(t, s), "groups")
}

func TestStreamdServesStreamsAlone(t *testing.T) {
	s := startProgram(t, "streamd", "-auto-create-topics=false")
	client := newClient(t, s.addrs())
	if _, err := client.Stream.Publish("events", 0, "", []byte("a")); !errors.Is(err, flin.ErrNotFound) || !strings.Contains(err.Error(), "events") {
		t.Errorf("to a topic that nobody has made it published: %v", err)
	}
	if err := client.Stream.CreateTopic("events", 2, 60_000); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Stream.Publish("events", 1, "", []byte("a")); err != nil {
		t.Fatal(err)
	}
	if err := client.KV.Set("k", nil); !errors.Is(err, flin.ErrUnsupported) || !strings.Contains(err.Error(), "streamd") {
		t.Errorf("a key was set: %v", err)
	}
	s.kill()
	s.launch()
	if all, err := client.Stream.Fetch("events", 1, 0); err != nil || len(all) != 1 || string(all[0].Value) != "a" {
		t.Errorf("the events are %v: %v", all, err)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
}

// fetch gets a page of an HTTP listener.
func fetch(t *testing.T, addr, path string) string {
	t.Helper()
	client := http.Client{Timeout: 10 * time.Second}
	resp, err := client.Get("http://" + addr + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s answered %s: %s %v", path, resp.Status, text, err)
	}
	return string(text)
}
