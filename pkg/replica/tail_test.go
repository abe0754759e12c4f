package replica

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/hashicorp/raft"
)

// frameAt is a frame of a segment: its type, where it begins and the bytes of its payload.
type frameAt struct {
	typ byte
	at  int
	n   int
}

// frames lists the frames of a segment.
func frames(b []byte) (list []frameAt) {
	for at := segmentHead; at+frameHead <= len(b) && b[at] != 0; {
		f := frameAt{typ: b[at], at: at}
		if f.typ != frameCommit {
			f.n = int(binary.LittleEndian.Uint32(b[at+4:]))
		}
		list = append(list, f)
		at += int(frameSize(uint32(f.n)))
	}
	return list
}

// reseal makes the checksums of all commits right again.
func reseal(b []byte) {
	from := 0
	for _, f := range frames(b) {
		if f.typ == frameCommit {
			binary.LittleEndian.PutUint32(b[f.at+4:], crc32.Checksum(b[from:f.at], castagnoli))
			from = f.at + frameHead
		}
	}
}

// sample is a closed log on a testVFS, from which damaged copies are made.
type sample struct {
	t     *testing.T
	cfg   Config
	names []string // of the segments, oldest first
	data  [][]byte // what is in them
	meta  []byte
	tries int
}

// newSample writes the given appends, each with as many entries as it says.
func newSample(t *testing.T, appends ...int) *sample {
	t.Helper()
	cfg, v := vfsConfig(t)
	l, err := openTestLog(t, cfg)
	ok(t, err)
	index := uint64(1)
	for _, n := range appends {
		ok(t, l.StoreLogs(records(&index, n)))
	}
	ok(t, l.close())
	s := &sample{t: t, cfg: cfg}
	s.names, _ = v.ListDir("")
	for _, name := range s.names {
		s.data = append(s.data, v.files[name].cache)
	}
	s.meta, err = os.ReadFile(filepath.Join(cfg.Dir, walMeta))
	ok(t, err)
	return s
}

// records returns the next n entries.
func records(index *uint64, n int) (logs []*raft.Log) {
	for range n {
		logs = append(logs, record(*index))
		*index++
	}
	return logs
}

// tail returns the bytes of the last segment up to the end of its last append.
func (s *sample) tail() []byte {
	b := s.data[len(s.data)-1]
	list := frames(b)
	return b[:list[len(list)-1].at+frameHead]
}

// open opens a copy of the log in which the given segment, counted from the last, has other bytes.
func (s *sample) open(back int, b []byte) (*testLog, error) {
	s.t.Helper()
	v := newTestVFS()
	which := len(s.data) - 1 - back
	for i, name := range s.names {
		c := slices.Clone(s.data[i])
		if i == which {
			c = put(make([]byte, len(c)), b, 0)
		}
		v.files[name] = &testFile{v: v, name: name, cache: c, disk: slices.Clone(c)}
	}
	cfg := s.cfg
	s.tries++
	cfg.vfs, cfg.Dir = v, fmt.Sprint(s.cfg.Dir, s.tries)
	ok(s.t, os.MkdirAll(cfg.Dir, 0o755))
	ok(s.t, os.WriteFile(filepath.Join(cfg.Dir, walMeta), s.meta, 0o600))
	return openTestLog(s.t, cfg)
}

