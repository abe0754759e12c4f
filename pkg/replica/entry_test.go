package replica

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/skshohagmiah/flin/pkg/wire"
)

var rewrite = flag.Bool("rewrite", false, "write the golden files anew")

// sampleEntry has a plain command, an ordered read, one with a session and an empty one.
func sampleEntry() []byte {
	b := make([]byte, entryHead)
	b = appendCommand(b, &wire.Request{Op: opSet, Body: []byte("hello")}, false)
	b = appendCommand(b, &wire.Request{Op: opGet, Body: []byte("k")}, true)
	b = appendCommand(b, &wire.Request{Op: opIncr, Session: 7, Seq: 8, Acked: 9, Body: bytes.Repeat([]byte("x"), 200)}, false)
	b = appendCommand(b, &wire.Request{Op: opIncr}, false)
	sealEntry(b, 0x0102030405060708, 42, 1_700_000_000_123, 4)
	return b
}

// readEntry decodes everything.
func readEntry(b []byte) (entry, []Command, error) {
	e, err := decodeEntry(b)
	if err == nil {
		err = checkEntry(b)
	}
	if err != nil {
		return e, nil, err
	}
	var list []Command
	for range e.count {
		var c Command
		if err := e.next(&c); err != nil {
			return e, list, err
		}
		list = append(list, c)
	}
	return e, list, nil
}

func TestAnEntryComesBackAsItWas(t *testing.T) {
	e, got, err := readEntry(sampleEntry())
	if err != nil {
		t.Fatal(err)
	}
	if e.origin != 0x0102030405060708 || e.seq != 42 || e.time != 1_700_000_000_123 || e.count != 4 || len(e.rest) != 0 {
		t.Fatalf("head: %+v", e)
	}
	want := []Command{
		{Op: opSet, Body: []byte("hello")},
		{Op: opGet, Body: []byte("k"), Read: true},
		{Op: opIncr, Session: 7, Seq: 8, Acked: 9, Body: bytes.Repeat([]byte("x"), 200)},
		{Op: opIncr, Body: []byte{}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatal(d)
	}
}

func TestTheBytesOfAnEntryAreTheGoldenOnes(t *testing.T) {
	path := filepath.Join("testdata", "entry.hex")
	var got strings.Builder
	for b := sampleEntry(); len(b) > 0; b = b[min(32, len(b)):] {
		got.WriteString(hex.EncodeToString(b[:min(32, len(b))]) + "\n")
	}
	if *rewrite {
		if err := os.WriteFile(path, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	golden, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(golden), got.String()); d != "" {
		t.Fatalf("the format of the log has changed, old logs cannot be read any more:\n%s", d)
	}
}

func TestEveryFlippedBitOfAnEntryIsFound(t *testing.T) {
	good := sampleEntry()
	for i := range len(good) * 8 {
		bad := bytes.Clone(good)
		bad[i/8] ^= 1 << (i % 8)
		if _, _, err := readEntry(bad); !errors.Is(err, errEntry) {
			t.Fatalf("bit %d: %v", i, err)
		}
	}
	for n := range good {
		if _, _, err := readEntry(good[:n]); !errors.Is(err, errEntry) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
}

func FuzzEntry(f *testing.F) {
	f.Add(sampleEntry())
	f.Add([]byte{})
	f.Add(make([]byte, entryHead))
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := decodeEntry(b)
		if err != nil {
			return
		}
		_ = checkEntry(b)
		// Whatever the bytes, decoding ends, and what it hands out is inside them.
		var c Command
		total := 0
		for range min(e.count, 1<<16) {
			if err := e.next(&c); err != nil {
				if !errors.Is(err, errEntry) {
					t.Fatal(err)
				}
				return
			}
			if total += len(c.Body); total > len(b) {
				t.Fatal("more bytes came out than went in")
			}
		}
	})
}

func FuzzSnapshotStream(f *testing.F) {
	var b bytes.Buffer
	if err := writeSnapshot(&b, []part{{id: wire.EngineKV, size: 3, write: func(w io.Writer) (int64, error) {
		n, err := w.Write([]byte("abc"))
		return int64(n), err
	}}}); err != nil {
		f.Fatal(err)
	}
	f.Add(b.Bytes())
	f.Fuzz(func(_ *testing.T, b []byte) {
		_ = readSnapshot(bytes.NewReader(b), func(_ wire.EngineID, r io.Reader) error {
			_, err := io.Copy(io.Discard, r)
			return err
		})
	})
}

func FuzzPreamble(f *testing.F) {
	f.Add("FLIN/1 raft c g a>b -")
	f.Add(strings.TrimSuffix(preamble{"c", "g", "a/1", "b/2"}.line([]byte("s")), "\n"))
	f.Fuzz(func(t *testing.T, line string) {
		p, err := parsePreamble(line, []byte("s"))
		if err == nil && p.line([]byte("s")) != line+"\n" {
			t.Fatalf("%q was taken as %+v", line, p)
		}
	})
}
