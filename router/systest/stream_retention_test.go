package systest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/clients/go"
)

// onDisk returns the bytes of the disk that a directory takes.
func onDisk(t *testing.T, dir string) (n int64) {
	t.Helper()
	err := filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			var info fs.FileInfo
			if info, err = d.Info(); err == nil {
				if st, ok := info.Sys().(*syscall.Stat_t); ok {
					n += st.Blocks * 512
				}
			}
		}
		if errors.Is(err, fs.ErrNotExist) { // the server has removed it meanwhile
			return nil
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// await calls ready until it returns true.
func await(t *testing.T, s *server, limit time.Duration, what func() string, ready func() bool) {
	t.Helper()
	for deadline := time.Now().Add(limit); !ready(); time.Sleep(20 * time.Millisecond) { // a disk gives no sign
		stillRuns(t, s)
		if time.Now().After(deadline) {
			t.Fatalf("after %v %s", limit, what())
		}
	}
}

// produceAll publishes values number from to to-1 of a topic through a producer.
func produceAll(t *testing.T, client *flin.Client, topic string, from, to int64, size int, at time.Time) {
	t.Helper()
	p, err := client.Stream.Producer(topic)
	if err != nil {
		t.Fatal(err)
	}
	for i := from; i < to; i++ {
		r := flin.Record{Value: payload(topic, i, size), Timestamp: at, Key: []byte(strconv.FormatInt(i, 10))}
		if err := p.Send(flin.AnyPartition, r, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(p.Flush(context.Background()), p.Close()); err != nil {
		t.Fatal(err)
	}
}

// keptRecords reads everything that a topic keeps, compares it with what was published, and returns which numbers there are.
func keptRecords(t *testing.T, client *flin.Client, topic string) map[int64]bool {
	t.Helper()
	info, err := client.Stream.Topic(topic)
	if err != nil {
		t.Fatal(err)
	}
	found := map[int64]bool{}
	for p, part := range info.Partitions {
		for next := part.Start; next < part.End; {
			list, err := client.Stream.Fetch(topic, p, next, flin.MaxBytes(4<<20))
			if err != nil || len(list) == 0 {
				t.Fatalf("%s: fetch from offset %d of partition %d, which goes from %d to %d: %d records, %v", topic, next, p, part.Start, part.End, len(list), err)
			}
			for i := range list {
				n, err := strconv.ParseInt(string(list[i].Key), 10, 64)
				if err != nil || list[i].Offset != next || !bytes.Equal(list[i].Value, payload(topic, n, len(list[i].Value))) || found[n] {
					t.Fatalf("%s: offset %d of partition %d holds record %q, offset %d, %s", topic, next, p, list[i].Key, list[i].Offset, brief(list[i].Value))
				}
				found[n] = true
				next++
			}
		}
	}
	return found
}

// What a topic need not keep any more leaves the disk; what is younger, or within the bound, stays, as does what other topics keep.
func TestRetentionFreesTheDiskAndNothingElse(t *testing.T) {
	inOneProcess(t)
	const (
		size    = 64 << 10
		many    = 4096            // records of the topic that is bounded: 256 MiB
		few     = 500             // records of the others
		bound   = 4 << 20         // bytes that each of its partitions keeps
		batches = 1 << 20         // bytes that a batch may have
		freed   = many * size / 2 // bytes of the disk that become free at least; the raft log keeps its last ones whatever happens
		left    = 24 << 20        // bytes that the engine has on the disk then at most
	)
	s := start(t)
	client := newClient(t, s.addrs())
	for topic, retention := range map[string]int64{"kept": -1, "bounded": -1, "timed": 3600_000} {
		if err := client.Stream.CreateTopic(topic, 2, retention); err != nil {
			t.Fatal(err)
		}
	}
	now := time.Now()
	produceAll(t, client, "kept", 0, few, 1000, now)
	produceAll(t, client, "timed", 0, few, 1000, now.Add(-2*time.Hour))
	produceAll(t, client, "timed", few, 2*few, 1000, now.Add(-30*time.Minute))
	produceAll(t, client, "bounded", 0, many, size, now)
	before := onDisk(t, s.dir)
	if before < many*size {
		t.Fatalf("%d MiB were published, and %d MiB are on the disk", many*size>>20, before>>20)
	}
	if n := len(keptRecords(t, client, "bounded")); n != many {
		t.Fatalf("%d records of %d are there", n, many)
	}

	if err := client.Stream.AlterTopic("bounded", flin.MaxBytes(bound)); err != nil {
		t.Fatal(err)
	}
	var after, engine int64
	await(t, s, 2*time.Minute, func() string {
		return fmt.Sprintf("%d MiB are on the disk, %d of them the engine's, where %d were", after>>20, engine>>20, before>>20)
	}, func() bool {
		after, engine = onDisk(t, s.dir), onDisk(t, filepath.Join(s.dir, "store", "stream"))
		return after <= before-freed && engine <= left
	})
	t.Logf("on the disk: %d MiB before, %d MiB after, %d of them the engine's", before>>20, after>>20, engine>>20)

	check := func() {
		t.Helper()
		info, err := client.Stream.Topic("bounded")
		if err != nil {
			t.Fatal(err)
		}
		kept, end := int64(0), int64(0)
		for p, part := range info.Partitions {
			if part.Bytes < bound || part.Bytes > bound+batches {
				t.Errorf("partition %d keeps %d bytes, the bound is %d", p, part.Bytes, bound)
			}
			kept, end = kept+part.End-part.Start, end+part.End
			_, err := client.Stream.Fetch("bounded", p, part.Start-1)
			if !errors.Is(err, flin.ErrOutOfRange) {
				t.Fatalf("a fetch of what is gone: %v", err)
			}
			says(t, err.Error(), strconv.FormatInt(part.Start, 10), strconv.FormatInt(part.End, 10))
		}
		if found := keptRecords(t, client, "bounded"); int64(len(found)) != kept || end != many {
			t.Errorf("%d records are read and %d kept, of %d", len(found), kept, end)
		}
		if n := len(keptRecords(t, client, "kept")); n != few {
			t.Errorf("of a topic that keeps everything %d records of %d are there", n, few)
		}
		found := keptRecords(t, client, "timed")
		for n := range int64(2 * few) {
			if found[n] != (n >= few) {
				t.Fatalf("record %d of a topic that keeps an hour is there: %v", n, found[n])
			}
		}
	}
	await(t, s, time.Minute, func() string { return "what is too old is still there" }, func() bool {
		return len(keptRecords(t, client, "timed")) == few
	})
	check()
	s.kill()
	s.launch()
	check()

	// What a deleted topic had leaves the disk as well, and the offsets of a new one of its name begin anew.
	if err := client.Stream.DeleteTopic("kept"); err != nil {
		t.Fatal(err)
	}
	if _, err := client.Stream.Fetch("kept", 0, 0); !errors.Is(err, flin.ErrNotFound) {
		t.Errorf("a fetch from a deleted topic: %v", err)
	}
	if err := client.Stream.CreateTopic("kept", 1, -1); err != nil {
		t.Fatal(err)
	}
	if at, err := client.Stream.Publish("kept", 0, "7", payload("kept", 7, 1000)); err != nil || at.Offset != 0 {
		t.Errorf("the first record of a new topic: %+v, %v", at, err)
	}
	if found := keptRecords(t, client, "kept"); len(found) != 1 || !found[7] {
		t.Errorf("a new topic has %v", found)
	}
}