// judge opens a damaged copy of a log of the given number of entries. It must be refused with the remedy, at once or when
// the damaged entry is read, or give all entries but those of the last append.
func (s *sample) judge(what string, back int, b []byte, all, before uint64) string {
	s.t.Helper()
	l, err := s.open(back, b)
	if err != nil {
		if !strings.Contains(err.Error(), "restore") || !strings.Contains(err.Error(), "all-0") {
			s.t.Fatalf("%s: no remedy: %v", what, err)
		}
		return "refused"
	}
	defer func() { ok(s.t, l.close()) }()
	last, err := l.LastIndex()
	ok(s.t, err)
	for i := uint64(1); i <= last; i++ {
		var got raft.Log
		if err := l.GetLog(i, &got); err != nil {
			if len(l.faults) != 1 || !strings.Contains(err.Error(), "restore") || !strings.Contains(err.Error(), fmt.Sprintf("entry %d of the Raft log of group all-0 in %s", i, l.dir)) {
				s.t.Fatalf("%s: entry %d: %v, faults %v", what, i, err, l.faults)
			}
			return "faulted"
		}
		if want := record(i); string(got.Data) != string(want.Data) || got.Type != want.Type || got.Term != want.Term {
			// What the entry's own checksum covers is looked at when it is applied.
			if e, err := decodeEntry(got.Data); err == nil && checkEntry(got.Data) == nil {
				s.t.Fatalf("%s: entry %d is another: %+v, type %s, term %d", what, i, e, got.Type, got.Term)
			}
			return "faulted"
		}
	}
	switch last {
	case all:
		return "served"
	case before:
		return "shorter"
	}
	s.t.Fatalf("%s: the log ends at %d of %d", what, last, all)
	return ""
}

