package systest

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/skshohagmiah/flin/clients/go"
)

// record is a package of the machine's index: its name and everything that is said of it.
type record struct {
	name string
	text []byte
}

// packages returns the records of the machine's apt, or those of the sample where apt has none.
func packages(t testing.TB) []record {
	t.Helper()
	index, err := exec.Command("apt-cache", "dumpavail").Output()
	if records := parsePackages(index); err == nil && len(records) > 100 {
		return records
	}
	f, err := os.Open(filepath.Join("testdata", "packages.txt.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	if index, err = io.ReadAll(z); err != nil {
		t.Fatal(err)
	}
	records := parsePackages(index)
	if len(records) < 100 {
		t.Fatalf("the sample has %d records", len(records))
	}
	return records
}

// parsePackages splits an index at its empty lines. Of a name that comes twice the first record is taken.
func parsePackages(index []byte) []record {
	var records []record
	seen := map[string]bool{}
	for text := range bytes.SplitSeq(index, []byte("\n\n")) {
		text = bytes.Trim(text, "\n")
		first, _, _ := bytes.Cut(text, []byte("\n"))
		name, ok := bytes.CutPrefix(first, []byte("Package: "))
		if !ok || seen[string(name)] {
			continue
		}
		seen[string(name)] = true
		records = append(records, record{name: string(name), text: text})
	}
	return records
}

// massInsert streams records as redis-cli --pipe does: it writes without waiting while the answers are counted. It
// returns how many were acknowledged before the connection ended, which is all of them if nothing went wrong.
func massInsert(addr string, records []record, acked *atomic.Int64) error {
	p, err := dialPipe(addr)
	if err != nil {
		return err
	}
	defer p.close()
	sent := make(chan error, 1)
	go func() {
		for _, r := range records {
			p.send("SET", r.name, string(r.text))
		}
		p.send("ECHO", "the end")
		sent <- p.flush()
	}()
	for i := 0; ; i++ {
		v, err := p.read()
		if err != nil {
			p.close()
			<-sent
			return err
		}
		if i == len(records) {
			if b, ok := v.([]byte); !ok || string(b) != "the end" {
				return fmt.Errorf("the last answer is %v", v)
			}
			return <-sent
		}
		if v != "OK" {
			return fmt.Errorf("SET %s answered %v", records[i].name, v)
		}
		acked.Add(1)
	}
}

// readBack checks that the first known of the records are there, byte for byte, and of the others each whole or not at
// all. Half the batches are read natively, half by RESP.
func readBack(t *testing.T, addr string, records []record, known func(i int) bool) {
	t.Helper()
	client := newClient(t, addr)
	p, err := dialPipe(addr)
	if err != nil {
		t.Fatal(err)
	}
	defer p.close()
	missing, extra := 0, 0
	for at := 0; at < len(records); at += 500 {
		part := records[at:min(at+500, len(records))]
		values := make([][]byte, len(part))
		names := make([]string, len(part))
		for i, r := range part {
			names[i] = r.name
		}
		if at/500%2 == 0 {
			if values, err = client.KV.MGet(names); err != nil {
				t.Fatal(err)
			}
		} else {
			v, err := p.do(append([]string{"MGET"}, names...)...)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range v.([]any) {
				values[i], _ = v.([]byte)
			}
		}
		for i, r := range part {
			switch {
			case values[i] == nil && known(at+i):
				if missing++; missing <= 3 {
					t.Errorf("record %d, %s, was acknowledged and is not there", at+i, r.name)
				}
			case values[i] != nil && !bytes.Equal(values[i], r.text):
				t.Errorf("record %d, %s: %s is there in place of %s", at+i, r.name, brief(values[i]), brief(r.text))
			case values[i] != nil && !known(at+i):
				extra++
			}
		}
	}
	if missing > 0 {
		t.Errorf("%d acknowledged records are not there", missing)
	}
	t.Logf("read back; %d records are there of which no acknowledgement came", extra)
}

// The package index goes in through a mass insert that is cut by a kill, goes on after the restart, and is read back.
func TestPackageIndexThroughAMassInsert(t *testing.T) {
	records := packages(t)
	rng := rand.New(rand.NewPCG(seeded(t), 7))
	s := start(t)
	var acked atomic.Int64
	enough := int64(len(records)/4 + rng.IntN(len(records)/2))
	ended := make(chan error, 1)
	go func() { ended <- massInsert(s.port, records, &acked) }()
	awaitCount(&acked, enough, ended)
	s.kill()
	if err := <-ended; err == nil {
		t.Log("the load was over before the kill")
	}
	s.launch()
	n := acked.Load()
	t.Logf("%d of %d records were acknowledged when the server was killed", n, len(records))
	readBack(t, s.port, records, func(i int) bool { return int64(i) < n })

	if err := massInsert(s.port, records[n:], &acked); err != nil {
		t.Fatalf("the rest of the load: %v", err)
	}
	all := func(int) bool { return true }
	readBack(t, s.port, records, all)
	s.kill()
	s.launch()
	readBack(t, s.port, records, all)
}

// awaitCount returns when c has reached n or ended has something, which it leaves there.
func awaitCount(c *atomic.Int64, n int64, ended chan error) {
	for c.Load() < n {
		select {
		case err := <-ended:
			ended <- err
			return
		case <-time.After(time.Millisecond): // a counter gives no sign
		}
	}
}

// The package index goes in through the Go client, many goroutines at once, while the server is killed and started again.
func TestPackageIndexThroughTheGoClient(t *testing.T) {
	records := packages(t)
	rng := rand.New(rand.NewPCG(seeded(t), 8))
	s := start(t)
	client := newClient(t, s.addrs())
	acked := make([]atomic.Bool, len(records))
	var next, count atomic.Int64
	var running sync.WaitGroup
	for range 64 {
		running.Go(func() {
			for {
				i := next.Add(1) - 1
				if i >= int64(len(records)) {
					return
				}
				err := client.KV.Set(records[i].name, records[i].text)
				if err == nil {
					acked[i].Store(true)
				} else if !expected(err) {
					t.Errorf("set %s: %v", records[i].name, err)
				}
				count.Add(1)
			}
		})
	}
	ended := make(chan error, 1)
	go func() { running.Wait(); ended <- nil }()
	awaitCount(&count, int64(len(records)/4+rng.IntN(len(records)/2)), ended)
	s.kill()
	s.launch()
	<-ended
	known := func(i int) bool { return acked[i].Load() }
	readBack(t, s.port, records, known)
	setMissing(t, client, records, acked)
	readBack(t, s.port, records, known)
	s.kill()
	s.launch()
	readBack(t, s.port, records, known)
}

// setMissing writes the records whose fate is not known once more.
func setMissing(t *testing.T, client *flin.Client, records []record, acked []atomic.Bool) {
	t.Helper()
	n := 0
	for i, r := range records {
		if acked[i].Load() {
			continue
		}
		n++
		if err := client.KV.Set(r.name, r.text); err != nil {
			t.Fatalf("set %s: %v", r.name, err)
		}
		acked[i].Store(true)
	}
	t.Logf("%d records had no answer", n)
}