func TestAFlippedBitInTheLogLosesNothingInSilence(t *testing.T) {
	appends := slices.Repeat([]int{1, 2, 1, 3, 1}, 5)
	appends = append(appends, 2)
	const all, before = 42, 40
	s := newSample(t, appends...)
	b := s.tail()
	var bits []int
	for at := range segmentHead {
		bits = append(bits, at*8+at%8)
	}
	for _, f := range frames(b) {
		// The type, the length by its bits, and the codec's index, term, type and length of data.
		for bit := range 3 {
			bits = append(bits, f.at*8+bit)
		}
		for bit := range 14 {
			bits = append(bits, (f.at+4)*8+bit)
		}
		if f.typ == frameEntry {
			for k := range 4 {
				bits = append(bits, (f.at+frameHead+k)*8+f.at/8%8)
			}
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 500 {
		bits = append(bits, r.IntN(len(b)*8))
	}
	results := map[string]int{}
	for _, bit := range bits {
		c := slices.Clone(b)
		c[bit/8] ^= 1 << (bit % 8)
		results[s.judge(fmt.Sprintf("bit %d of byte %d", bit%8, bit/8), 0, c, all, before)]++
	}
	t.Log(results)
	if results["refused"] == 0 || results["shorter"] == 0 {
		t.Errorf("%v", results)
	}
}

func TestDamageInASegmentThatIsFullIsFoundWhenItIsRead(t *testing.T) {
	s := newSample(t, slices.Repeat([]int{1}, 600)...)
	if len(s.names) < 3 {
		t.Fatalf("%d segments", len(s.names))
	}
	b := s.data[len(s.data)-2]
	results := map[string]int{}
	try := func(what string, at int, mask byte) string {
		c := slices.Clone(b)
		c[at] ^= mask
		result := s.judge(fmt.Sprintf("%s at %d", what, at), 1, c, 600, 600)
		results[result]++
		return result
	}
	list := frames(b)
	for i, f := range list {
		if f.typ == frameEntry && i%20 == 0 {
			for _, c := range []struct {
				what     string
				at, mask int
			}{
				{"the index", f.at + frameHead, 1 << (i % 7)},
				{"a noop", f.at + frameHead + 3, 1},
				{"a barrier", f.at + frameHead + 3, 4},
				{"an old type", f.at + frameHead + 3, 2},
				{"another kind of frame", f.at, 2},
				{"a huge frame", f.at + 7, 0x80},
			} {
				if got := try(c.what, c.at, byte(c.mask)); got != "faulted" {
					t.Fatalf("%s at %d is %s", c.what, c.at, got)
				}
			}
		}
		if f.typ == frameIndex {
			for k := range 60 {
				try("the segment's index", f.at+frameHead+k*4+k%3, 1<<(k%8))
			}
		}
	}
	for at := range segmentHead {
		if got := try("the head", at, 1<<(at%8)); got == "faulted" {
			t.Fatalf("damage in the head at %d is %s", at, got)
		}
	}
	t.Log(results)
}

func TestATornAppendOfAnyLengthIsUndone(t *testing.T) {
	const before, all = 5, 8
	s := newSample(t, 1, 1, 3, 3)
	b := s.tail()
	list := frames(b)
	good := list[len(list)-5].at + frameHead
	if list[len(list)-5].typ != frameCommit {
		t.Fatalf("%+v", list)
	}
	for n := good; n <= len(b); n++ {
		// Before it the same place may have held another torn append, longer or shorter, of which some is left.
		for _, stale := range []int{0, good + 40, len(b) - 16, len(b) + 24, len(b) + 512} {
			c := bytes.Clone(b[:n])
			if stale > n {
				old := staleAppend(s, good, stale)
				c = append(c, old[n:]...)
			}
			l, err := s.open(0, c)
			if err != nil {
				t.Fatalf("torn at %d of %d, stale up to %d: %v", n, len(b), stale, err)
			}
			last, _ := l.LastIndex()
			if last != before && (last != all || n < len(b)-4) {
				t.Fatalf("torn at %d of %d, stale up to %d: the log ends at %d", n, len(b), stale, last)
			}
			l.verify(t, last)
			ok(t, l.StoreLog(record(last+1)))
			ok(t, l.close())
			l, err = openTestLog(t, l.cfg)
			ok(t, err)
			l.verify(t, last+1)
			ok(t, l.close())
		}
	}
}

// staleAppend returns the segment's good bytes with a torn append of small entries behind them, end bytes in all.
func staleAppend(s *sample, good, end int) []byte {
	b := bytes.Clone(s.tail()[:good])
	for i := uint64(6); len(b) < end; i++ {
		var e bytes.Buffer
		body := record(i).Data[:33+i%7]
		e.Write([]byte{byte(i), 1, 0, byte(len(body))})
		e.Write(body)
		e.Write(make([]byte, 16))
		f := make([]byte, frameSize(uint32(e.Len())))
		f[0] = frameEntry
		binary.LittleEndian.PutUint32(f[4:], uint32(e.Len()))
		copy(f[frameHead:], e.Bytes())
		if i == 6 {
			clear(f[16:24]) // this is what was torn
		}
		if b = append(b, f...); i%3 == 2 {
			b = append(b, frameCommit, 0, 0, 0, 1, 2, 3, 4)
		}
	}
	return b[:end]
}

func TestACopyOfTheLogInATornValueIsNotTakenForTheLog(t *testing.T) {
	s := newSample(t, 1, 2, 1, 3, 1, 1)
	b := s.tail()
	list := frames(b)
	good := list[len(list)-3].at + frameHead
	for shift := range 8 {
		for _, whole := range []bool{false, true} {
			value := append(make([]byte, shift), b...)
			payload := append([]byte{9, 1, 0}, binary.AppendUvarint(nil, uint64(len(value)))...)
			payload = append(payload, value...)
			c := append(bytes.Clone(b), frameEntry, 0, 0, 0, 0, 0, 0, 0)
			binary.LittleEndian.PutUint32(c[len(b)+4:], uint32(len(payload)+1000))
			c = append(c, payload...)
			want := uint64(9)
			if !whole {
				// The append before it is torn: it holds the value.
				c = append(bytes.Clone(b[:good]), c[len(b):]...)
				want = 8
			}
			l, err := s.open(0, c)
			if err != nil {
				t.Fatalf("shift %d: %v", shift, err)
			}
			if last, _ := l.LastIndex(); last != want {
				t.Fatalf("shift %d: the log ends at %d, want %d", shift, last, want)
			}
			l.verify(t, want)
			ok(t, l.close())
		}
	}
}
